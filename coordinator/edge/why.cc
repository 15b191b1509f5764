#include "coordinator/edge/why.h"

#include <iterator>

#include "common/platform/clock.h"
#include "coordinator/core/dependencies.h"

namespace zq::edge {
namespace {

constexpr std::size_t kNamed = 5;         // of the tasks that one waits for
constexpr std::size_t kCounted = 10'000;  // of those before it in the queue

wire::Why because(std::string rule, std::string text, Instant until = {}) {
    return {std::move(rule), std::move(text), until};
}

std::string plural(std::uint64_t count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// Those that have not ended, by name as far as there is room.
wire::Why blocked(const core::Task& task) {
    std::string names;
    std::size_t waits = 0;
    for (std::size_t i = 0; i < task.after.tasks.size(); ++i) {
        if (task.upstream.at(i) != core::kUpstreamWaits) continue;
        if (++waits <= kNamed) names += (names.empty() ? "" : ", ") + task.after.tasks[i].text;
    }
    if (waits > kNamed) names += " and " + std::to_string(waits - kNamed) + " more";
    return because("dependency", "waits for " + plural(waits, "task") + " of " +
                                     std::to_string(task.after.tasks.size()) + " (" +
                                     std::string(to_string(task.after.mode)) + "): " + names);
}

wire::Why asks(const core::Task& task) {
    const Question* open = core::open_question(task);
    if (open == nullptr) return because("question", "a person is to answer");
    return because(std::string(to_string(open->kind)),
                   "asked a person at " + to_rfc3339(open->asked_at) + ": " + open->text,
                   open->until);
}

wire::Why waits_for_retry(const core::Task& task) {
    const std::string last = task.reason.empty() ? std::string() : ", after: " + task.reason;
    return because("backoff",
                   "attempt " + std::to_string(task.attempts + 1) + " begins at " +
                       to_rfc3339(task.due_at) + " (" + plural(task.failures, "failure") + " of " +
                       std::to_string(task.max_attempts) + ")" + last,
                   task.due_at);
}

struct Served {
    std::uint64_t workers = 0;
    std::uint64_t slots = 0;
    std::uint64_t free = 0;
};

Served served_by(const core::State& state, const core::Task& task) {
    Served served;
    for (const auto& [id, session] : state.now.sessions) {
        if (session.ns != task.key.ns) continue;
        for (const RoleName& role : session.roles) {
            if (role != task.role) continue;
            ++served.workers;
            served.slots += session.slots;
            served.free += session.free;
        }
    }
    return served;
}

/// How many of its role leave before it.
std::string before(const core::State& state, const core::Task& task) {
    auto role = state.index.roles.find({task.key.ns, task.role});
    if (role == state.index.roles.end()) return {};
    std::size_t ahead = 0;
    for (const core::ReadyKey& ready : role->second.ready) {
        if (ready.task == task.key) break;
        if (++ahead == kCounted) return "at least " + std::to_string(kCounted) + " tasks before it";
    }
    if (ahead == 0) return "first in its queue";
    return plural(ahead, "task") + " before it (priority " + std::to_string(task.priority) +
           "; five minutes of waiting weigh as much as one step)";
}

wire::Why queued(const core::State& state, const core::Task& task) {
    if (core::is_over_budget(task)) return because("budget", "its budget is used up");
    const Served served = served_by(state, task);
    const std::string role = task.role.text;
    if (served.workers == 0) {
        const bool known = state.durable.roles_served.contains({task.key.ns, task.role});
        return because("no_worker",
                       known ? "no connected worker serves " + role
                             : "no worker has ever served " + role + ": is the name right?",
                       {});
    }
    if (served.free == 0) {
        return because("busy", "all " + plural(served.slots, "slot") + " of " +
                                   plural(served.workers, "worker") + " of " + role +
                                   " are taken; " + before(state, task));
    }
    return because("matching",
                   "a free slot of " + role + " is about to get it; " + before(state, task));
}

wire::Why running(const core::State& state, const core::Task& task) {
    std::string text = "attempt " + std::to_string(task.attempts) + " runs at " + task.worker.text +
                       " since " + to_rfc3339(task.started_at);
    auto clock = state.now.clocks.find(task.lease->token.number);
    if (clock != state.now.clocks.end()) {
        text += clock->second.session != 0 || task.lease->holder.by_hand
                    ? "; its lease ends at " + to_rfc3339(clock->second.deadline) +
                          " unless it is renewed"
                    : "; its worker is not connected: the lease ends at " +
                          to_rfc3339(clock->second.deadline);
    }
    return because("running", text, core::attempt_ends_at(task, task.lease->since));
}

wire::Why ended(const core::Task& task) {
    std::string text = "it has ended at " + to_rfc3339(task.ended_at);
    if (task.dead_reason != DeadReason::kNone) {
        text += " (" + std::string(to_string(task.dead_reason)) + ")";
    }
    return because("ended", text + (task.reason.empty() ? "" : ": " + task.reason));
}

}  // namespace

wire::Why why_of(const core::State& state, const core::Task& task) {
    switch (task.state) {
        case TaskState::kScheduled:
            return because("schedule", "it may not start before " + to_rfc3339(task.due_at),
                           task.due_at);
        case TaskState::kBlocked:
            return blocked(task);
        case TaskState::kInputRequired:
            return asks(task);
        case TaskState::kRetryWait:
            return waits_for_retry(task);
        case TaskState::kQueued:
            return queued(state, task);
        case TaskState::kRunning:
            return running(state, task);
        case TaskState::kCancelling:
            return because("cancelling", "a cancel was asked; " + task.worker.text +
                                             " has not reported its end yet");
        case TaskState::kInReview:
        case TaskState::kCompleted:
        case TaskState::kSkipped:
        case TaskState::kCancelled:
        case TaskState::kExpired:
        case TaskState::kDead:
            break;
    }
    return ended(task);
}

}  // namespace zq::edge
