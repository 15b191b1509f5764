// What the parts of apply share. Internal to core/apply*.cc.
#pragma once

#include <utility>

#include "common/base/check.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/task_index.h"

namespace zq::core {

/// Changes an open task under its indexes; ends it where the change made it final.
template <class Change>
void change_task(State& state, const Event& event, Change change) {
    Task& task = state.durable.open.change(event.task);
    const SharedKey key = state.durable.open.shared_key(event.task);
    const TaskState before = task.state;
    const bool was_leased = task.lease.has_value();
    unindex_task(state, task, key);
    change(task);
    if (was_leased && !task.lease) note_freed(state, task);
    ZQ_CHECK(task.state == before || moves::is_legal(before, task.state));
    task.changed_seq = event.seq;
    state.index.changed_tasks.insert(key);
    if (!is_final(task.state)) {
        index_task(state, task, key);
        return;
    }
    task.ended_at = event.at;
    task.lost_lease.reset();
    task.lost_lease_charged = false;
    unindex_open(state, task);
    state.now.progress.erase(event.task);
    state.index.ended.insert_or_assign(event.task, state.durable.open.take(event.task));
}

/// A content that is stored or referred to now is none that may be condemned before it is
/// committed.
inline void note_used(State& state, const Digest& digest, Seq seq) {
    state.index.used[digest] = seq;
    state.index.condemned.erase(digest);
}

void apply_body(State& state, const Event& event, const TaskRemoved& body);
void apply_body(State& state, const Event& event, const TaskReplayed& body);
void apply_body(State& state, const Event& event, const TaskEdited& body);
void apply_body(State& state, const Event& event, const UpstreamEnded& body);
void apply_body(State& state, const Event& event, const ControlChanged& body);
void apply_body(State& state, const Event& event, const AccessChanged& body);
void apply_policy(State& state, const PolicyNoted& notice);

}  // namespace zq::core
