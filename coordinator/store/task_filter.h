// Conditions of a task listing, the same for every body of the journal. Some lead by an index of a
// body; the others are looked at task by task, in bounded pages.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "coordinator/core/task.h"

namespace zq::store {

/// Conditions of a task listing; empty ones hold for all. Newest (by submitted_seq) first.
struct TaskFilter {
    Namespace ns = kDefaultNamespace;
    std::vector<TaskState> states;
    RoleName role;
    GroupName group;
    std::string from;
    Seq before = 0;           // submitted_seq below this; 0: from the newest
    std::size_t limit = 100;  // tasks that are given at most

    // What no index leads to.
    std::string type;
    std::string trace_id;
    std::string worker;
    std::map<std::string, std::string> labels;
    DeadReason dead_reason = DeadReason::kNone;  // kNone: any
    Instant ended_since;                         // ended then or later; 0: whenever
    Instant ended_before;                        // ended before; 0: whenever
    Instant since;  // ended, or while it is open submitted, then or later; 0: whenever
    Instant until;  // likewise, before
    std::function<bool(const core::Task&)> allowed;  // what may be shown; null: everything
};

/// One page of a listing.
struct TaskPage {
    std::vector<core::Task> tasks;
    Seq looked = 0;     // submitted_seq of the last task that was looked at; 0: none was
    bool more = false;  // there may be further ones
    friend bool operator==(const TaskPage&, const TaskPage&) = default;
};

/// True where the task meets what indexes lead to: namespace, states, role, group, sender, place.
bool leads_to(const TaskFilter& filter, const core::Task& task);
/// True where it meets every condition.
bool matches(const TaskFilter& filter, const core::Task& task);

/// How many tasks that indexes lead to one page looks at: `limit`, where nothing else is asked.
std::size_t most_looked(const TaskFilter& filter);

/// A page from the places that indexes lead to, newest first, one more than `most_looked` where
/// there are so many. `fetch` gives the record at a place, or nullopt. Errors: those of `fetch`.
Result<TaskPage> look_through(const TaskFilter& filter, const std::vector<Seq>& places,
                              const std::function<Result<std::optional<core::Task>>(Seq)>& fetch);

}  // namespace zq::store
