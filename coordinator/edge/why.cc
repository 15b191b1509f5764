#include "coordinator/edge/why.h"

#include <iterator>
#include <set>

#include "common/platform/clock.h"
#include "coordinator/core/dependencies.h"
#include "coordinator/core/gates.h"
#include "coordinator/core/turns.h"

namespace zq::edge {
namespace {

constexpr std::size_t kNamed = 5;        // of the tasks that one waits for
constexpr std::size_t kCounted = 1'000;  // of those before it in the queue

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

/// The workers of a task's role, and those of them that have what it needs and are not resting.
struct Served {
    std::uint64_t workers = 0;
    std::uint64_t fit = 0;
    std::uint64_t awake = 0;
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
            if (!has_labels(session.labels, task.needs)) continue;
            ++served.fit;
            if (core::is_resting(state, session)) continue;
            ++served.awake;
            served.slots += session.slots;
            served.free += session.free;
        }
    }
    return served;
}

/// How many of its role leave before it, as things are.
std::string before(const Moment& moment, const core::Task& task) {
    core::Turns turns(moment.state, moment.policy, {task.key.ns, task.role});
    std::uint64_t ahead = 0;
    std::set<core::Submitter> others;
    while (const core::Task* next = turns.task()) {
        if (next->key == task.key) break;
        if (core::submitter_of(*next) != core::submitter_of(task)) {
            others.insert(core::submitter_of(*next));
        }
        if (++ahead == kCounted) return "at least " + std::to_string(kCounted) + " tasks before it";
        turns.take({moment.now, ahead});
    }
    if (ahead == 0) return "first in its queue";
    std::string text = plural(ahead, "task") + " before it (priority " +
                       std::to_string(task.priority) + "; " + to_string(moment.policy.age_step) +
                       " of waiting weigh as much as one step";
    if (!others.empty()) text += "; in turns with " + plural(others.size(), "other submitter");
    return text + ")";
}

std::string names_of(const std::vector<std::string>& needs) {
    std::string text;
    for (const std::string& label : needs) text += (text.empty() ? "" : ", ") + label;
    return text;
}

wire::Why held(const core::Hold& hold) {
    switch (hold.kind) {
        case core::HoldKind::kPaused:
            return because("paused", core::hold_text(hold));
        case core::HoldKind::kConcurrency:
            return because("concurrency", core::hold_text(hold));
        case core::HoldKind::kRate:
            return because("rate", core::hold_text(hold), hold.until);
        case core::HoldKind::kRateLimited:
            return because("rate_limited", core::hold_text(hold), hold.until);
    }
    return because("matching", core::hold_text(hold));
}

wire::Why without_worker(const core::State& state, const core::Task& task) {
    const RoleKey role{task.key.ns, task.role};
    if (!state.durable.roles_served.contains(role)) {
        return because("no_worker",
                       "no worker has ever served " + task.role.text + ": is the name right?");
    }
    std::string text = "no connected worker serves " + task.role.text;
    if (auto seen = state.now.seen.find(role); seen != state.now.seen.end()) {
        text += " (last heard at " + to_rfc3339(seen->second.at) + ": " + seen->second.worker.text +
                ")";
    }
    return because("no_worker", text);
}

wire::Why queued(const Moment& moment, const core::Task& task) {
    const core::State& state = moment.state;
    if (core::is_over_budget(task)) return because("budget", "its budget is used up");
    core::Gates gates(state, moment.policy, moment.now);
    auto hold = gates.of_role({task.key.ns, task.role});
    if (!hold) hold = gates.of_limit_key(task.key.ns, task.limit_key);
    if (hold) return held(*hold);
    const Served served = served_by(state, task);
    const std::string role = task.role.text;
    if (served.workers == 0) return without_worker(state, task);
    if (served.fit == 0) {
        return because("labels", "none of the " + plural(served.workers, "worker") + " of " + role +
                                     " has the labels it needs: " + names_of(task.needs));
    }
    if (served.awake == 0) {
        return because("workers_paused", "all " + plural(served.fit, "worker") + " of " + role +
                                             " that could take it are paused or drain");
    }
    if (served.free == 0) {
        return because("busy", "all " + plural(served.slots, "slot") + " of " +
                                   plural(served.awake, "worker") + " of " + role + " are taken; " +
                                   before(moment, task));
    }
    return because("matching",
                   "a free slot of " + role + " is about to get it; " + before(moment, task));
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

wire::Why why_of(const Moment& moment, const core::Task& task) {
    switch (task.state) {
        case TaskState::kScheduled:
            return because("schedule", "it may not start before " + to_rfc3339(task.due_at),
                           task.due_at);
        case TaskState::kBlocked:
            return blocked(task);
        case TaskState::kInputRequired:
        case TaskState::kInReview:
            return asks(task);
        case TaskState::kRetryWait:
            return waits_for_retry(task);
        case TaskState::kQueued:
            return queued(moment, task);
        case TaskState::kRunning:
            return running(moment.state, task);
        case TaskState::kCancelling:
            return because("cancelling", "a cancel was asked; " + task.worker.text +
                                             " has not reported its end yet");
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
