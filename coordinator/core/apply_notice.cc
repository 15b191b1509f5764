// The volatile half of apply: sessions, credit, lease clocks, progress.
#include "common/base/mutant.h"
#include "coordinator/core/apply_parts.h"

namespace zq::core {
namespace {

/// Takes a session out of the idle sets, lets it change, and puts it back where it has credit.
template <class Change>
void change_session(State& state, Session& session, Change change) {
    for (const RoleName& role : session.roles) {
        state.now.idle[{session.ns, role}].erase({session.last_assigned, session.id});
    }
    state.now.by_heard.erase({session.heard_at, session.id});
    change(session);
    state.now.by_heard.insert({session.heard_at, session.id});
    if (session.free == 0) return;
    for (const RoleName& role : session.roles) {
        const RoleKey key{session.ns, role};
        state.now.idle[key].insert({session.last_assigned, session.id});
        want_match(state, key);
    }
}

void apply_notice(State& state, const SessionOpened& notice) {
    const Session& opened = notice.session;
    ZQ_CHECK(!state.now.sessions.contains(opened.id));
    Session& session = state.now.sessions.emplace(opened.id, opened).first->second;
    state.now.by_name[{opened.ns, opened.worker}] = opened.id;
    state.now.by_state_id[opened.state_id] = opened.id;
    change_session(state, session, [](Session&) {});
}

void apply_notice(State& state, const SessionClosed& notice) {
    auto at = state.now.sessions.find(notice.session);
    if (at == state.now.sessions.end()) return;
    Session& session = at->second;
    change_session(state, session, [](Session& s) { s.free = 0; });
    state.now.by_heard.erase({session.heard_at, session.id});
    for (const RoleName& role : session.roles) {
        const RoleKey key{session.ns, role};
        if (state.durable.roles_served.contains(key)) {
            state.now.seen[key] = {session.worker, session.heard_at};
        }
        auto idle = state.now.idle.find({session.ns, role});
        if (idle != state.now.idle.end() && idle->second.empty()) state.now.idle.erase(idle);
    }
    auto name = state.now.by_name.find({session.ns, session.worker});
    if (name != state.now.by_name.end() && name->second == session.id)
        state.now.by_name.erase(name);
    auto folder = state.now.by_state_id.find(session.state_id);
    if (folder != state.now.by_state_id.end() && folder->second == session.id) {
        state.now.by_state_id.erase(folder);
    }
    if (auto held = state.index.by_holder.find(session.state_id);
        held != state.index.by_holder.end()) {
        for (std::uint64_t token : held->second) {
            auto clock = state.now.clocks.find(token);
            if (clock != state.now.clocks.end() && clock->second.session == session.id) {
                clock->second.session = 0;
            }
        }
    }
    state.now.sessions.erase(at);
}

void apply_notice(State& state, const SessionHeard& notice) {
    auto at = state.now.sessions.find(notice.session);
    ZQ_CHECK(at != state.now.sessions.end());
    change_session(state, at->second, [&](Session& session) {
        session.free = notice.free;
        session.heard = notice.message;
        session.heard_at = notice.at;
    });
}

void apply_notice(State& state, const LeaseClockSet& notice) {
    drop_clock(state, notice.token);
    state.now.clocks.emplace(notice.token, notice.clock);
    state.now.deadlines.insert({notice.clock.deadline, notice.token});
    if (notice.clock.ends_by.is_set()) {
        state.now.overdue.insert({notice.clock.ends_by, notice.token});
    }
}

void apply_notice(State& state, const CreditUsed& notice) {
    auto at = state.now.sessions.find(notice.session);
    ZQ_CHECK(at != state.now.sessions.end() && at->second.free > 0);
    change_session(state, at->second, [&](Session& session) {
        if (!mutant(Mutant::kDoubleCredit)) --session.free;
        session.last_assigned = notice.token;
    });
}

void apply_notice(State& state, const DeadlinesMoved& notice) {
    std::set<std::pair<Instant, std::uint64_t>> moved;
    std::set<std::pair<Instant, std::uint64_t>> overdue;
    for (auto& [token, clock] : state.now.clocks) {
        clock.deadline = clock.deadline + notice.by;
        moved.insert({clock.deadline, token});
        if (!clock.ends_by.is_set()) continue;
        clock.ends_by = clock.ends_by + notice.by;
        overdue.insert({clock.ends_by, token});
    }
    state.now.deadlines = std::move(moved);
    state.now.overdue = std::move(overdue);
    std::set<std::pair<Instant, SessionId>> heard;
    for (auto& [id, session] : state.now.sessions) {
        session.heard_at = session.heard_at + notice.by;
        heard.insert({session.heard_at, id});
    }
    state.now.by_heard = std::move(heard);
}

void apply_notice(State& state, const ProgressSeen& notice) {
    if (!state.durable.open.contains(notice.task)) return;
    ProgressView& view = state.now.progress[notice.task];
    const Instant journaled_at = view.journaled_at;
    view = notice.progress;
    view.journaled_at = journaled_at;
}

void apply_notice(State& state, const RoleMatched& notice) {
    state.now.to_match.erase(notice.role);
}

void stop_waiting(State& state, const RoleKey& role) {
    auto at = state.now.waiting.find(role);
    if (at == state.now.waiting.end()) return;
    state.now.wakes.erase({at->second, role});
    state.now.waiting.erase(at);
}

void apply_notice(State& state, const RoleWaits& notice) {
    stop_waiting(state, notice.role);
    state.now.waiting.emplace(notice.role, notice.until);
    state.now.wakes.insert({notice.until, notice.role});
}

void apply_notice(State& state, const RoleWoken& notice) {
    stop_waiting(state, notice.role);
    want_match(state, notice.role);
}

void apply_notice(State& state, const TurnTaken& notice) {
    auto role = state.index.roles.find(notice.role);
    if (role == state.index.roles.end()) return;
    // Who has no other ready task comes anew with the next one.
    if (!role->second.ready.shares().contains(notice.submitter)) return;
    state.now.turns[{notice.role, notice.submitter}] = notice.turn;
}

void apply_notice(State& state, const RateUsed& notice) {
    Volatile& now = state.now;
    if (auto at = now.rates.find(notice.control); at != now.rates.end()) {
        now.rates_by_time.erase({at->second, notice.control});
    }
    now.rates[notice.control] = notice.spent_until;
    now.rates_by_time.insert({notice.spent_until, notice.control});
    // Of what has refilled long ago nothing need be known.
    while (now.rates_by_time.begin()->first < notice.at.ms * 1000) {
        now.rates.erase(now.rates_by_time.begin()->second);
        now.rates_by_time.erase(now.rates_by_time.begin());
    }
}

void apply_notice(State& state, const RatesBegin& notice) {
    state.now.rates_from = notice.from;
}

void apply_notice(State& state, const PolicyNoted& notice) {
    apply_policy(state, notice);
}

}  // namespace

void apply(State& state, const Notice& notice) {
    std::visit([&](const auto& body) { apply_notice(state, body); }, notice);
}

}  // namespace zq::core
