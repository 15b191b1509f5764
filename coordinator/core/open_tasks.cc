#include "coordinator/core/open_tasks.h"

#include "common/base/check.h"

namespace zq::core {

OpenTasks::OpenTasks(const OpenTasks& other)
    : keys_(other.keys_), records_(other.records_), in_memory_(other.in_memory_) {
    for (const SharedKey& key : other.by_use_) keep(key, other.awake_.at(key).task);
}

bool operator==(const OpenTasks& a, const OpenTasks& b) {
    if (a.size() != b.size()) return false;
    bool same = true;
    a.for_each([&](const Task& task) {
        if (!same) return;
        const auto at = b.awake_.find(task.key);
        if (at != b.awake_.end()) {
            same = *at->second.task == task;
        } else {
            same = b.contains(task.key) && b.records_->load(task.key) == task;
        }
    });
    return same;
}

OpenTasks::Awake& OpenTasks::keep(const SharedKey& key, Shared<Task> task) const {
    auto [at, added] = awake_.try_emplace(key);
    ZQ_CHECK(added);
    at->second.task = std::move(task);
    at->second.place = by_use_.insert(by_use_.end(), key);
    return at->second;
}

template <class Key>
OpenTasks::Awake* OpenTasks::awake(const Key& key) const {
    if (const auto at = awake_.find(key); at != awake_.end()) {
        by_use_.splice(by_use_.end(), by_use_, at->second.place);
        return &at->second;
    }
    const auto known = keys_.find(key);
    if (known == keys_.end()) return nullptr;
    Awake& loaded = keep(*known, records_->load(known->key()));
    ZQ_CHECK(*known == loaded.task->key);
    return &loaded;
}

template <class Key>
const Task* OpenTasks::wake(const Key& key) const {
    const Awake* found = awake(key);
    return found == nullptr ? nullptr : &*found->task;
}

const Task* OpenTasks::find(const TaskKey& key) const {
    return wake(key);
}

const Task* OpenTasks::find(const SharedKey& key) const {
    return wake(key);
}

const Task& OpenTasks::at(const TaskKey& key) const {
    const Task* task = wake(key);
    ZQ_CHECK(task != nullptr);
    return *task;
}

SharedKey OpenTasks::shared_key(const TaskKey& key) const {
    if (const auto at = awake_.find(key); at != awake_.end()) return at->first;
    const auto known = keys_.find(key);
    ZQ_CHECK(known != keys_.end());
    return *known;
}

Shared<Task> OpenTasks::record(const SharedKey& key) const {
    const Awake* found = awake(key);
    ZQ_CHECK(found != nullptr);
    return found->task;
}

Task& OpenTasks::change(const TaskKey& key) {
    Awake* found = awake(key);
    ZQ_CHECK(found != nullptr);
    return found->task.edit();
}

const Task& OpenTasks::insert(Task task) {
    const auto [at, added] = keys_.emplace(task.key);
    ZQ_CHECK(added);
    return *keep(*at, std::move(task)).task;
}

SharedKey OpenTasks::restore(const Task& task) {
    SharedKey key(task.key);
    const bool added = keys_.insert(key).second;
    ZQ_CHECK(added);
    if (!records_ || awake_.size() < in_memory_) keep(key, task);
    return key;
}

Shared<Task> OpenTasks::take(const TaskKey& key) {
    Awake* found = awake(key);
    ZQ_CHECK(found != nullptr);
    Shared<Task> task = std::move(found->task);
    by_use_.erase(found->place);
    awake_.erase(key);
    keys_.erase(key);
    return task;
}

void OpenTasks::rest_in(std::shared_ptr<TaskRecords> records, std::size_t in_memory) {
    records_ = std::move(records);
    in_memory_ = in_memory;
}

void OpenTasks::rest(Seq projected) {
    while (records_ && awake_.size() > in_memory_) {
        const auto at = awake_.find(by_use_.front());
        if (at->second.task->changed_seq > projected) return;
        by_use_.pop_front();
        awake_.erase(at);
    }
}

}  // namespace zq::core
