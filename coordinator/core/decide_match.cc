// Who gets what: the ready task whose turn it is goes to the session with credit that was used
// longest ago, of those that have what it needs. One rule, for submits, returned credit and retries
// alike.
#include <map>

#include "common/base/mutant.h"
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

void assign(const Call& call, const Session& session, const Task& task, const Lease& lease,
            Decision& decision) {
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

    /// The next session with credit left that has what is needed; null when none has.
    const Session* next(const std::vector<std::string>& needs) {
        if (idle_ == nullptr || idle_->empty()) return nullptr;
        for (std::size_t seen = 0; seen <= idle_->size(); ++seen, ++at_) {
            if (at_ == idle_->end()) at_ = idle_->begin();
            const Session& session = call_.state.now.sessions.at(at_->second);
            auto used = used_.find(session.id);
            if ((used == used_.end() ? 0 : used->second) >= session.free) continue;
            if (!has_labels(session.labels, needs) && !mutant(Mutant::kNeedsIgnored)) continue;
            if (is_resting(call_.state, session)) continue;
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

/// One decision over all roles that have something to match.
class Matching {
  public:
    explicit Matching(const Call& call)
        : call_(call), gates_(call.state, call.policy, call.now()) {}

    /// Gives what it can of a role; false when it has given enough for one decision.
    bool match(const RoleKey& role) {
        std::optional<Instant> wake;
        auto hold = gates_.of_role(role);
        if (!hold) {
            if (!give_in_turns(role, hold, wake)) return false;
        }
        if (hold) note_wake(*hold, wake);
        decision_.notices.emplace_back(RoleMatched{role});
        if (wake) decision_.notices.emplace_back(RoleWaits{role, *wake});
        return true;
    }

    Decision finish() { return std::move(decision_); }

  private:
    static void note_wake(const Hold& hold, std::optional<Instant>& wake) {
        if (hold.until.is_set()) wake = std::min(wake.value_or(hold.until), hold.until);
    }

    /// `hold`: what stopped all of the role in the end; `wake`: when something that was held may
    /// start.
    bool give_in_turns(const RoleKey& role, std::optional<Hold>& hold,
                       std::optional<Instant>& wake) {
        Turns turns(call_.state, call_.policy, role);
        IdleWalk idle(call_, role, used_);
        std::set<std::vector<std::string>> unmet;  // needs that no free worker meets
        while (const Task* task = turns.task()) {
            if (given_ == limits::kTickItems) return false;
            // A state of the past, restored between two events of one decision, may have tasks
            // whose budget is used up.
            if (is_too_late(*task, call_.now()) ||
                keep_budget(call_, *task, task->state, task->spent, decision_)) {
                turns.skip_task();
                continue;
            }
            if (const auto held = gates_.of_limit_key(role.ns, task->limit_key)) {
                note_wake(*held, wake);
                turns.skip_lane();
                continue;
            }
            const Session* session = unmet.contains(task->needs) ? nullptr : idle.next(task->needs);
            if (session == nullptr) {
                if (task->needs.empty()) return true;
                unmet.insert(task->needs);
                turns.skip_lane();
                continue;
            }
            give(*session, *task, turns);
            if (hold = gates_.of_role(role); hold) return true;
        }
        return true;
    }

    void give(const Session& session, const Task& task, Turns& turns) {
        const Lease lease = lease_for(call_, session, task, given_);
        assign(call_, session, task, lease, decision_);
        note_start(call_, task, lease, gates_, decision_);
        turns.take({call_.now(), lease.token.number});
        ++given_;
    }

    const Call& call_;
    Gates gates_;
    Decision decision_;
    Used used_;
    std::uint64_t given_ = 0;
};

}  // namespace

void note_start(const Call& call, const Task& task, const Lease& lease, Gates& gates,
                Decision& decision) {
    gates.note_start(task, decision);
    decision.notices.emplace_back(
        TurnTaken{{task.key.ns, task.role}, submitter_of(task), {call.now(), lease.token.number}});
}

Decision decide_match(const Call& call) {
    Matching matching(call);
    for (const RoleKey& role : call.state.now.to_match) {
        if (!matching.match(role)) break;
    }
    return matching.finish();
}

}  // namespace zq::core
