// What an operator says of roles, limit keys and workers; and what a rate limited task says of its
// limit key.
#include <algorithm>

#include "common/base/mutant.h"
#include "coordinator/core/decide_parts.h"

namespace zq::core {
namespace {

/// The control as it is now; one that says nothing where nothing was said.
Control current(const State& state, const ControlKey& key) {
    const Control* control = find_control(state, key);
    return control == nullptr ? Control{} : *control;
}

const Session* session_of(const Call& call, const std::string& worker) {
    auto at = call.state.now.by_name.find({call.command.ns, WorkerName(worker)});
    if (at == call.state.now.by_name.end()) return nullptr;
    return &call.state.now.sessions.at(at->second);
}

/// As it is to be; `session` is the worker's, where it is one that is connected.
Control changed(const Call& call, const SetControl& set, const Session* session, Control control) {
    control.paused = set.paused.value_or(control.paused);
    control.closed = set.closed.value_or(control.closed);
    if (set.kind == ControlKind::kWorker) {
        const bool resumes = set.paused.has_value() && !*set.paused;
        if (resumes || set.drain) control.drained = {};
        if (resumes || set.drain) control.drained_incarnation = 0;
        if (set.drain && session != nullptr) {
            control.drained = session->state_id;
            control.drained_incarnation = session->incarnation;
        }
    }
    // A person who lets a held limit key go on lets it go on at once.
    if (set.kind == ControlKind::kLimitKey && set.paused.has_value() && !*set.paused) {
        control.held_until = {};
        control.held_by = {};
    }
    control.limits = merged(set.limits, set.reset ? Limits{} : control.limits);
    const bool stops = set.paused || set.closed || set.drain;
    if (stops || !set.reason.empty()) control.reason = set.reason;
    control.by = call.command.identity;
    control.at = call.now();
    return control;
}

/// A reason that is left out is no other one.
bool says_the_same(const Control& a, Control b) {
    if (b.reason.empty()) b.reason = a.reason;
    b.by = a.by;
    b.at = a.at;
    return a == b;
}

bool says_nothing(const Call& call, const Control& control) {
    return only_held(control) && control.held_until <= call.now();
}

/// Those whose time is over go with the next event about any (apply_control.cc).
std::size_t held_over(const Call& call) {
    const auto& held = call.state.index.held;
    const auto over = std::find_if(held.begin(), held.end(),
                                   [&](const auto& entry) { return entry.first >= call.now(); });
    return static_cast<std::size_t>(std::distance(held.begin(), over));
}

bool is_full(const Call& call, const ControlKey& key) {
    const auto& controls = call.state.durable.controls;
    return controls.size() >= limits::kControls && !controls.contains(key) &&
           controls.size() - held_over(call) >= limits::kControls;
}

/// What peers' tasks hold leaves room for what operators say.
bool is_full_of_held(const Call& call, const ControlKey& key) {
    const std::size_t held = call.state.index.held.size();
    return held >= limits::kKeysHeld && !call.state.durable.controls.contains(key) &&
           held - held_over(call) >= limits::kKeysHeld;
}

}  // namespace

Decision decide_policy(const NotePolicy& noted) {
    Decision decision;
    decision.notices.emplace_back(PolicyNoted{noted.rates});
    return decision;
}

Decision decide_control(const Call& call, const SetControl& set) {
    const ControlKey key{call.command.ns, set.kind, set.name};
    const Session* session =
        set.kind == ControlKind::kWorker ? session_of(call, set.name) : nullptr;
    const Control before = current(call.state, key);
    const bool starts = set.drain || set.paused.value_or(false);
    if (set.kind == ControlKind::kWorker && session == nullptr && starts) {
        return reject(call, ErrorCode::NOT_FOUND, "no worker " + set.name + " is connected",
                      "name");
    }
    Control control = changed(call, set, session, before);
    Decision decision;
    if (says_the_same(before, control)) {
        answer(decision, call, ControlAnswer{set.kind, set.name, before});
        return decision;
    }
    if (is_full(call, key)) {
        return reject(call, ErrorCode::TOO_LARGE,
                      std::to_string(limits::kControls) +
                          " roles, limit keys and workers have controls already: resume or"
                          " reset some (`zq role ls`, `zq limit ls`, `zq worker ls`)",
                      "name");
    }
    if (says_nothing(call, control)) control = {};
    if (set.drain) decision.effects.emplace_back(Push{session->id, DrainWord{}});
    answer(decision, call, ControlAnswer{set.kind, set.name, control});
    decision.events.push_back(
        event_of(call, ControlChanged{set.kind, set.name, std::move(control), set.reason}));
    return decision;
}

void end_drain(const Call& call, const OpenSession& open, Decision& decision) {
    const ControlKey key{call.command.ns, ControlKind::kWorker, open.worker.text};
    Control control = current(call.state, key);
    if (control.drained.empty()) return;
    const bool still =
        control.drained == open.state_id && open.incarnation <= control.drained_incarnation;
    if (still) return;
    control.drained = {};
    control.drained_incarnation = 0;
    if (says_nothing(call, control)) control = {};
    Event event = event_of(
        call, ControlChanged{key.kind, key.name, std::move(control), "it was started again"});
    event.identity = kSystemIdentity;
    decision.events.push_back(std::move(event));
}

void hold_limit_key(const Call& call, const Task& task, Instant until, Decision& decision) {
    if (task.limit_key.empty() || mutant(Mutant::kKeyNotHeld)) return;
    const ControlKey key{task.key.ns, ControlKind::kLimitKey, task.limit_key};
    Control control = current(call.state, key);
    until = std::min(until, call.now() + limits::kKeyHeldMax);
    if (control.held_until >= until || is_full_of_held(call, key)) return;
    control.held_until = until;
    control.held_by = task.key.id;
    decision.events.push_back(
        event_of(call, ControlChanged{key.kind, key.name, std::move(control), {}}));
}

}  // namespace zq::core
