// Work that has ended: done again (a dead letter's replay, the retry of anything else), repaired,
// or removed by hand. A task that is done again keeps its id, its history and its artifacts; its
// next attempt has the next number.
#include <algorithm>

#include "coordinator/core/approval.h"
#include "coordinator/core/outcome.h"
#include "coordinator/core/remembered_requests.h"

namespace zq::core {
namespace {

constexpr std::size_t kErasedAtOnce = 1'000;  // bodies and contents of one event

bool is_dead_letter(const Task& task) {
    return task.state == TaskState::kDead || task.state == TaskState::kExpired;
}

enum class Which : std::uint8_t { kEnded, kDeadLetters };

/// Why nothing can be done to this task; nullopt if it can.
std::optional<Error> obstacle(const Call& call, const TaskId& id, Which which) {
    const Task* task = look_up(call, id);
    const std::string name = "task " + id.text;
    if (task == nullptr) return Error{ErrorCode::NOT_FOUND, "no " + name, "task_id", {}};
    const std::string is = " is " + std::string(to_string(task->state));
    if (!is_final(task->state)) {
        return Error{ErrorCode::CONFLICT, name + " has not ended: it" + is, "task_id", {}};
    }
    if (which == Which::kDeadLetters && !is_dead_letter(*task)) {
        return Error{ErrorCode::CONFLICT,
                     name + is + ", and not in the dead-letter queue: `zq retry` runs it again",
                     "task_id",
                     {}};
    }
    // What retention has just decided is not in the facts yet.
    if (call.state.index.artifacts_removed.contains(task->key)) {
        return Error{ErrorCode::BUSY, "retention is at work on " + name, "task_id", millis(100)};
    }
    return std::nullopt;
}

/// Why its unique key cannot be taken again; nullopt if it can.
std::optional<Error> key_taken(const Call& call, const TaskId& id) {
    const Task* holder = find_by_unique_key(call, look_up(call, id)->unique_key);
    if (holder == nullptr) return std::nullopt;
    return Error{ErrorCode::CONFLICT,
                 "task " + holder->key.id.text + " has the unique key of task " + id.text +
                     ", and is " + std::string(to_string(holder->state)),
                 "task_id",
                 {}};
}

/// The answer to a request that was carried out before; nullopt if this one was not.
std::optional<Decision> answered_before(const Call& call, const TaskId& id) {
    const RequestRecord* record = find_record(call);
    if (record == nullptr) return std::nullopt;
    if (record->task != call.key(id)) {
        return reject(call, ErrorCode::CONFLICT,
                      "this request changed task " + record->task.id.text, "id");
    }
    Decision decision;
    answer(decision, call, ChangedAnswer{id});
    return decision;
}

/// The events, the memory of the request, and the answer.
Decision carry_out(const Call& call, const TaskKey& key, std::vector<EventBody> bodies) {
    if (auto full = request_bound(call)) {
        return reject(call, full->code, full->message, {}, full->retry_after);
    }
    Decision decision;
    for (EventBody& body : bodies) {
        decision.events.push_back(event_of(call, key, std::move(body)));
    }
    // Without a client instance a request id says nothing: such a request is not remembered.
    if (!call.command.client.empty()) {
        decision.events.push_back(
            event_of(call, key, RequestRecorded{call.command.client, call.command.request, {}}));
    }
    answer(decision, call, ChangedAnswer{key.id});
    return decision;
}

Error is_input(const TaskId& task) {
    return {ErrorCode::CONFLICT,
            "open tasks wait, or have waited, for task " + task.text + ": it is their input",
            "task_id",
            {}};
}

TaskRemoved removal(const Call& call, const Task& task, const std::string& reason) {
    const EndedTask& held = call.command.facts.held;
    return {task.submitted_seq, held_contents(held), held.log_bytes + held.artifact_bytes, reason,
            RetentionRule::kByHand};
}

/// Why there is nothing to erase of a task that is not there; nullopt if there is something.
std::optional<Error> nothing_left(const Call& call, const TaskKey& key) {
    if (call.command.facts.known) return std::nullopt;
    return Error{ErrorCode::NOT_FOUND,
                 "no task " + key.id.text + ", and no event of one in the journal",
                 "task_id",
                 {}};
}

/// Events that are not stored yet are not among the facts.
std::optional<Error> not_stored_yet(const Call& call, const TaskKey& key) {
    const auto& index = call.state.index;
    const auto attempt = index.attempts.lower_bound({key, 0});
    const bool has_attempt = attempt != index.attempts.end() && attempt->first.first == key;
    if (!index.ended.contains(key) && !index.removed.contains(key) && !has_attempt) {
        return std::nullopt;
    }
    return Error{ErrorCode::BUSY, "the last word of task " + key.id.text + " is stored just now",
                 "task_id", millis(100)};
}

/// At least one event, each of a size that the journal takes lightly.
std::vector<TextsErased> erasing_parts(const Facts& facts, const std::string& reason) {
    std::vector<TextsErased> parts(1);
    for (const ErasedBody& body : facts.bodies) {
        if (parts.back().bodies.size() == kErasedAtOnce) parts.emplace_back();
        parts.back().bodies.push_back(body);
    }
    for (const Digest& digest : facts.contents) {
        if (parts.back().contents.size() == kErasedAtOnce) parts.emplace_back();
        parts.back().contents.push_back(digest);
    }
    for (TextsErased& part : parts) part.reason = reason;
    return parts;
}

/// The record with the envelope of the facts, where that is to become another.
Task with_changes(const Call& call, Task task) {
    const Facts& facts = call.command.facts;
    if (facts.changed.empty()) return task;
    task.role = facts.spec->role;
    task.type = facts.spec->type;
    task.priority = facts.spec->priority;
    task.max_attempts = facts.spec->max_attempts;
    task.run_timeout = facts.spec->run_timeout;
    task.limit_key = facts.spec->limit_key;
    task.needs = facts.spec->needs;
    std::sort(task.needs.begin(), task.needs.end());
    task.needs.erase(std::unique(task.needs.begin(), task.needs.end()), task.needs.end());
    task.bytes = size_of(*facts.spec);
    return task;
}

Revision revision(const Call& call, const Task& task, const std::string& reason) {
    const Facts& facts = call.command.facts;
    Revision revision;
    revision.before = task;
    revision.after = with_changes(call, task);
    revision.attempts = facts.attempts;
    if (!facts.changed.empty()) revision.spec = facts.spec;
    revision.changed = facts.changed;
    revision.reason = reason;
    return revision;
}

/// Gives the contents that are released.
std::vector<Digest> forget_checkpoints(const Call& call, Task& task) {
    std::vector<Digest> released;
    if (!call.command.facts.checkpoints_gone) {
        for (const CheckpointRef& kept : task.checkpoints) released.push_back(kept.ref.digest);
    }
    task.checkpoints.clear();
    return released;
}

TaskReplayed replayed(const Call& call, const Task& ended, const ReplayTask& replay) {
    const Facts& facts = call.command.facts;
    TaskReplayed event{revision(call, ended, replay.reason), replay.fresh, {}};
    Task& task = event.revision.edit().after;
    task.state = TaskState::kQueued;
    task.dead_reason = DeadReason::kNone;
    task.ended_at = {};
    task.due_at = {};
    task.expires_at = {};
    // Its ttl counts until its first attempt.
    const Millis ttl = facts.spec ? facts.spec->ttl : Millis{};
    if (task.attempts == 0 && ttl.count > 0) task.expires_at = call.now() + ttl;
    const Millis deadline = facts.spec ? facts.spec->deadline : Millis{};
    task.deadline_at = deadline.count > 0 ? call.now() + deadline : Instant{};
    task.failures = 0;
    task.losses = 0;
    task.deferrals = 0;
    task.waits = 0;
    task.budget_from = task.spent;
    task.summary.clear();
    task.reason = replay.reason;
    if (replay.fresh) task.feedback = {};
    const bool forgets = replay.fresh && !replay.keep_checkpoints;
    if (forgets || facts.checkpoints_gone) event.released = forget_checkpoints(call, task);
    put_under_rules(task, call.policy);
    task.rank = rank_of(task, call.now(), call.policy);
    return event;
}

}  // namespace

Decision decide_replay(const Call& call, const ReplayTask& replay) {
    if (auto before = answered_before(call, replay.task)) return std::move(*before);
    const Which which = replay.dead_only ? Which::kDeadLetters : Which::kEnded;
    auto error = obstacle(call, replay.task, which);
    if (!error) error = call.command.facts.payload;
    if (!error) error = key_taken(call, replay.task);
    if (!error) {
        const Task& task = with_changes(call, *look_up(call, replay.task));
        error = no_room(call, {task.role, task.submitter, task.bytes});
    }
    if (error) return reject(call, error->code, error->message, error->field, error->retry_after);
    const Task& task = *look_up(call, replay.task);
    return carry_out(call, task.key, {replayed(call, task, replay)});
}

Decision decide_edit(const Call& call, const EditTask& edit) {
    if (auto before = answered_before(call, edit.task)) return std::move(*before);
    auto error = obstacle(call, edit.task, Which::kDeadLetters);
    if (!error) error = call.command.facts.payload;
    if (!error && call.command.facts.changed.empty()) {
        error =
            Error{ErrorCode::INVALID, "the task's envelope says all that already", "changes", {}};
    }
    if (error) return reject(call, error->code, error->message, error->field, error->retry_after);
    const Task& task = *look_up(call, edit.task);
    return carry_out(call, task.key, {TaskEdited{revision(call, task, edit.reason)}});
}

Decision decide_remove(const Call& call, const RemoveTask& remove) {
    if (auto before = answered_before(call, remove.task)) return std::move(*before);
    if (auto error = obstacle(call, remove.task, Which::kDeadLetters)) {
        return reject(call, error->code, error->message, error->field, error->retry_after);
    }
    if (call.state.index.needed.contains(call.key(remove.task))) {
        const Error error = is_input(remove.task);
        return reject(call, error.code, error.message, error.field);
    }
    const Task& task = *look_up(call, remove.task);
    return carry_out(call, task.key, {removal(call, task, remove.reason)});
}

Decision decide_erase(const Call& call, const EraseTask& erase) {
    if (auto before = answered_before(call, erase.task)) return std::move(*before);
    const TaskKey key = call.key(erase.task);
    const Task* task = look_up(call, erase.task);
    auto error =
        task != nullptr ? obstacle(call, erase.task, Which::kEnded) : nothing_left(call, key);
    if (!error) error = not_stored_yet(call, key);
    if (!error && call.state.index.needed.contains(key)) error = is_input(erase.task);
    if (error) return reject(call, error->code, error->message, error->field, error->retry_after);
    std::vector<EventBody> bodies;
    if (task != nullptr) bodies.emplace_back(removal(call, *task, erase.reason));
    for (TextsErased& part : erasing_parts(call.command.facts, erase.reason)) {
        bodies.emplace_back(std::move(part));
    }
    return carry_out(call, key, std::move(bodies));
}

}  // namespace zq::core
