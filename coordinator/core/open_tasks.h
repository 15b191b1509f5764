// The open tasks by their keys. A million of them may wait, and few are looked at: of the others
// the key stays in memory and the rest in the store, until somebody asks for it. What is asked for,
// is lent until the next `rest`.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "coordinator/core/shared_key.h"
#include "coordinator/core/task.h"

namespace zq::core {

/// Where the records of open tasks lie as they were projected last.
class TaskRecords {
  public:
    virtual ~TaskRecords() = default;
    /// The record of a task that was open when it was projected last. There is no way on without
    /// it: one that can't be read ends the process.
    virtual Task load(const TaskKey& key, Seq submitted_seq) = 0;
};

class OpenTasks {
  public:
    OpenTasks() = default;
    OpenTasks(OpenTasks&&) noexcept = default;
    OpenTasks& operator=(OpenTasks&&) noexcept = default;
    OpenTasks(const OpenTasks& other);
    OpenTasks& operator=(const OpenTasks& other) { return *this = OpenTasks(other); }
    ~OpenTasks() = default;

    std::size_t size() const { return places_.size(); }
    bool empty() const { return places_.empty(); }
    bool contains(const TaskKey& key) const { return places_.contains(key); }
    /// Null: there is none.
    const Task* find(const TaskKey& key) const;
    const Task* find(const SharedKey& key) const;
    /// Must be there.
    const Task& at(const TaskKey& key) const;
    SharedKey shared_key(const TaskKey& key) const;
    /// Calls use(const Task&) for each, in the order of keys; it is lent for the call alone.
    template <class Use>
    void for_each(Use use) const;

    /// Must be there.
    Task& change(const TaskKey& key);
    /// Must not be there.
    const Task& insert(Task task);
    /// Must be there.
    Task take(const TaskKey& key);

    /// From now on `rest` leaves as many in memory, and the others to `records`.
    void rest_in(std::shared_ptr<TaskRecords> records, std::size_t in_memory);
    /// Those that were asked for longest ago may leave memory, where their records as of event
    /// `projected` are what they are now.
    void rest(Seq projected);

    /// The same tasks, wherever their records are.
    friend bool operator==(const OpenTasks& a, const OpenTasks& b);

  private:
    struct Awake {
        Task task;
        std::list<SharedKey>::iterator place;  // in awake_
    };
    struct Place {
        Seq submitted_seq = 0;
        mutable std::unique_ptr<Awake> awake;  // null: its record is in the store alone
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
    using Places = absl::flat_hash_map<SharedKey, Place, Hash, Equal>;

    Task& wake(const SharedKey& key, const Place& place) const;
    /// Calls use(const Task&) with a record that stays where it is.
    template <class Use>
    void look_at(const SharedKey& key, const Place& place, Use use) const;

    Places places_;
    mutable std::list<SharedKey> awake_;  // the one that was asked for last at the end
    std::shared_ptr<TaskRecords> records_;
    std::size_t in_memory_ = 0;
};

template <class Use>
void OpenTasks::look_at(const SharedKey& key, const Place& place, Use use) const {
    if (place.awake) return use(std::as_const(place.awake->task));
    const Task task = records_->load(key.key(), place.submitted_seq);
    use(task);
}

template <class Use>
void OpenTasks::for_each(Use use) const {
    std::vector<const Places::value_type*> ordered;
    ordered.reserve(places_.size());
    for (const Places::value_type& entry : places_) ordered.push_back(&entry);
    std::sort(ordered.begin(), ordered.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
    for (const Places::value_type* entry : ordered) look_at(entry->first, entry->second, use);
}

}  // namespace zq::core
