// Who gets what: the first ready task of a role goes to the session with credit that was used
// longest ago. One rule, for submits, returned credit and retries alike.
#include <map>

#include "coordinator/core/decide_parts.h"

namespace zq::core {
namespace {

/// Credit that this decision has used, before it is applied.
using Used = std::map<SessionId, std::uint32_t>;

Lease lease_for(const Call& call, const Session& session, const Task& task, std::uint64_t given) {
    Lease lease;
    lease.token = next_token(call, given);
    lease.attempt = task.attempts + 1;
    lease.holder = {session.worker, session.identity, session.state_id, session.incarnation, false};
    lease.term = call.policy.lease;
    lease.since = call.now();
    return lease;
}

void assign(const Call& call, const Session& session, const Task& task, std::uint64_t given,
            Decision& decision) {
    const Lease lease = lease_for(call, session, task, given);
    decision.events.push_back(system_event(task.key, TaskAssigned{lease}));
    decision.notices.emplace_back(
        LeaseClockSet{lease.token.number, LeaseClock{call.now() + lease.term, false, session.id,
                                                     ends_by(task, call.now(), call.now())}});
    decision.notices.emplace_back(CreditUsed{session.id, lease.token.number});
    decision.effects.emplace_back(
        Push{session.id, Assignment{task.key, spec_seq(task), lease, session.heard, task.submitter,
                                    task.submitted_at, task.checkpoints, closed_questions(task),
                                    task.feedback, time_for_attempt(task, call.now())}});
}

/// Walks a role's idle sessions round and round, one task each, while they have credit.
class IdleWalk {
  public:
    IdleWalk(const Call& call, const RoleKey& role, Used& used) : call_(call), used_(used) {
        auto idle = call.state.now.idle.find(role);
        if (idle != call.state.now.idle.end()) idle_ = &idle->second;
        if (idle_ != nullptr) at_ = idle_->begin();
    }

    /// The next session with credit left; null when none has.
    const Session* next() {
        if (idle_ == nullptr || idle_->empty()) return nullptr;
        for (std::size_t seen = 0; seen <= idle_->size(); ++seen, ++at_) {
            if (at_ == idle_->end()) at_ = idle_->begin();
            const Session& session = call_.state.now.sessions.at(at_->second);
            auto used = used_.find(session.id);
            if ((used == used_.end() ? 0 : used->second) >= session.free) continue;
            ++used_[session.id];
            ++at_;
            return &session;
        }
        return nullptr;
    }

  private:
    const Call& call_;
    Used& used_;
    const std::set<std::pair<std::uint64_t, SessionId>>* idle_ = nullptr;
    std::set<std::pair<std::uint64_t, SessionId>>::const_iterator at_;
};

}  // namespace

Decision decide_match(const Call& call) {
    Decision decision;
    Used used;
    std::uint64_t given = 0;
    for (const RoleKey& role : call.state.now.to_match) {
        auto tasks = call.state.index.roles.find(role);
        IdleWalk idle(call, role, used);
        if (tasks != call.state.index.roles.end()) {
            for (const ReadyKey& ready : tasks->second.ready) {
                if (given == limits::kTickItems) return decision;
                const Task& task = *find_task(call.state, ready.task);
                if (is_too_late(task, call.now())) continue;
                // Only a state of the past, restored between two events of one decision, has one.
                if (keep_budget(call, task, task.state, task.spent, decision)) continue;
                const Session* session = idle.next();
                if (session == nullptr) break;
                assign(call, *session, task, given, decision);
                ++given;
            }
        }
        decision.notices.emplace_back(RoleMatched{role});
    }
    return decision;
}

}  // namespace zq::core
