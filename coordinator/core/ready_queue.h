// The ready tasks of one role, by who submitted them and by what may hold them back. It keeps the
// order among like ones; whose turn it is, is decided elsewhere (turns.h).
#pragma once

#include <absl/container/btree_set.h>

#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core/shared_key.h"
#include "coordinator/core/task.h"

namespace zq::core {

/// A place in a role's queue.
struct ReadyKey {
    std::int64_t rank = 0;
    Seq submitted_seq = 0;
    SharedKey task;
    friend auto operator<=>(const ReadyKey&, const ReadyKey&) = default;
};
/// Of lower rank, then submitted earlier.
using ReadySet = absl::btree_set<ReadyKey>;

/// Who shares a role's workers with others: an identity, and the name that it gives itself.
struct Submitter {
    Identity identity;
    std::string from;
    friend auto operator<=>(const Submitter&, const Submitter&) = default;
};
Submitter submitter_of(const Task& task);

/// What may hold ready tasks of one submitter back while others of it may start.
struct Lane {
    std::string limit_key;
    std::vector<std::string> needs;
    friend auto operator<=>(const Lane&, const Lane&) = default;
};

/// How many tasks there are of each priority.
using Priorities = std::array<std::size_t, limits::kPriorityMax + 1>;

/// Ready tasks that the same things may hold back.
struct LaneTasks {
    ReadySet tasks;
    Priorities priorities{};
    friend bool operator==(const LaneTasks&, const LaneTasks&) = default;
};

/// One submitter's ready tasks.
class Share {
  public:
    /// The first task of each lane, in the order in which they are to leave. Never empty.
    const std::set<std::pair<ReadyKey, Lane>>& heads() const { return heads_; }
    /// The tasks of a lane, which must be there, in their order.
    const ReadySet& tasks_of(const Lane& lane) const { return lanes_.at(lane).tasks; }
    const Priorities& priorities_of(const Lane& lane) const { return lanes_.at(lane).priorities; }
    const Priorities& priorities() const { return priorities_; }

    friend bool operator==(const Share&, const Share&) = default;

  private:
    friend class ReadyQueue;
    void insert(const Task& task, SharedKey key);
    void erase(const Task& task, SharedKey key);

    std::map<Lane, LaneTasks> lanes_;
    std::set<std::pair<ReadyKey, Lane>> heads_;
    Priorities priorities_{};
};

class ReadyQueue {
  public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    const std::map<Submitter, Share>& shares() const { return shares_; }

    /// True if its submitter had none. `key` is the task's.
    bool insert(const Task& task, SharedKey key);
    /// The task must be there, as it was inserted. True if its submitter has no other.
    bool erase(const Task& task, SharedKey key);

    friend bool operator==(const ReadyQueue&, const ReadyQueue&) = default;

  private:
    std::map<Submitter, Share> shares_;
    std::size_t size_ = 0;
};

}  // namespace zq::core
