#include "coordinator/retention_settings.h"

#include <array>
#include <set>

#include "common/base/byte_size.h"
#include "common/base/task_spec.h"

namespace zq::coordinator {
namespace {

constexpr std::string_view kTable = "retention.";
constexpr std::string_view kRoles = "roles.";
constexpr std::string_view kOfRole = ".retention.";
constexpr Millis kShortest = seconds(1);
constexpr Millis kLongest = hours(24 * 3650);
constexpr std::uint64_t kFewestBytes = 1;
constexpr std::uint64_t kMostBytes = 1ULL << 60;

struct Age {
    const char* key;
    Millis core::Retention::*field;
};
constexpr auto kAges = std::to_array<Age>({
    {"finished", &core::Retention::finished},
    {"dead", &core::Retention::dead},
    {"logs", &core::Retention::logs},
    {"artifacts", &core::Retention::artifacts},
});

struct Bytes {
    const char* key;
    std::uint64_t core::Retention::*field;
};
constexpr auto kBytes = std::to_array<Bytes>({
    {"finished_bytes", &core::Retention::finished_bytes},
    {"dead_bytes", &core::Retention::dead_bytes},
});

/// Names between `roles.` and `.retention.`.
std::set<std::string> roles_in(const ConfigFile& file) {
    std::set<std::string> roles;
    for (const std::string& key : file.keys()) {
        const auto end = key.rfind(kOfRole);
        if (key.rfind(kRoles, 0) != 0 || end == std::string::npos || end <= kRoles.size()) continue;
        roles.insert(key.substr(kRoles.size(), end - kRoles.size()));
    }
    return roles;
}

std::string table_of(const std::string& role) {
    std::string table(kRoles);
    return (table += role) += kOfRole;
}

Result<void> read_age(const ConfigFile& file, const std::string& key, Millis& target) {
    auto text = file.text(key);
    if (!text) return Failure(text.error());
    if (!*text) return {};
    if (**text == "never") {
        target = {};
        return {};
    }
    auto age = parse_duration(**text, "");
    if (!age) return file.wrong(key, age.error().message + ", or \"never\"");
    if (*age < kShortest || *age > kLongest) {
        return file.wrong(key, "an age is " + to_string(kShortest) + " to " + to_string(kLongest) +
                                   ", or \"never\"");
    }
    target = *age;
    return {};
}

Result<void> read_bytes(const ConfigFile& file, const std::string& key, std::uint64_t& target) {
    auto text = file.text(key);
    if (!text) return Failure(text.error());
    if (!*text) return {};
    if (**text == "unlimited") {
        target = 0;
        return {};
    }
    const auto bytes = parse_byte_size(**text, kMostBytes);
    if (!bytes || *bytes < kFewestBytes) {
        return file.wrong(key, "'" + **text +
                                   "' is not a size: write 512MiB, 10GiB or 2TiB, or"
                                   " \"unlimited\"");
    }
    target = *bytes;
    return {};
}

Result<void> read_table(const ConfigFile& file, const std::string& table, core::Retention& target) {
    for (const Age& age : kAges) {
        if (auto ok = read_age(file, table + age.key, target.*age.field); !ok) return ok;
    }
    for (const Bytes& bytes : kBytes) {
        if (auto ok = read_bytes(file, table + bytes.key, target.*bytes.field); !ok) return ok;
    }
    return {};
}

}  // namespace

std::vector<std::string> retention_keys(const ConfigFile& file) {
    std::vector<std::string> keys{std::string(kTable) + "unreferenced"};
    const auto add = [&](const std::string& table) {
        for (const Age& age : kAges) keys.push_back(table + age.key);
        for (const Bytes& bytes : kBytes) keys.push_back(table + bytes.key);
    };
    add(std::string(kTable));
    for (const std::string& role : roles_in(file)) add(table_of(role));
    return keys;
}

Result<void> apply_retention(Options& options, const ConfigFile& file) {
    const std::string unreferenced = std::string(kTable) + "unreferenced";
    if (auto ok = read_age(file, unreferenced, options.unreferenced); !ok) return ok;
    if (options.unreferenced.count == 0) {
        return file.wrong(unreferenced, "content that nothing refers to has an age");
    }
    if (auto ok = read_table(file, std::string(kTable), options.retention); !ok) return ok;
    for (const std::string& role : roles_in(file)) {
        if (!is_valid_name(role)) {
            return file.wrong(table_of(role) + "finished", "'" + role + "' is no role's name");
        }
        core::Retention& own = options.role_retention[RoleName(role)];
        own = options.retention;
        if (auto ok = read_table(file, table_of(role), own); !ok) return ok;
    }
    return {};
}

}  // namespace zq::coordinator
