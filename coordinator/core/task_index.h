// Keeps the indexes in step with the open tasks: what a task's record says decides where it stands.
// Used by apply and recovery alone.
#pragma once

#include "coordinator/core/state.h"

namespace zq::core {

/// Enters an open task wherever its state puts it (queue, timers, leases).
void index_task(State& state, const Task& task);
/// The exact reverse, with the record as it was indexed.
void unindex_task(State& state, const Task& task);

/// What lasts from submit to end: idempotency key, unique key, group.
void index_open(State& state, const Task& task);
void unindex_open(State& state, const Task& task);

/// One that the blocked task waits for has ended. In place: a task may wait for thousands.
void note_upstream(State& state, Task& task, const TaskId& ended, bool well);

/// Forgets the clock of a lease that has ended.
void drop_clock(State& state, std::uint64_t token);

}  // namespace zq::core
