#include "coordinator/core/ready_queue.h"

#include "common/base/check.h"

namespace zq::core {

Submitter submitter_of(const Task& task) {
    return {task.submitter, task.from};
}

void Share::insert(const Task& task, SharedKey shared_key) {
    Lane lane{task.limit_key, task.needs};
    LaneTasks& of_lane = lanes_[lane];
    ReadySet& tasks = of_lane.tasks;
    ReadyKey key{task.rank, task.submitted_seq, std::move(shared_key)};
    if (tasks.empty() || key < *tasks.begin()) {
        if (!tasks.empty()) heads_.erase({*tasks.begin(), lane});
        heads_.emplace(key, std::move(lane));
    }
    tasks.insert(tasks.end(), std::move(key));  // most come in order
    ++of_lane.priorities.at(static_cast<std::size_t>(task.priority));
    ++priorities_.at(static_cast<std::size_t>(task.priority));
}

void Share::erase(const Task& task, SharedKey shared_key) {
    const Lane lane{task.limit_key, task.needs};
    auto at = lanes_.find(lane);
    ZQ_CHECK(at != lanes_.end());
    ReadySet& tasks = at->second.tasks;
    --at->second.priorities.at(static_cast<std::size_t>(task.priority));
    auto place = tasks.find({task.rank, task.submitted_seq, std::move(shared_key)});
    ZQ_CHECK(place != tasks.end());
    const bool was_first = place == tasks.begin();
    if (was_first) heads_.erase({*place, lane});
    tasks.erase(place);
    if (tasks.empty()) {
        lanes_.erase(at);
    } else if (was_first) {
        heads_.emplace(*tasks.begin(), lane);
    }
    --priorities_.at(static_cast<std::size_t>(task.priority));
}

bool ReadyQueue::insert(const Task& task, SharedKey key) {
    Share& share = shares_[submitter_of(task)];
    const bool first = share.heads().empty();
    share.insert(task, std::move(key));
    ++size_;
    return first;
}

bool ReadyQueue::erase(const Task& task, SharedKey key) {
    auto at = shares_.find(submitter_of(task));
    ZQ_CHECK(at != shares_.end());
    at->second.erase(task, std::move(key));
    --size_;
    if (!at->second.heads().empty()) return false;
    shares_.erase(at);
    return true;
}

}  // namespace zq::core
