// What time does: scheduled and waiting tasks become ready, queued ones expire, leases end; and
// what a start and a stall mean for the clocks.
#include <set>

#include "common/base/mutant.h"
#include "coordinator/core/approval.h"
#include "coordinator/core/outcome.h"

namespace zq::core {
namespace {

void close_unanswered(const Call& call, const Task& task, Instant due, Decision& decision) {
    const bool parked = task.state == TaskState::kInputRequired;
    QuestionClosed closed;
    closed.question = open_question(task)->id;
    closed.state = QuestionState::kNoAnswer;
    closed.rank = parked ? rank_of(task, due, call.policy) : 0;
    if (open_question(task)->kind == QuestionKind::kApproval) close_approval(task, closed);
    close_question(call, task, kSystemIdentity, std::move(closed), decision);
}

/// The time of the running attempt has been over for a while, and its holder has not ended it.
void end_overdue(const Call& call, const Task& task, Decision& decision) {
    const LeaseToken token = task.lease->token;
    const bool missed = has_missed_deadline(task, call.now());
    Attempt attempt =
        silent_end(call, task, Outcome::kFailed,
                   std::string(missed ? "the task's deadline passed" : "its run timeout passed") +
                       ", and its worker did not end it");
    Next next;
    if (task.state == TaskState::kCancelling) {
        attempt.outcome = Outcome::kCancelled;
        next = ended_as(task, TaskState::kCancelled);
    } else {
        attempt.failure = FailureClass::kTimedOut;
        next = after_failure(task, {FailureClass::kTimedOut, std::nullopt, {}}, call.now(),
                             call.command.seed, call.policy);
        if (next.state == TaskState::kInputRequired) {
            hold_task(call, task, *task.lease, "was ended: " + attempt.reason, decision);
        }
    }
    push_end(call, task, kSystemIdentity, std::move(attempt), next, decision);
    auto clock = call.state.now.clocks.find(token.number);
    if (clock == call.state.now.clocks.end() || clock->second.session == 0) return;
    decision.effects.emplace_back(Push{clock->second.session, LeaseWord{token, Verdict::kStale}});
}

/// A waiting task that is too late gets one event, whatever else of it is due.
void fire_timer(const Call& call, const Timer& timer, const Task& task, Decision& decision) {
    const bool reviewed = task.state == TaskState::kInReview;
    if (!task.lease && !reviewed && has_missed_deadline(task, call.now())) {
        const bool started = task.attempts > 0;
        const TaskExpired late{started ? TaskState::kDead : TaskState::kExpired, true};
        decision.events.push_back(system_event(task.key, late));
    } else if (has_expired(task, call.now())) {
        decision.events.push_back(system_event(task.key, TaskExpired{}));
    } else if (timer.kind == TimerKind::kNoAnswer) {
        close_unanswered(call, task, timer.due, decision);
    } else if (timer.kind == TimerKind::kResolve) {
        resolve_blocked(call, task, decision);
    } else if (timer.kind == TimerKind::kReady) {
        decision.events.push_back(
            system_event(task.key, TaskReady{rank_of(task, timer.due, call.policy)}));
    }
}

void fire_timers(const Call& call, Decision& decision) {
    std::set<TaskKey> done;
    for (const Timer& timer : call.state.index.timers) {
        if (timer.due > call.now() || decision.events.size() >= limits::kTickItems) return;
        // What else of a task is due comes with the next tick, if it is still there.
        if (!done.insert(timer.task).second) continue;
        fire_timer(call, timer, *find_task(call.state, timer.task), decision);
    }
}

/// Ready tasks that a rate or a held limit key kept back may start.
void wake_roles(const Call& call, Decision& decision) {
    for (const auto& [due, role] : call.state.now.wakes) {
        if (due > call.now() || decision.notices.size() >= limits::kTickItems) return;
        decision.notices.emplace_back(RoleWoken{role});
    }
}

void end_attempts(const Call& call, Decision& decision) {
    for (const auto& [due, number] : call.state.now.overdue) {
        if (due > call.now() || decision.events.size() >= limits::kTickItems) return;
        const Task* task = find_holder(call.state, {call.state.durable.journal, number});
        if (task != nullptr) end_overdue(call, *task, decision);
    }
}

/// A lease past its deadline is suspect; it ends after one more heartbeat interval.
void end_leases(const Call& call, Decision& decision) {
    for (const auto& [deadline, number] : call.state.now.deadlines) {
        if (deadline + call.policy.heartbeat > call.now()) return;
        if (decision.events.size() >= limits::kTickItems) return;
        const Task* task = find_holder(call.state, {call.state.durable.journal, number});
        if (task == nullptr) continue;
        const LeaseClock& clock = call.state.now.clocks.at(number);
        // Its attempt ends for its time, in this tick or the next: not for its silence as well.
        if (clock.ends_by.is_set() && clock.ends_by <= call.now()) continue;
        const bool confirmed = clock.confirmed;
        const Outcome outcome = confirmed ? Outcome::kLost : Outcome::kUndelivered;
        end_silently(call, *task, outcome,
                     confirmed ? "the lease was not renewed" : "the assignment was never confirmed",
                     decision);
    }
}

void close_silent(const Call& call, Decision& decision) {
    const Millis patience = call.policy.lease + call.policy.heartbeat;
    for (const auto& [heard_at, session] : call.state.now.by_heard) {
        if (heard_at + patience > call.now()) return;
        if (decision.notices.size() >= limits::kTickItems) return;
        decision.notices.emplace_back(SessionClosed{session});
    }
}

}  // namespace

Decision decide_tick(const Call& call) {
    Decision decision;
    fire_timers(call, decision);
    end_attempts(call, decision);
    end_leases(call, decision);
    close_silent(call, decision);
    wake_roles(call, decision);
    return decision;
}

Decision decide_epoch(const Call& call, const StartEpoch& start) {
    Decision decision;
    Event event = event_of(call, EpochStarted{start.journal, start.program});
    event.epoch = start.epoch;
    decision.events.push_back(std::move(event));
    decision.notices.emplace_back(RatesBegin{call.state.durable.last_at});
    return decision;
}

Decision decide_begin(const Call& call) {
    Decision decision;
    for (const auto& [number, key] : call.state.index.leases) {
        const Task& task = *find_task(call.state, key);
        // A holder by hand has no session to confirm with: what it claimed, it has.
        const bool shortened = mutant(Mutant::kRestoredLeaseShort);
        const Millis term = shortened ? Millis{} : task.lease->term + call.policy.heartbeat;
        // What has ended while nobody listened is still to be told: who holds it is waited for.
        const bool by_hand = task.lease->holder.by_hand;
        const Instant end = by_hand ? ends_by(task, task.lease->since, call.now()) : Instant{};
        const LeaseClock clock{call.now() + term, by_hand, 0, end};
        decision.notices.emplace_back(LeaseClockSet{number, clock});
    }
    return decision;
}

Decision decide_stall(const Call&, const NoteStall& stall) {
    Decision decision;
    if (mutant(Mutant::kStallNotNoted)) return decision;
    decision.notices.emplace_back(DeadlinesMoved{stall.length});
    return decision;
}

}  // namespace zq::core
