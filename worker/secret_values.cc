#include "worker/secret_values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "common/platform/files.h"

namespace zq::worker {
namespace {

constexpr std::size_t kLeastGuessed = 8;
constexpr std::size_t kLeastTold = 4;
constexpr std::size_t kLeastLine = 16;
constexpr std::size_t kFileBytes = 1024 * 1024;
constexpr auto kWords =
    std::to_array<std::string_view>({"SECRET", "TOKEN", "KEY", "PASSWORD", "PASSWD", "PASSPHRASE",
                                     "CREDENTIAL", "CREDENTIALS", "APIKEY", "PAT"});

bool speaks_of_secrets(const std::string& name) {
    std::istringstream parts(name);
    for (std::string part; std::getline(parts, part, '_');) {
        std::transform(part.begin(), part.end(), part.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        if (std::find(kWords.begin(), kWords.end(), part) != kWords.end()) return true;
    }
    return false;
}

void add(std::vector<SecretValue>& found, const std::string& name, const std::string& value) {
    found.push_back({name, value});
    if (value.find('\n') == std::string::npos) return;
    std::istringstream lines(value);
    for (std::string line; std::getline(lines, line);) {
        if (line.size() >= kLeastLine) found.push_back({name, line});
    }
}

std::optional<std::string> value_of(const std::vector<std::string>& passed,
                                    const std::string& name) {
    for (const std::string& entry : passed) {
        if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
    }
    const char* own = std::getenv(name.c_str());
    if (own == nullptr) return std::nullopt;
    return own;
}

Failure too_short(const std::string& what, const std::string& flag) {
    return fail(ErrorCode::INVALID,
                what + " is shorter than 4 bytes: it would be found in ordinary words", flag);
}

Result<void> add_file(const std::string& path, std::vector<SecretValue>& found) {
    auto text = read_file(path, kFileBytes);
    if (!text) return fail(text.error().code, text.error().message, "--redact-file");
    std::istringstream lines(*text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) continue;
        if (line.size() < kLeastTold) {
            return too_short(path + ":" + std::to_string(number), "--redact-file");
        }
        found.push_back({"secret", line});
    }
    return {};
}

}  // namespace

Result<std::vector<SecretValue>> secret_values(const std::vector<std::string>& passed,
                                               const std::vector<std::string>& named,
                                               const std::string& file) {
    std::vector<SecretValue> found;
    for (const std::string& entry : passed) {
        const std::size_t equals = entry.find('=');
        const std::string name = entry.substr(0, equals);
        const std::string value = entry.substr(equals + 1);
        if (speaks_of_secrets(name) && value.size() >= kLeastGuessed) add(found, name, value);
    }
    for (const std::string& name : named) {
        const auto value = value_of(passed, name);
        if (!value) return fail(ErrorCode::INVALID, name + " is not set", "--redact-env");
        if (value->size() < kLeastTold) return too_short(name, "--redact-env");
        add(found, name, *value);
    }
    if (!file.empty()) {
        if (auto ok = add_file(file, found); !ok) return Failure(ok.error());
    }
    return found;
}

}  // namespace zq::worker
