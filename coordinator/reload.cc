#include "coordinator/reload.h"

#include <set>

namespace zq::coordinator {
namespace {

/// Names the keys of two tables of limits or retention that have other values.
template <class Map>
void note_tables(const Map& serving, const Map& read, const std::string& before,
                 const std::string& after, std::vector<std::string>& changed) {
    std::set<std::string> keys;
    const auto name = [](const auto& key) {
        if constexpr (requires { key.text; })
            return key.text;
        else
            return key;
    };
    for (const auto& [key, value] : serving) {
        auto at = read.find(key);
        if (at == read.end() || !(at->second == value)) keys.insert(name(key));
    }
    for (const auto& [key, value] : read) {
        if (!serving.contains(key)) keys.insert(name(key));
    }
    for (const std::string& key : keys) {
        std::string name_of_table = before;
        name_of_table += key;
        name_of_table += after;
        changed.push_back(std::move(name_of_table));
    }
}

}  // namespace

core::Policy policy_of(const Options& options) {
    core::Policy policy;
    policy.lease = options.lease;
    policy.heartbeat = options.heartbeat;
    policy.max_open_tasks = options.max_open_tasks;
    policy.max_open_bytes = options.max_open_bytes;
    policy.max_open_per_client = options.max_open_per_client;
    policy.age_step = options.age_step;
    policy.role_limits = options.role_limits;
    policy.key_limits = options.key_limits;
    policy.role_approvals = options.role_approvals;
    policy.type_approvals = options.type_approvals;
    policy.unreferenced = options.unreferenced;
    policy.retention = options.retention;
    policy.role_retention = options.role_retention;
    return policy;
}

Reload reload(const Options& serving, const Options& read) {
    Reload result{serving, {}, {}};
    const auto take = [&](auto Options::*field, const char* name) {
        if (serving.*field == read.*field) return;
        result.options.*field = read.*field;
        result.changed.emplace_back(name);
    };
    take(&Options::log_level, "log_level");
    take(&Options::max_open_tasks, "max_open_tasks");
    take(&Options::max_open_bytes, "limits.open_bytes");
    take(&Options::max_open_per_client, "limits.open_per_client");
    take(&Options::age_step, "limits.age_step");
    take(&Options::retention, "retention");
    result.options.role_limits = read.role_limits;
    result.options.key_limits = read.key_limits;
    result.options.role_retention = read.role_retention;
    result.options.role_approvals = read.role_approvals;
    result.options.type_approvals = read.type_approvals;
    auto& changed = result.changed;
    note_tables(serving.role_limits, read.role_limits, "roles.", ".limits", changed);
    note_tables(serving.key_limits, read.key_limits, "limit_keys.", "", changed);
    note_tables(serving.role_retention, read.role_retention, "roles.", ".retention", changed);
    note_tables(serving.role_approvals, read.role_approvals, "roles.", ".approval", changed);
    note_tables(serving.type_approvals, read.type_approvals, "types.", ".approval", changed);
    const auto keep = [&](auto Options::*field, const char* name) {
        if (!(serving.*field == read.*field)) result.needs_restart.emplace_back(name);
    };
    keep(&Options::data, "data");
    keep(&Options::binds, "bind");
    keep(&Options::artifacts_binds, "artifacts_bind");
    keep(&Options::advertise, "advertise");
    keep(&Options::lease, "lease");
    keep(&Options::heartbeat, "heartbeat");
    keep(&Options::payload_schemas, "payload_schemas");
    keep(&Options::insecure, "insecure");
    // The artifacts thread promises by it how long a content that was put lives.
    keep(&Options::unreferenced, "retention.unreferenced");
    return result;
}

}  // namespace zq::coordinator
