// Records: the JSON objects that the formats of output.h show, made from the coordinator's rows,
// and the columns people see of each. The one place that names JSON shapes (`"schema":
// "zq/task/v1"`).
#pragma once

#include <span>
#include <string>

#include "cli/output.h"
#include "common/wire/codec.h"

namespace zq::cli {

/// A task, with top-level `id` and `state`.
Json task_record(const wire::TaskRow& row);
/// The same with envelope, attempts, artifacts and timeline.
Json whole_task_record(const wire::TaskReply& task, const std::vector<wire::EventRow>& events);
Json event_record(const wire::EventRow& row);
Json worker_record(const wire::WorkerRow& row);
Json lease_record(const wire::LeaseRow& row);
Json role_record(const wire::RoleRow& row);
/// The same with what was said of it.
Json role_record(const wire::RoleRow& row, const wire::ControlRow& said);
/// A limit key; `now` is the coordinator's time.
Json limit_record(const wire::ControlRow& row, Instant now);
/// `active`, `paused` or `draining`.
std::string_view state_of(const wire::WorkerRow& row);
/// One artifact of an attempt (0: an input) with its stable name in `ref`.
Json artifact_record(const TaskId& task, std::uint32_t attempt, const ArtifactRef& artifact);
Json checkpoint_record(const TaskId& task, const CheckpointRef& checkpoint);
Json question_record(const TaskId& task, const Question& question);
Json question_row_record(const wire::QuestionRow& row);
Json attempt_record(const TaskId& task, const wire::AttemptRow& attempt);
Json envelope_record(const TaskSpec& spec);

/// How a task that has ended has ended, as other queues say it: `success`, `skipped`, `failure`.
std::string_view status_of(TaskState state);
/// From the start of its last attempt, or from its submit where it never started, to its end.
Millis duration_of(const wire::TaskRow& row);

/// An object that starts with its schema and the fields of `fields`.
Json with_schema(std::string_view schema, const Json& fields);

std::span<const Column> task_columns();         // of `ls`
std::span<const Column> ended_columns();        // of a task that has ended: `wait`, `results`
std::span<const Column> task_status_columns();  // of one task: `status ID`
std::span<const Column> dead_columns();         // of `dlq`
std::span<const Column> event_columns();
std::span<const Column> worker_columns();
std::span<const Column> lease_columns();
std::span<const Column> role_columns();             // of `status`
std::span<const Column> controlled_role_columns();  // of `role`
std::span<const Column> limit_columns();
std::span<const Column> control_columns();  // of a role or a limit key of which something was said
std::span<const Column> artifact_columns();
std::span<const Column> verified_columns();  // of artifacts that were read again

/// `zq://TASK/ATTEMPT/NAME`.
std::string artifact_ref(const TaskId& task, std::uint32_t attempt, const std::string& name);

/// The artifact that is the attempt's result: named `result` or `result.*`; null where there is
/// none.
const ArtifactRef* result_artifact(const wire::AttemptRow& attempt);
/// The attempt that counts: of a completed task the last completed one, else the last; null where
/// there is none.
const wire::AttemptRow* deciding_attempt(const wire::TaskReply& task);

}  // namespace zq::cli
