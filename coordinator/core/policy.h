// The numbers an operator sets that the core decides by. They never reach an event: events record
// what came of them.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "common/base/approval.h"
#include "common/base/control.h"
#include "common/base/ids.h"
#include "common/base/limits.h"

namespace zq::core {

/// How long what has ended is kept, 0: for good; and how many bytes of logs and artifacts it may
/// hold, 0: any number.
struct Retention {
    Millis finished{};   // completed, skipped and cancelled tasks
    Millis dead{};       // dead and expired ones, with all they hold
    Millis logs{};       // what finished tasks said
    Millis artifacts{};  // everything else they left
    std::uint64_t finished_bytes = 0;
    std::uint64_t dead_bytes = 0;
    friend bool operator==(const Retention&, const Retention&) = default;
};

struct Policy {
    Millis lease = limits::kLeaseDefault;
    Millis heartbeat = limits::kHeartbeatDefault;
    std::size_t max_open_tasks = limits::kOpenTasks;
    std::uint64_t max_open_bytes = 0;     // of all open tasks' envelopes and inputs; 0: any number
    std::size_t max_open_per_client = 0;  // open tasks of one submitting identity; 0: any number
    Millis unreferenced = hours(24);      // content that nothing refers to lives so long
    Retention retention;                  // of roles that have none of their own
    std::map<RoleName, Retention> role_retention;
    Millis age_step = limits::kAgeStep;  // one step of priority outweighs this much waiting
    std::map<RoleName, Limits> role_limits;
    std::map<std::string, Limits> key_limits;  // of limit keys; `*`: of all without their own
    std::map<RoleName, ApprovalRule> role_approvals;
    std::map<std::string, ApprovalRule> type_approvals;
};

inline const Retention& retention_of(const Policy& policy, const RoleName& role) {
    auto at = policy.role_retention.find(role);
    return at == policy.role_retention.end() ? policy.retention : at->second;
}

}  // namespace zq::core
