#include "coordinator/core/open_tasks.h"

#include "common/base/check.h"

namespace zq::core {

OpenTasks::OpenTasks(const OpenTasks& other)
    : records_(other.records_), in_memory_(other.in_memory_) {
    for (const auto& [key, place] : other.places_) {
        if (place.awake) {
            insert(place.awake->task);
        } else {
            places_.try_emplace(key).first->second.submitted_seq = place.submitted_seq;
        }
    }
}

bool operator==(const OpenTasks& a, const OpenTasks& b) {
    if (a.size() != b.size()) return false;
    bool same = true;
    for (const auto& [key, place] : a.places_) {
        const auto at = b.places_.find(key);
        if (at == b.places_.end()) return false;
        a.look_at(key, place, [&, &other = at->second, &name = key](const Task& task) {
            b.look_at(name, other, [&](const Task& like) { same = same && task == like; });
        });
    }
    return same;
}

Task& OpenTasks::wake(const SharedKey& key, const Place& place) const {
    if (place.awake) {
        awake_.splice(awake_.end(), awake_, place.awake->place);
        return place.awake->task;
    }
    place.awake = std::make_unique<Awake>();
    place.awake->task = records_->load(key.key(), place.submitted_seq);
    ZQ_CHECK(key == place.awake->task.key);
    place.awake->place = awake_.insert(awake_.end(), key);
    return place.awake->task;
}

const Task* OpenTasks::find(const TaskKey& key) const {
    const auto at = places_.find(key);
    return at == places_.end() ? nullptr : &wake(at->first, at->second);
}

const Task* OpenTasks::find(const SharedKey& key) const {
    const auto at = places_.find(key);
    return at == places_.end() ? nullptr : &wake(at->first, at->second);
}

const Task& OpenTasks::at(const TaskKey& key) const {
    const Task* task = find(key);
    ZQ_CHECK(task != nullptr);
    return *task;
}

SharedKey OpenTasks::shared_key(const TaskKey& key) const {
    const auto at = places_.find(key);
    ZQ_CHECK(at != places_.end());
    return at->first;
}

Task& OpenTasks::change(const TaskKey& key) {
    const auto at = places_.find(key);
    ZQ_CHECK(at != places_.end());
    return wake(at->first, at->second);
}

const Task& OpenTasks::insert(Task task) {
    auto [at, added] = places_.try_emplace(SharedKey(task.key));
    ZQ_CHECK(added);
    at->second.submitted_seq = task.submitted_seq;
    at->second.awake = std::make_unique<Awake>();
    at->second.awake->task = std::move(task);
    at->second.awake->place = awake_.insert(awake_.end(), at->first);
    return at->second.awake->task;
}

Task OpenTasks::take(const TaskKey& key) {
    const auto at = places_.find(key);
    ZQ_CHECK(at != places_.end());
    Task task = std::move(wake(at->first, at->second));
    awake_.erase(at->second.awake->place);
    places_.erase(at);
    return task;
}

void OpenTasks::rest_in(std::shared_ptr<TaskRecords> records, std::size_t in_memory) {
    records_ = std::move(records);
    in_memory_ = in_memory;
}

void OpenTasks::rest(Seq projected) {
    while (records_ && awake_.size() > in_memory_) {
        const auto at = places_.find(awake_.front());
        if (at->second.awake->task.changed_seq > projected) return;
        awake_.pop_front();
        at->second.awake.reset();
    }
}

}  // namespace zq::core
