#include "coordinator/store/task_filter.h"

#include <algorithm>

namespace zq::store {
namespace {

/// When it ended, or while it is open was submitted.
Instant moment_of(const core::Task& task) {
    return task.ended_at.is_set() ? task.ended_at : task.submitted_at;
}

bool meets_times(const TaskFilter& filter, const core::Task& task) {
    const Instant moment = moment_of(task);
    return (!filter.ended_since.is_set() || task.ended_at >= filter.ended_since) &&
           (!filter.ended_before.is_set() ||
            (task.ended_at.is_set() && task.ended_at < filter.ended_before)) &&
           (!filter.since.is_set() || moment >= filter.since) &&
           (!filter.until.is_set() || moment < filter.until);
}

bool meets_labels(const TaskFilter& filter, const core::Task& task) {
    return std::all_of(filter.labels.begin(), filter.labels.end(), [&](const auto& wanted) {
        const auto label = task.labels.find(wanted.first);
        return label != task.labels.end() && label->second == wanted.second;
    });
}

bool meets_rest(const TaskFilter& filter, const core::Task& task) {
    return (filter.type.empty() || task.type == filter.type) &&
           (filter.trace_id.empty() || task.trace_id == filter.trace_id) &&
           (filter.worker.empty() || task.worker.text == filter.worker) &&
           (filter.dead_reason == DeadReason::kNone || task.dead_reason == filter.dead_reason) &&
           meets_labels(filter, task) && meets_times(filter, task) &&
           (!filter.allowed || filter.allowed(task));
}

bool is_narrow(const TaskFilter& filter) {
    return !filter.type.empty() || !filter.trace_id.empty() || !filter.worker.empty() ||
           !filter.labels.empty() || filter.dead_reason != DeadReason::kNone ||
           filter.ended_since.is_set() || filter.ended_before.is_set() || filter.since.is_set() ||
           filter.until.is_set() || filter.allowed;
}

}  // namespace

bool leads_to(const TaskFilter& filter, const core::Task& task) {
    const auto& states = filter.states;
    return task.key.ns == filter.ns &&
           (states.empty() ||
            std::find(states.begin(), states.end(), task.state) != states.end()) &&
           (filter.role.empty() || task.role == filter.role) &&
           (filter.group.empty() || task.group == filter.group) &&
           (filter.from.empty() || task.from == filter.from) &&
           (filter.before == 0 || task.submitted_seq < filter.before);
}

bool matches(const TaskFilter& filter, const core::Task& task) {
    return leads_to(filter, task) && meets_rest(filter, task);
}

std::size_t most_looked(const TaskFilter& filter) {
    return is_narrow(filter) ? limits::kListLooked : filter.limit;
}

Result<TaskPage> look_through(const TaskFilter& filter, const std::vector<Seq>& places,
                              const std::function<Result<std::optional<core::Task>>(Seq)>& fetch) {
    TaskPage page;
    const std::size_t most = most_looked(filter);
    std::size_t looked = 0;
    for (; looked < places.size() && looked < most; ++looked) {
        if (page.tasks.size() == filter.limit) break;
        auto task = fetch(places[looked]);
        if (!task) return Failure(task.error());
        page.looked = places[looked];
        if (*task && meets_rest(filter, **task)) page.tasks.push_back(std::move(**task));
    }
    page.more = looked < places.size();
    return page;
}

}  // namespace zq::store
