// The model's half about tasks that wait for others: whoever waits hears of each end once, and what
// follows is what the ends make of its wait.
#include <algorithm>

#include "tests/simulator/model.h"

namespace zq::sim {

bool Model::went_well(const Task& task) {
    return task.state == TaskState::kCompleted ||
           (task.state == TaskState::kSkipped && !task.in_vain);
}

bool Model::is_needed(const TaskId& id) const {
    return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& entry) {
        const Task& task = entry.second;
        const auto& after = task.spec.after.tasks;
        return !is_final(task.state) && std::find(after.begin(), after.end(), id) != after.end();
    });
}

TaskState Model::after_wait(const Task& task, Instant at) const {
    const After& after = task.spec.after;
    std::size_t well = 0;
    for (const auto& [id, went] : task.upstream) well += went ? 1 : 0;
    const std::size_t all = after.tasks.size();
    const std::size_t over = task.upstream.size();
    std::size_t needed = after.count;
    if (after.mode == AfterMode::kAllOk) needed = all;
    if (after.mode == AfterMode::kAnyOk) needed = 1;
    if (after.mode == AfterMode::kAllDone) needed = 0;
    bool goes = well >= needed;
    if (after.mode == AfterMode::kAllDone) goes = over == all;
    const bool hopeless = well + (all - over) < needed;
    if (hopeless && after.on_unmet == OnUnmet::kRun) goes = over == all;
    if (goes) return task.due > at ? TaskState::kScheduled : TaskState::kQueued;
    if (!hopeless || after.on_unmet == OnUnmet::kRun) return TaskState::kBlocked;
    return after.on_unmet == OnUnmet::kDead ? TaskState::kDead : TaskState::kSkipped;
}

void Model::apply(const core::Event& event, const core::UpstreamEnded& body) {
    Task& task = task_of(event);
    expect(task.state == TaskState::kBlocked, "only what waits hears of an end");
    if (!body.upstream.empty()) {
        const Task* upstream = find(body.upstream);
        const auto& all = task.spec.after.tasks;
        expect(std::find(all.begin(), all.end(), body.upstream) != all.end(),
               "it waits for that one");
        expect(upstream != nullptr && is_final(upstream->state), "that one has ended");
        if (upstream == nullptr) return;
        expect(body.well == went_well(*upstream), "how it went is told right");
        expect(task.upstream.emplace(body.upstream, body.well).second, "each end is told once");
    }
    const TaskState state = after_wait(task, event.at);
    expect(body.state == state, "the ends make of its wait what they should");
    if (state == TaskState::kBlocked) return;
    become(task, state);
    task.in_vain = state == TaskState::kSkipped;
    if (state == TaskState::kDead) task.dead_reason = DeadReason::kDependencyFailed;
    if (is_final(state)) {
        task.due = {};
        return;
    }
    if (task.spec.ttl.count > 0) task.expires = std::max(task.due, event.at) + task.spec.ttl;
    expect(body.expires_at == task.expires, "its ttl counts from when it is ready");
    if (state == TaskState::kQueued) task.due = {};
    expect(body.due_at == task.due, "it waits for its own time as well");
}

}  // namespace zq::sim
