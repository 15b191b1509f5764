// The open tasks by their keys. A million of them may wait, and few are looked at: of the others
// the key stays in memory and the rest in the store, until somebody asks for it. What is asked for,
// is lent until the next `rest`.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/shared.h"
#include "coordinator/core/shared_key.h"
#include "coordinator/core/task.h"

namespace zq::core {

/// Where the records of open tasks lie as they were projected last.
class TaskRecords {
  public:
    virtual ~TaskRecords() = default;
    /// The record of a task that was open when it was projected last. There is no way on without
    /// it: one that can't be read ends the process.
    virtual Task load(const TaskKey& key) = 0;
};

class OpenTasks {
  public:
    OpenTasks() = default;
    OpenTasks(OpenTasks&&) noexcept = default;
    OpenTasks& operator=(OpenTasks&&) noexcept = default;
    OpenTasks(const OpenTasks& other);
    OpenTasks& operator=(const OpenTasks& other) { return *this = OpenTasks(other); }
    ~OpenTasks() = default;

    std::size_t size() const { return keys_.size(); }
    bool empty() const { return keys_.empty(); }
    bool contains(const TaskKey& key) const { return keys_.contains(key); }
    /// Null: there is none.
    const Task* find(const TaskKey& key) const;
    const Task* find(const SharedKey& key) const;
    /// Must be there.
    const Task& at(const TaskKey& key) const;
    SharedKey shared_key(const TaskKey& key) const;
    /// The record as it is now; what changes the task later leaves it so. Must be there.
    Shared<Task> record(const SharedKey& key) const;
    /// Calls use(const Task&) for each, in the order of keys; it is lent for the call alone.
    template <class Use>
    void for_each(Use use) const;

    /// Must be there. What was lent of it before may be the record of before.
    Task& change(const TaskKey& key);
    /// Must not be there.
    const Task& insert(Task task);
    /// The same, of a task that stands in the records as it is: it need not be in memory.
    SharedKey restore(const Task& task);
    /// So many are about to be restored.
    void expect(std::size_t more) { keys_.reserve(keys_.size() + more); }
    /// This one soon.
    void expect(const TaskKey& key) const { keys_.prefetch(key); }
    /// Must be there.
    Shared<Task> take(const TaskKey& key);

    /// From now on `rest` leaves as many in memory, and the others to `records`.
    void rest_in(std::shared_ptr<TaskRecords> records, std::size_t in_memory);
    /// Those that were asked for longest ago may leave memory, where their records as of event
    /// `projected` are what they are now.
    void rest(Seq projected);

    /// The same tasks, wherever their records are.
    friend bool operator==(const OpenTasks& a, const OpenTasks& b);

  private:
    struct Awake {
        Shared<Task> task;
        std::list<SharedKey>::iterator place;  // in by_use_
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const SharedKey& key) const { return of(key.ns(), key.id()); }
        std::size_t operator()(const TaskKey& key) const { return of(key.ns.text, key.id.text); }
        static std::size_t of(std::string_view ns, std::string_view id) {
            return absl::HashOf(ns, id);
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const SharedKey& a, const SharedKey& b) const { return a == b; }
        bool operator()(const SharedKey& a, const TaskKey& b) const { return a == b; }
        bool operator()(const TaskKey& a, const SharedKey& b) const { return b == a; }
    };
    using Keys = absl::flat_hash_set<SharedKey, Hash, Equal>;

    /// The one in memory, by either kind of key; null: there is none.
    template <class Key>
    Awake* awake(const Key& key) const;
    template <class Key>
    const Task* wake(const Key& key) const;
    Awake& keep(const SharedKey& key, Shared<Task> task) const;

    Keys keys_;
    // What is in memory; looking at a task brings it here.
    mutable absl::flat_hash_map<SharedKey, Awake, Hash, Equal> awake_;
    mutable std::list<SharedKey> by_use_;  // the one that was asked for last at the end
    std::shared_ptr<TaskRecords> records_;
    std::size_t in_memory_ = 0;
};

template <class Use>
void OpenTasks::for_each(Use use) const {
    std::vector<SharedKey> ordered(keys_.begin(), keys_.end());
    std::sort(ordered.begin(), ordered.end());
    for (const SharedKey& key : ordered) {
        if (const auto at = awake_.find(key); at != awake_.end()) {
            use(*at->second.task);
        } else {
            const Task task = records_->load(key.key());
            use(task);
        }
    }
}

}  // namespace zq::core
