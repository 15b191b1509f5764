// A task is cancelled: at once where it waits, through its worker where it runs; and those that
// wait for it, where that is asked.
#include <set>

#include "coordinator/core/decide_parts.h"

namespace zq::core {
namespace {

Decision cancel_one(const Call& call, const CancelTask& cancel) {
    const Task* task = look_up(call, cancel.task);
    if (task == nullptr) {
        return reject(call, ErrorCode::NOT_FOUND, "no task " + cancel.task.text, "task_id");
    }
    Decision decision;
    switch (task->state) {
        case TaskState::kCompleted:
        case TaskState::kSkipped:
        case TaskState::kExpired:
        case TaskState::kDead:
            return reject(
                call, ErrorCode::CONFLICT,
                "task " + cancel.task.text + " has ended: " + std::string(to_string(task->state)),
                "task_id");
        case TaskState::kCancelled:
        case TaskState::kCancelling:
            answer(decision, call, AcceptedAnswer{cancel.task, task->state, task->attempts});
            return decision;
        case TaskState::kRunning: {
            decision.events.push_back(event_of(call, task->key, CancelRequested{cancel.reason}));
            answer(decision, call,
                   AcceptedAnswer{cancel.task, TaskState::kCancelling, task->attempts});
            auto clock = call.state.now.clocks.find(task->lease->token.number);
            if (clock != call.state.now.clocks.end() && clock->second.session != 0) {
                decision.effects.emplace_back(
                    Push{clock->second.session, LeaseWord{task->lease->token, Verdict::kCancel}});
            }
            return decision;
        }
        case TaskState::kScheduled:
        case TaskState::kBlocked:
        case TaskState::kInputRequired:
        case TaskState::kQueued:
        case TaskState::kRetryWait:
        case TaskState::kInReview:
            decision.events.push_back(event_of(call, task->key, TaskCancelled{cancel.reason}));
            answer(decision, call,
                   AcceptedAnswer{cancel.task, TaskState::kCancelled, task->attempts});
            return decision;
    }
    return decision;
}

/// Those that wait for the task, and for them, and so on; nullopt if there are too many.
std::optional<std::vector<TaskKey>> waiting_in_vain(const Call& call, const TaskKey& root) {
    std::vector<TaskKey> found;
    std::set<TaskKey> seen = {root};
    std::vector<TaskKey> next = {root};
    while (!next.empty()) {
        const TaskKey key = next.back();
        next.pop_back();
        auto waiting = call.state.index.dependants.find(key);
        if (waiting == call.state.index.dependants.end()) continue;
        for (const auto& [seq, dependant] : waiting->second) {
            if (!seen.insert(dependant).second) continue;
            if (found.size() == limits::kAfter) return std::nullopt;
            found.push_back(dependant);
            next.push_back(dependant);
        }
    }
    return found;
}

}  // namespace

Decision decide_cancel(const Call& call, const CancelTask& cancel) {
    Decision decision = cancel_one(call, cancel);
    if (!cancel.cascade || decision.effects.empty()) return decision;
    const auto& first = std::get<Answer>(decision.effects.front());
    if (std::holds_alternative<Rejected>(first.body)) return decision;
    const auto dependants = waiting_in_vain(call, call.key(cancel.task));
    if (!dependants) {
        return reject(call, ErrorCode::TOO_LARGE,
                      "more than " + std::to_string(limits::kAfter) +
                          " tasks wait for it: cancel "
                          "those first, by their group",
                      "cascade");
    }
    for (const TaskKey& key : *dependants) {
        decision.events.push_back(event_of(call, key, TaskCancelled{cancel.reason}));
    }
    return decision;
}

}  // namespace zq::core
