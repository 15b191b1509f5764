// Keeps the indexes in step with the open tasks: what a task's record says decides where it stands.
// Used by apply and recovery alone.
#pragma once

#include "coordinator/core/state.h"

namespace zq::core {

/// Enters one of the open tasks wherever its state puts it (queue, timers, leases). `key` is its
/// own.
void index_task(State& state, const Task& task, const SharedKey& key);
/// The exact reverse, with the record as it was indexed.
void unindex_task(State& state, const Task& task, const SharedKey& key);

/// What lasts from submit to end: idempotency key, unique key, group, submitter, bytes.
void index_open(State& state, const Task& task);
void unindex_open(State& state, const Task& task);

/// One that the blocked task waits for has ended. In place: a task may wait for thousands.
void note_upstream(State& state, Task& task, const TaskId& ended, bool well);

/// One that ran no longer does: others of its role and its limit key may start.
void note_freed(State& state, const Task& task);
/// Has the role looked at, where it has ready tasks and free slots.
void want_match(State& state, const RoleKey& role);
/// The same for every role with ready tasks of that limit key.
void want_match_of_key(State& state, const Namespace& ns, const std::string& limit_key);

/// Enters a control that says nothing but that its key is held; the reverse.
void index_control(State& state, const ControlKey& key, const Control& control);
void unindex_control(State& state, const ControlKey& key, const Control& control);

/// Forgets the clock of a lease that has ended.
void drop_clock(State& state, std::uint64_t token);

}  // namespace zq::core
