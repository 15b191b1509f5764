#include "coordinator/limit_settings.h"

#include <array>
#include <set>

#include "common/base/byte_size.h"
#include "common/base/task_spec.h"

namespace zq::coordinator {
namespace {

constexpr std::string_view kTable = "limits.";
constexpr std::string_view kRoles = "roles.";
constexpr std::string_view kOfRole = ".limits.";
constexpr std::string_view kKeys = "limit_keys.";
constexpr std::uint64_t kMostBytes = 1ULL << 60;
constexpr std::int64_t kMostTasks = limits::kOpenTasks;
constexpr auto kOfBoth = std::to_array<std::string_view>({"concurrency", "rate"});
constexpr auto kOfRoles = std::to_array<std::string_view>({"max_open", "max_bytes"});

std::string joined(std::string_view a, std::string_view b) {
    std::string text(a);
    return text += b;
}

/// Names between `roles.` and `.limits.`.
std::set<std::string> roles_in(const ConfigFile& file) {
    std::set<std::string> roles;
    for (const std::string& key : file.keys()) {
        const auto end = key.rfind(kOfRole);
        if (key.rfind(kRoles, 0) != 0 || end == std::string::npos || end <= kRoles.size()) continue;
        roles.insert(key.substr(kRoles.size(), end - kRoles.size()));
    }
    return roles;
}

/// Names between `limit_keys.` and the last dot.
std::set<std::string> keys_in(const ConfigFile& file) {
    std::set<std::string> names;
    for (const std::string& key : file.keys()) {
        const auto end = key.rfind('.');
        if (key.rfind(kKeys, 0) != 0 || end <= kKeys.size()) continue;
        names.insert(key.substr(kKeys.size(), end - kKeys.size()));
    }
    return names;
}

std::string table_of_role(const std::string& role) {
    return joined(joined(kRoles, role), kOfRole);
}

std::string table_of_key(const std::string& key) {
    return joined(joined(kKeys, key), ".");
}

/// A whole number up to `most`; 0 stands for none.
Result<std::optional<std::uint64_t>> read_count(const ConfigFile& file, const std::string& key,
                                                std::int64_t most) {
    auto number = file.integer(key);
    if (!number) return Failure(number.error());
    if (!*number) return std::optional<std::uint64_t>{};
    if (**number < 0 || **number > most) {
        return file.wrong(key,
                          "a number from 1 to " + std::to_string(most) + ", or 0 for no limit");
    }
    return std::optional<std::uint64_t>(**number);
}

Result<std::optional<std::uint64_t>> read_bytes(const ConfigFile& file, const std::string& key) {
    auto text = file.text(key);
    if (!text) return Failure(text.error());
    if (!*text) return std::optional<std::uint64_t>{};
    if (**text == "unlimited") return std::optional<std::uint64_t>(0);
    const auto bytes = parse_byte_size(**text, kMostBytes);
    if (bytes && *bytes > 0) return bytes;
    return file.wrong(
        key, "'" + **text + "' is not a size: write 512MiB, 10GiB or 2TiB, or \"unlimited\"");
}

Result<std::optional<Rate>> read_rate(const ConfigFile& file, const std::string& key) {
    auto text = file.text(key);
    if (!text) return Failure(text.error());
    if (!*text) return std::optional<Rate>{};
    auto rate = parse_rate(**text, "");
    if (!rate) return file.wrong(key, rate.error().message);
    return std::optional(*rate);
}

/// What roles and limit keys share.
Result<Limits> read_common(const ConfigFile& file, const std::string& table) {
    Limits limits;
    auto concurrency = read_count(file, table + "concurrency", kMostTasks);
    if (!concurrency) return Failure(concurrency.error());
    if (*concurrency) limits.concurrency = static_cast<std::uint32_t>(**concurrency);
    auto rate = read_rate(file, table + "rate");
    if (!rate) return Failure(rate.error());
    limits.rate = *rate;
    return limits;
}

Result<Limits> read_of_role(const ConfigFile& file, const std::string& table) {
    auto limits = read_common(file, table);
    if (!limits) return limits;
    auto open = read_count(file, table + "max_open", kMostTasks);
    if (!open) return Failure(open.error());
    limits->max_open = *open;
    auto bytes = read_bytes(file, table + "max_bytes");
    if (!bytes) return Failure(bytes.error());
    limits->max_bytes = *bytes;
    return limits;
}

Result<void> apply_all(Options& options, const ConfigFile& file) {
    auto bytes = read_bytes(file, joined(kTable, "open_bytes"));
    if (!bytes) return Failure(bytes.error());
    options.max_open_bytes = bytes->value_or(options.max_open_bytes);
    auto open = read_count(file, joined(kTable, "open_per_client"), kMostTasks);
    if (!open) return Failure(open.error());
    options.max_open_per_client = open->value_or(options.max_open_per_client);
    const std::string key = joined(kTable, "age_step");
    auto step = file.text(key);
    if (!step) return Failure(step.error());
    if (!*step) return {};
    auto length = parse_duration(**step, "");
    if (!length) return file.wrong(key, length.error().message);
    if (*length < seconds(1) || *length > days(1)) {
        return file.wrong(key, "an age step is 1s to 1d");
    }
    options.age_step = *length;
    return {};
}

}  // namespace

std::vector<std::string> limit_keys(const ConfigFile& file) {
    std::vector<std::string> keys{joined(kTable, "open_bytes"), joined(kTable, "open_per_client"),
                                  joined(kTable, "age_step")};
    for (const std::string& role : roles_in(file)) {
        for (std::string_view key : kOfBoth) keys.push_back(joined(table_of_role(role), key));
        for (std::string_view key : kOfRoles) keys.push_back(joined(table_of_role(role), key));
    }
    for (const std::string& name : keys_in(file)) {
        for (std::string_view key : kOfBoth) keys.push_back(joined(table_of_key(name), key));
    }
    return keys;
}

Result<void> apply_limits(Options& options, const ConfigFile& file) {
    if (auto ok = apply_all(options, file); !ok) return ok;
    for (const std::string& role : roles_in(file)) {
        if (!is_valid_name(role)) {
            return file.wrong(table_of_role(role) + "concurrency",
                              "'" + role + "' is no role name");
        }
        auto limits = read_of_role(file, table_of_role(role));
        if (!limits) return Failure(limits.error());
        options.role_limits[RoleName(role)] = *limits;
    }
    for (const std::string& name : keys_in(file)) {
        auto limits = read_common(file, table_of_key(name));
        if (!limits) return Failure(limits.error());
        options.key_limits[name] = *limits;
    }
    return {};
}

}  // namespace zq::coordinator
