// Ends spread: with the end of a task, in the same decision, those that wait for it learn of it.
// One that waits in vain ends too, and so on.
#include <map>
#include <set>

#include "common/base/mutant.h"
#include "coordinator/core/decide_parts.h"
#include "coordinator/core/dependencies.h"
#include "coordinator/core/outcome.h"

namespace zq::core {
namespace {

/// A decision that has grown so long ends no further tasks: the next ticks do.
constexpr std::size_t kLongDecision = 20'000;

/// The state that an event ends its task in; nullopt if it goes on.
std::optional<TaskState> end_by(const EventBody& body) {
    if (const auto* e = std::get_if<AttemptEnded>(&body)) {
        return is_final(e->next.state) ? std::optional(e->next.state) : std::nullopt;
    }
    if (const auto* e = std::get_if<UpstreamEnded>(&body)) {
        return is_final(e->state) ? std::optional(e->state) : std::nullopt;
    }
    if (const auto* e = std::get_if<BudgetReached>(&body)) {
        return e->question ? std::nullopt : std::optional(TaskState::kDead);
    }
    if (const auto* e = std::get_if<QuestionClosed>(&body)) {
        if (e->dead_reason != DeadReason::kNone) return TaskState::kDead;
        return is_final(e->next) ? std::optional(e->next) : std::nullopt;
    }
    if (const auto* e = std::get_if<TaskExpired>(&body)) return e->state;
    if (std::holds_alternative<TaskCancelled>(body)) return TaskState::kCancelled;
    return std::nullopt;
}

/// What follows for the task when its wait has come to that.
void resolve(const Call& call, const Task& task, WaitOutcome outcome, bool may_end,
             UpstreamEnded& event) {
    if (outcome == WaitOutcome::kMet) {
        const bool later = task.due_at > call.now();
        event.state = later ? TaskState::kScheduled : TaskState::kQueued;
        event.due_at = later ? task.due_at : Instant{};
        event.rank = rank_of(task, std::max(task.due_at, call.now()), call.policy);
        if (task.ttl.count > 0) event.expires_at = std::max(task.due_at, call.now()) + task.ttl;
    } else if (outcome == WaitOutcome::kUnmet && may_end) {
        const bool dead = task.after.on_unmet == OnUnmet::kDead;
        event.state = dead ? TaskState::kDead : TaskState::kSkipped;
    }
}

class Spread {
  public:
    Spread(const Call& call, Decision& decision) : call_(call), decision_(decision) {}

    void run() {
        // What ends or starts by itself in this decision waits no longer.
        for (const Event& event : decision_.events) {
            const bool resolved = std::holds_alternative<UpstreamEnded>(event.body);
            if (resolved || end_by(event.body)) resolved_.insert(event.task);
        }
        for (std::size_t i = 0; i < decision_.events.size(); ++i) {
            const auto end = end_by(decision_.events[i].body);
            if (!end) continue;
            const TaskKey key = decision_.events[i].task;
            auto waiting = call_.state.index.dependants.find(key);
            if (waiting == call_.state.index.dependants.end()) continue;
            const EventBody& body = decision_.events[i].body;
            const bool by_worker = std::holds_alternative<AttemptEnded>(body) ||
                                   std::holds_alternative<QuestionClosed>(body);
            const bool well = went_well(*end, by_worker ? 1 : 0);
            for (const auto& [seq, dependant] : waiting->second) tell(dependant, key.id, well);
        }
    }

  private:
    void tell(const TaskKey& key, const TaskId& ended, bool well) {
        if (resolved_.contains(key) || mutant(Mutant::kDependantForgotten)) return;
        const Task& task = *find_task(call_.state, key);
        std::string& upstream = upstream_.try_emplace(key, task.upstream).first->second;
        upstream.at(place_of(task.after, ended)) = well ? kUpstreamWell : kUpstreamWrong;
        UpstreamEnded event{ended, well, TaskState::kBlocked, 0, {}, {}};
        const bool may_end = decision_.events.size() < kLongDecision;
        resolve(call_, task, outcome_of(task.after, upstream), may_end, event);
        if (event.state != TaskState::kBlocked) resolved_.insert(key);
        decision_.events.push_back(system_event(key, std::move(event)));
    }

    const Call& call_;
    Decision& decision_;
    std::map<TaskKey, std::string> upstream_;  // as the decision so far leaves it
    std::set<TaskKey> resolved_;
};

}  // namespace

void spread_ends(const Call& call, Decision& decision) {
    if (call.state.index.dependants.empty()) return;
    Spread(call, decision).run();
}

void resolve_blocked(const Call& call, const Task& task, Decision& decision) {
    UpstreamEnded event{{}, false, TaskState::kBlocked, 0, {}, {}};
    resolve(call, task, outcome_of(task.after, task.upstream), true, event);
    if (event.state == TaskState::kBlocked) return;
    decision.events.push_back(system_event(task.key, std::move(event)));
}

std::optional<Error> read_upstream(const Call& call, const After& after, const Earlier& earlier,
                                   std::string& upstream) {
    for (const TaskId& id : after.tasks) {
        if (earlier.tasks.contains(id)) {
            upstream += kUpstreamWaits;
            continue;
        }
        const Task* task = find_task(call.state, call.key(id));
        if (task != nullptr && !is_final(task->state)) {
            upstream += kUpstreamWaits;
            continue;
        }
        std::optional<bool> well;
        if (task != nullptr) {
            well = went_well(task->state, task->attempts);
        } else if (!call.state.index.removed.contains(call.key(id))) {
            auto fact = call.command.facts.upstream.find(id);
            if (fact != call.command.facts.upstream.end()) well = fact->second;
        }
        if (!well) {
            return Error{ErrorCode::NOT_FOUND,
                         "no task " + id.text + ": a task waits for those that are there before it",
                         "task.after.tasks",
                         {}};
        }
        upstream += *well ? kUpstreamWell : kUpstreamWrong;
    }
    return std::nullopt;
}

}  // namespace zq::core
