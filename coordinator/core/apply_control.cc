// The part of apply about what is said of roles, limit keys and workers.
#include "coordinator/core/apply_parts.h"

namespace zq::core {
namespace {

/// Controls that said nothing but that their key was held until now go, by the time of the event: a
/// replay forgets alike.
void forget_held(State& state, Instant now) {
    while (!state.index.held.empty() && state.index.held.begin()->first < now) {
        state.durable.controls.erase(state.index.held.begin()->second);
        state.index.held.erase(state.index.held.begin());
    }
}

/// Another rate begins with a whole bucket; that of all limit keys, for each of them.
void forget_rates(State& state, const ControlKey& key) {
    const bool all = key.kind == ControlKind::kLimitKey && key.name == kAnyLimitKey;
    std::erase_if(state.now.rates, [&](const auto& entry) {
        if (entry.first != key && !(all && entry.first.kind == key.kind)) return false;
        state.now.rates_by_time.erase({entry.second, entry.first});
        return true;
    });
}

/// Has those roles looked at whose tasks may start now.
void want_matches(State& state, const ControlKey& key) {
    if (key.kind == ControlKind::kRole) return want_match(state, {key.ns, RoleName(key.name)});
    if (key.kind == ControlKind::kWorker) {
        auto at = state.now.by_name.find({key.ns, WorkerName(key.name)});
        if (at == state.now.by_name.end()) return;
        for (const RoleName& role : state.now.sessions.at(at->second).roles) {
            want_match(state, {key.ns, role});
        }
    } else if (key.name == kAnyLimitKey) {
        for (const auto& [role, index] : state.index.roles) want_match(state, role);
    } else {
        want_match_of_key(state, key.ns, key.name);
    }
}

}  // namespace

void apply_policy(State& state, const PolicyNoted& notice) {
    for (const ControlKey& key : notice.rates) forget_rates(state, key);
    for (const auto& [role, index] : state.index.roles) want_match(state, role);
}

void apply_body(State& state, const Event& event, const ControlChanged& body) {
    forget_held(state, event.at);
    const ControlKey key{event.task.ns, body.kind, body.name};
    std::optional<Rate> rate;
    if (auto at = state.durable.controls.find(key); at != state.durable.controls.end()) {
        rate = at->second.limits.rate;
        unindex_control(state, key, at->second);
        state.durable.controls.erase(at);
    }
    if (body.control != Control{}) {
        index_control(state, key, body.control);
        state.durable.controls.emplace(key, body.control);
    }
    if (rate != body.control.limits.rate) forget_rates(state, key);
    want_matches(state, key);
}

}  // namespace zq::core
