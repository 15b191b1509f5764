#include "worker/reread.h"

#include <algorithm>
#include <array>

#include "common/platform/files.h"
#include "worker/environment.h"
#include "worker/secret_values.h"

namespace zq::worker {
namespace {

constexpr auto kLevels = std::to_array<std::string_view>({"debug", "info", "warn", "error"});
constexpr std::uint64_t kLevelFileBytes = 4096;
constexpr const char* kBlanks = " \t\r\n";

/// A level, or the one that stands in `@FILE`.
Result<std::string> log_level_of(const std::string& from) {
    std::string level = from;
    std::string where;
    if (from.starts_with('@')) {
        auto text = read_file(from.substr(1), kLevelFileBytes);
        if (!text) return fail(text.error().code, text.error().message, "--log");
        const auto first = text->find_first_not_of(kBlanks);
        level = first == std::string::npos
                    ? std::string()
                    : text->substr(first, text->find_last_not_of(kBlanks) + 1 - first);
        where = " (in " + from.substr(1) + ")";
    }
    if (std::find(kLevels.begin(), kLevels.end(), level) != kLevels.end()) return level;
    return fail(ErrorCode::INVALID, "'" + level + "' is not debug, info, warn or error" + where,
                "--log");
}

bool same(const std::vector<SecretValue>& a, const std::vector<SecretValue>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& two) {
        return one.name == two.name && one.value == two.value;
    });
}

}  // namespace

Result<std::vector<std::string>> read_again(WorkerOptions& options) {
    const RereadFrom& from = options.from;
    auto level = log_level_of(from.log);
    if (!level) return Failure(level.error());
    auto environment = passed_environment(from.env, from.env_file);
    if (!environment) return Failure(environment.error());
    if (!from.connection.empty()) environment->push_back(from.connection);
    auto secrets = secret_values(*environment, from.redact_env, from.redact_file);
    if (!secrets) return Failure(secrets.error());
    std::vector<std::string> changed;
    if (*level != options.log_level) changed.emplace_back("log");
    if (*environment != options.environment) changed.emplace_back("environment");
    if (!same(*secrets, options.secrets)) changed.emplace_back("secrets");
    options.log_level = std::move(*level);
    options.environment = std::move(*environment);
    options.secrets = std::move(*secrets);
    return changed;
}

}  // namespace zq::worker
