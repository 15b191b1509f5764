// The part of apply about what has ended: tasks that are done again, repaired or removed, and those
// that waited for one which has ended.
#include "coordinator/core/apply_parts.h"

namespace zq::core {
namespace {

/// The record that a revision leads to.
Task revised(const Event& event, const Revision& revision) {
    ZQ_CHECK(is_final(revision.before.state) && revision.after.key == event.task);
    Task task = revision.after;
    task.changed_seq = event.seq;
    if (revision.spec) task.edited_seq = event.seq;
    return task;
}

}  // namespace

void apply_body(State& state, const Event& event, const TaskRemoved&) {
    ZQ_CHECK(!state.durable.open.contains(event.task));
    state.index.ended.erase(event.task);
    state.index.changed_tasks.erase(SharedKey(event.task));
    const auto is_its = [&](const auto& key) { return key.first == event.task; };
    std::erase_if(state.index.changed_attempts, is_its);
    std::erase_if(state.index.attempts, [&](const auto& entry) { return is_its(entry.first); });
    state.index.removed[event.task] = event.seq;
}

void apply_body(State& state, const Event& event, const UpstreamEnded& body) {
    if (!body.upstream.empty()) {
        Task& task = state.durable.open.change(event.task);
        note_upstream(state, task, body.upstream, body.well);
        task.changed_seq = event.seq;
        state.index.changed_tasks.insert(state.durable.open.shared_key(event.task));
    }
    if (body.state == TaskState::kBlocked) return;
    change_task(state, event, [&](Task& task) {
        task.state = body.state;
        task.rank = body.rank;
        task.due_at = body.due_at;
        task.expires_at = body.expires_at;
        task.upstream.clear();
        task.ttl = {};
        if (!is_final(body.state)) return;
        if (body.state == TaskState::kDead) task.dead_reason = DeadReason::kDependencyFailed;
        task.reason = body.upstream.empty()
                          ? std::string("what it waited for did not go well")
                          : "it waited for " + body.upstream.text + ", which did not go well";
    });
}

void apply_body(State& state, const Event& event, const TaskReplayed& body) {
    Task task = revised(event, *body.revision);
    ZQ_CHECK(!is_final(task.state));
    state.index.ended.erase(event.task);
    const Task& kept = state.durable.open.insert(std::move(task));
    const SharedKey key = state.durable.open.shared_key(event.task);
    index_task(state, kept, key);
    index_open(state, kept);
    state.index.changed_tasks.insert(key);
    // What it refers to now is wanted anew.
    for (const CheckpointRef& checkpoint : kept.checkpoints) {
        note_used(state, checkpoint.ref.digest, event.seq);
    }
}

void apply_body(State& state, const Event& event, const TaskEdited& body) {
    Task task = revised(event, *body.revision);
    ZQ_CHECK(is_final(task.state) && !state.durable.open.contains(event.task));
    state.index.changed_tasks.insert(SharedKey(event.task));
    state.index.ended.insert_or_assign(event.task, std::move(task));
}

}  // namespace zq::core
