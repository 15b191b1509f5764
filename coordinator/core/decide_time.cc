// What time does: scheduled and waiting tasks become ready, queued ones expire, leases end; and
// what a start and a stall mean for the clocks.
#include <set>

#include "common/base/mutant.h"
#include "coordinator/core/decide_parts.h"
#include "coordinator/core/outcome.h"

namespace zq::core {
namespace {

void fire_timers(const Call& call, Decision& decision) {
    std::set<TaskKey> done;
    for (const Timer& timer : call.state.index.timers) {
        if (timer.due > call.now() || decision.events.size() >= limits::kTickItems) return;
        // A task whose two timers are due together gets one event: it expires.
        if (!done.insert(timer.task).second) continue;
        const Task& task = *find_task(call.state, timer.task);
        if (const Question* open = open_question(task)) {
            const bool parked = task.state == TaskState::kInputRequired;
            const std::int64_t rank = parked ? rank_of(task, timer.due, call.policy) : 0;
            QuestionClosed closed;
            closed.question = open->id;
            closed.state = QuestionState::kNoAnswer;
            closed.rank = rank;
            close_question(call, task, kSystemIdentity, std::move(closed), decision);
        } else if (has_expired(task, call.now())) {
            decision.events.push_back(system_event(task.key, TaskExpired{}));
        } else {
            decision.events.push_back(
                system_event(task.key, TaskReady{rank_of(task, timer.due, call.policy)}));
        }
    }
}

/// A lease past its deadline is suspect; it ends after one more heartbeat interval.
void end_leases(const Call& call, Decision& decision) {
    for (const auto& [deadline, number] : call.state.now.deadlines) {
        if (deadline + call.policy.heartbeat > call.now()) return;
        if (decision.events.size() >= limits::kTickItems) return;
        const Task* task = find_holder(call.state, {call.state.durable.journal, number});
        if (task == nullptr) continue;
        const bool confirmed = call.state.now.clocks.at(number).confirmed;
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
    end_leases(call, decision);
    close_silent(call, decision);
    return decision;
}

Decision decide_epoch(const Call& call, const StartEpoch& start) {
    Decision decision;
    Event event = event_of(call, EpochStarted{start.journal, start.program});
    event.epoch = start.epoch;
    decision.events.push_back(std::move(event));
    return decision;
}

Decision decide_begin(const Call& call) {
    Decision decision;
    for (const auto& [number, key] : call.state.index.leases) {
        const Task& task = *find_task(call.state, key);
        // A holder by hand has no session to confirm with: what it claimed, it has.
        const bool shortened = mutant(Mutant::kRestoredLeaseShort);
        const Millis term = shortened ? Millis{} : task.lease->term + call.policy.heartbeat;
        const LeaseClock clock{call.now() + term, task.lease->holder.by_hand, 0};
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
