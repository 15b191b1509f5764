// What tests say of roles, limit keys and workers.
#pragma once

#include "coordinator/core/gates.h"
#include "tests/core/core_rig.h"

namespace zq::core {

/// A worker of these roles says HELLO.
inline OpenSession open_session(SessionId id, const std::string& worker,
                                const std::vector<std::string>& roles) {
    OpenSession open;
    open.session = id;
    open.worker = WorkerName(worker);
    open.state_id = StateId("folder-of-" + worker);
    open.incarnation = 1;
    for (const std::string& role : roles) open.roles.emplace_back(role);
    open.slots = 8;
    return open;
}

inline TaskSpec keyed(const std::string& id, const std::string& key,
                      const std::string& role = "review") {
    TaskSpec spec = CoreRig::spec(id, role);
    spec.limit_key = key;
    return spec;
}

inline SetControl of_role(const std::string& role = "review") {
    return {ControlKind::kRole, role, {}, {}, false, {}, false, ""};
}

inline SetControl of_key(const std::string& key) {
    return {ControlKind::kLimitKey, key, {}, {}, false, {}, false, ""};
}

inline SetControl of_worker(const std::string& worker) {
    return {ControlKind::kWorker, worker, {}, {}, false, {}, false, ""};
}

inline void pause(CoreRig& rig, SetControl set, bool paused = true) {
    set.paused = paused;
    CoreRig::answer<ControlAnswer>(rig.run(set));
}

inline void limit(CoreRig& rig, SetControl set, const Limits& limits) {
    set.limits = limits;
    CoreRig::answer<ControlAnswer>(rig.run(set));
}

inline Limits concurrency(std::uint32_t most) {
    Limits limits;
    limits.concurrency = most;
    return limits;
}

inline Limits rate(std::uint32_t count, Millis period, std::uint32_t burst = 1) {
    Limits limits;
    limits.rate = Rate{count, period, burst};
    return limits;
}

inline std::vector<std::string> names(const std::vector<Effect>& effects) {
    std::vector<std::string> ids;
    for (const auto& a : CoreRig::assignments(effects)) ids.push_back(a.task.id.text);
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace zq::core
