#include "cli/records.h"

#include <array>

#include "cli/removed.h"

namespace zq::cli {
namespace {

constexpr std::string_view kTaskSchema = "zq/task/v1";

constexpr auto kTask = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"type", "TYPE", Cell::kText, Where::kWide},
    {"attempts", "ATTEMPTS", Cell::kText, Where::kWide},
    {"priority", "PRIORITY", Cell::kText, Where::kWide},
    {"from", "FROM", Cell::kText, Where::kWide},
    {"submitter", "SUBMITTER", Cell::kText, Where::kWide},
    {"group", "GROUP", Cell::kText, Where::kWide},
    {"worker", "WORKER", Cell::kText, Where::kWide},
    {"progress_percent", "PROGRESS", Cell::kText, Where::kOnAsking},
    {"progress_step", "STEP", Cell::kText, Where::kOnAsking},
    {"progress_message", "DOING", Cell::kText, Where::kOnAsking},
    {"question", "QUESTION", Cell::kText, Where::kOnAsking},
    {"spent", "SPENT", Cell::kText, Where::kOnAsking},
    {"submitted_at", "SUBMITTED", Cell::kTime},
    {"started_at", "STARTED", Cell::kTime, Where::kWide},
    {"ended_at", "ENDED", Cell::kTime, Where::kWide},
    {"duration_ms", "TOOK", Cell::kDuration, Where::kOnAsking},
    {"reply_to", "REPLY TO", Cell::kText, Where::kOnAsking},
    {"trace_id", "TRACE", Cell::kText, Where::kOnAsking},
    {"due_at", "DUE", Cell::kTime, Where::kOnAsking},
    {"expires_at", "EXPIRES", Cell::kTime, Where::kOnAsking},
    {"deadline_at", "DEADLINE", Cell::kTime, Where::kOnAsking},
    {"failures", "FAILURES", Cell::kText, Where::kOnAsking},
    {"losses", "LOSSES", Cell::kText, Where::kOnAsking},
    {"max_attempts", "MAX", Cell::kText, Where::kOnAsking},
    {"dead_reason", "DEAD", Cell::kText, Where::kOnAsking},
    {"summary", "SUMMARY", Cell::kText, Where::kOnAsking},
    {"reason", "REASON", Cell::kText, Where::kOnAsking},
    {"submitted_seq", "SUBMITTED SEQ", Cell::kText, Where::kOnAsking},
    {"changed_seq", "SEQ", Cell::kText, Where::kOnAsking},
    {"note", "NOTE"},
});

constexpr auto kEnded = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"duration_ms", "TOOK", Cell::kDuration},
    {"to", "ROLE", Cell::kText, Where::kWide},
    {"attempts", "ATTEMPTS", Cell::kText, Where::kWide},
    {"ended_at", "ENDED", Cell::kTime, Where::kWide},
    {"changed_seq", "SEQ", Cell::kText, Where::kWide},
    {"reply_to", "REPLY TO", Cell::kText, Where::kOnAsking},
    {"dead_reason", "DEAD", Cell::kText, Where::kOnAsking},
    {"summary", "SUMMARY", Cell::kText, Where::kOnAsking},
    {"reason", "REASON", Cell::kText, Where::kOnAsking},
    {"note", "NOTE"},
});

constexpr auto kTaskStatus = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"attempts", "ATTEMPTS", Cell::kText, Where::kWide},
    {"worker", "WORKER", Cell::kText, Where::kWide},
    {"progress_percent", "PROGRESS", Cell::kText, Where::kOnAsking},
    {"submitted_at", "SUBMITTED", Cell::kTime, Where::kWide},
    {"ended_at", "ENDED", Cell::kTime, Where::kWide},
    {"result_ref", "RESULT", Cell::kText, Where::kWide},
    {"dead_reason", "DEAD", Cell::kText, Where::kOnAsking},
    {"summary", "SUMMARY", Cell::kText, Where::kOnAsking},
    {"reason", "REASON", Cell::kText, Where::kOnAsking},
    {"note", "NOTE"},
});

constexpr auto kDead = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"dead_reason", "WHY"},
    {"to", "ROLE"},
    {"attempts", "ATTEMPTS"},
    {"losses", "LOSSES", Cell::kText, Where::kWide},
    {"from", "FROM", Cell::kText, Where::kWide},
    {"group", "GROUP", Cell::kText, Where::kWide},
    {"ended_at", "ENDED", Cell::kTime},
    {"reason", "REASON"},
});

constexpr auto kEvent = std::to_array<Column>({
    {"seq", "SEQ"},
    {"at", "AT", Cell::kTime},
    {"kind", "KIND"},
    {"id", "TASK"},
    {"identity", "IDENTITY"},
    {"epoch", "EPOCH", Cell::kText, Where::kWide},
    {"hash", "HASH", Cell::kText, Where::kOnAsking},
    {"body_digest", "BODY", Cell::kText, Where::kOnAsking},
    {"fields", "FIELDS", Cell::kText, Where::kOnAsking},
    {"note", "DETAILS"},
});

constexpr auto kWorker = std::to_array<Column>({
    {"id", "WORKER"},
    {"state", "STATE", Cell::kState},
    {"roles", "ROLES"},
    {"labels", "LABELS"},
    {"slots", "SLOTS"},
    {"free", "FREE"},
    {"running", "RUNNING"},
    {"identity", "IDENTITY", Cell::kText, Where::kWide},
    {"state_id", "STATE ID", Cell::kText, Where::kWide},
    {"incarnation", "INCARNATION", Cell::kText, Where::kWide},
    {"program", "PROGRAM", Cell::kText, Where::kWide},
    {"connected_at", "CONNECTED", Cell::kTime},
    {"heard_at", "HEARD", Cell::kTime},
});

constexpr auto kLease = std::to_array<Column>({
    {"id", "TASK"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"attempt", "ATTEMPT"},
    {"worker", "HOLDER"},
    {"identity", "IDENTITY", Cell::kText, Where::kWide},
    {"by_hand", "BY HAND", Cell::kText, Where::kWide},
    {"confirmed", "CONFIRMED", Cell::kText, Where::kWide},
    {"since", "SINCE", Cell::kTime},
    {"deadline", "DEADLINE", Cell::kTime},
});

constexpr auto kArtifact = std::to_array<Column>({
    {"name", "NAME"},
    {"attempt", "ATTEMPT"},
    {"size", "SIZE", Cell::kSize},
    {"media", "MEDIA"},
    {"digest", "SHA-256"},
    {"id", "REF", Cell::kText, Where::kWide},
    {"uri", "URI", Cell::kText, Where::kWide},
    {"removed_at", "REMOVED", Cell::kTime, Where::kWide},
    {"removed_rule", "RULE", Cell::kText, Where::kWide},
});

constexpr auto kVerified = std::to_array<Column>({
    {"name", "NAME"},
    {"attempt", "ATTEMPT", Cell::kText, Where::kWide},
    {"size", "SIZE", Cell::kSize},
    {"media", "MEDIA", Cell::kText, Where::kWide},
    {"digest", "SHA-256"},
    {"verdict", "VERDICT", Cell::kState},
    {"path", "PATH", Cell::kText, Where::kWide},
    {"id", "REF", Cell::kText, Where::kWide},
    {"uri", "URI", Cell::kText, Where::kWide},
});

/// Copies the fields of `from` that `into` has not got, one of them under another name.
void merge(Json& into, const Json& from, std::string_view name, std::string_view renamed) {
    for (const std::string& key : from.keys()) {
        const std::string target(key == name ? renamed : std::string_view(key));
        if (!into.find(target)) into.set(target, *from.find(key));
    }
}

Json titled(std::string_view schema, const Json& id) {
    Json record = Json::object();
    record.set("schema", Json::text(schema));
    record.set("id", id);
    return record;
}

std::string progress_of(const wire::TaskRow& row) {
    if (row.progress_percent == 0 && row.progress_step.empty() && row.progress_message.empty()) {
        return {};
    }
    std::string text = std::to_string(row.progress_percent) + "%";
    for (const std::string* part : {&row.progress_step, &row.progress_message}) {
        if (!part->empty()) text += " " + *part;
    }
    return text;
}

/// What a person wants to know beside the state, in one line.
std::string note_of(const wire::TaskRow& row) {
    switch (row.state) {
        case TaskState::kCompleted:
            return row.summary;
        case TaskState::kDead:
            return std::string(to_string(row.dead_reason)) +
                   (row.reason.empty() ? "" : ": " + row.reason);
        case TaskState::kScheduled:
            return row.due_at.is_set() ? "not before " + to_rfc3339(row.due_at) : "";
        case TaskState::kRetryWait:
            return row.reason +
                   (row.due_at.is_set() ? "; next attempt " + to_rfc3339(row.due_at) : "");
        case TaskState::kInputRequired:
        case TaskState::kInReview:
        case TaskState::kRunning:
            if (!row.question.empty()) return "asks: " + row.question;
            return (row.worker.empty() ? "" : "at " + row.worker.text + " ") + progress_of(row);
        case TaskState::kSkipped:
            return row.summary.empty() ? row.reason : row.summary;
        case TaskState::kBlocked:
        case TaskState::kQueued:
        case TaskState::kCancelling:
        case TaskState::kCancelled:
        case TaskState::kExpired:
            return row.reason;
    }
    return {};
}

}  // namespace

Json with_schema(std::string_view schema, const Json& fields) {
    Json record = Json::object();
    record.set("schema", Json::text(schema));
    merge(record, fields, "", "");
    return record;
}

Json task_record(const wire::TaskRow& row) {
    Json record = titled(kTaskSchema, to_json(row.id));
    record.set("state", to_json(row.state));
    merge(record, to_json(row), "task_id", "id");
    if (row.ended_at.is_set()) record.set("duration_ms", to_json(duration_of(row)));
    if (is_final(row.state)) record.set("status", Json::text(status_of(row.state)));
    if (auto note = note_of(row); !note.empty()) record.set("note", Json::text(note));
    return record;
}

std::string_view status_of(TaskState state) {
    if (state == TaskState::kCompleted) return "success";
    return state == TaskState::kSkipped ? "skipped" : "failure";
}

Millis duration_of(const wire::TaskRow& row) {
    const Instant start = row.started_at.is_set() ? row.started_at : row.submitted_at;
    return row.ended_at - start;
}

std::string artifact_ref(const TaskId& task, std::uint32_t attempt, const std::string& name) {
    return "zq://" + task.text + "/" + std::to_string(attempt) + "/" + name;
}

const ArtifactRef* result_artifact(const wire::AttemptRow& attempt) {
    for (const ArtifactRef& artifact : attempt.artifacts) {
        if (artifact.name == "result" || meets_expectation("result", {artifact.name})) {
            return &artifact;
        }
    }
    return nullptr;
}

const wire::AttemptRow* deciding_attempt(const wire::TaskReply& task) {
    const bool completed = task.row.state == TaskState::kCompleted;
    for (auto at = task.attempts.rbegin(); completed && at != task.attempts.rend(); ++at) {
        if (at->outcome == to_string(Outcome::kCompleted)) return &*at;
    }
    return task.attempts.empty() ? nullptr : &task.attempts.back();
}

Json artifact_record(const TaskId& task, std::uint32_t attempt, const ArtifactRef& artifact) {
    Json record = titled("zq/artifact/v1", Json::text(artifact_ref(task, attempt, artifact.name)));
    record.set("task_id", to_json(task));
    record.set("attempt", to_json(attempt));
    merge(record, to_json(artifact), "", "");
    return record;
}

Json checkpoint_record(const TaskId& task, const CheckpointRef& checkpoint) {
    Json fields = Json::object();
    fields.set("task_id", to_json(task));
    merge(fields, to_json(checkpoint), "", "");
    return with_schema("zq/checkpoint/v1", fields);
}

Json attempt_record(const TaskId& task, const wire::AttemptRow& attempt) {
    Json record = to_json(attempt);
    Json artifacts = Json::array();
    for (const ArtifactRef& artifact : attempt.artifacts) {
        artifacts.push(artifact_record(task, attempt.attempt, artifact));
    }
    record.set("artifacts", std::move(artifacts));
    return record;
}

Json envelope_record(const TaskSpec& spec) {
    Json record = to_json(spec);
    // The payload is JSON: it stands as what it is, not as a text of it.
    if (auto payload = Json::parse(spec.payload, "payload"); !spec.payload.empty() && payload) {
        record.set("payload", std::move(*payload));
    }
    return record;
}

Json whole_task_record(const wire::TaskReply& task, const std::vector<wire::EventRow>& events) {
    Json record = task_record(task.row);
    record.set("progress_percent", to_json(task.progress_percent));
    if (!task.progress_step.empty()) record.set("progress_step", to_json(task.progress_step));
    if (!task.progress_message.empty()) {
        record.set("progress_message", to_json(task.progress_message));
    }
    record.set("envelope", envelope_record(task.spec));
    Json attempts = Json::array();
    for (const wire::AttemptRow& attempt : task.attempts) {
        attempts.push(attempt_record(task.row.id, attempt));
    }
    record.set("attempts", std::move(attempts));
    Json artifacts = Json::array();
    const wire::AttemptRow* deciding = deciding_attempt(task);
    if (deciding != nullptr) {
        for (const ArtifactRef& artifact : deciding->artifacts) {
            artifacts.push(marked_record(task, deciding->attempt, artifact));
        }
        if (const ArtifactRef* result = result_artifact(*deciding)) {
            record.set("result_ref",
                       Json::text(artifact_ref(task.row.id, deciding->attempt, result->name)));
        }
    }
    record.set("artifacts", std::move(artifacts));
    Json checkpoints = Json::array();
    for (const CheckpointRef& checkpoint : task.checkpoints) {
        checkpoints.push(marked_record(task, checkpoint));
    }
    record.set("checkpoints", std::move(checkpoints));
    if (!task.removed.empty()) record.set("removed", removed_records(task));
    Json questions = Json::array();
    for (const Question& q : task.questions) questions.push(question_record(task.row.id, q));
    record.set("questions", std::move(questions));
    if (!events.empty()) {
        Json timeline = Json::array();
        for (const wire::EventRow& event : events) timeline.push(event_record(event));
        record.set("events", std::move(timeline));
    }
    return record;
}

Json event_record(const wire::EventRow& row) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/event/v1"));
    record.set("seq", to_json(row.seq));
    if (!row.task.empty()) record.set("id", to_json(row.task));
    merge(record, to_json(row), "task_id", "id");
    std::string note;
    for (const auto& [key, value] : row.fields) {
        if (!note.empty()) note += ' ';
        note.append(key).append("=").append(value);
    }
    if (!note.empty()) record.set("note", Json::text(note));
    return record;
}

Json worker_record(const wire::WorkerRow& row) {
    Json record = titled("zq/worker/v1", to_json(row.worker));
    record.set("state", Json::text(state_of(row)));
    merge(record, to_json(row), "worker", "id");
    return record;
}

Json lease_record(const wire::LeaseRow& row) {
    Json record = titled("zq/lease/v1", to_json(row.task));
    merge(record, to_json(row), "task_id", "id");
    return record;
}

std::span<const Column> task_columns() {
    return kTask;
}
std::span<const Column> ended_columns() {
    return kEnded;
}
std::span<const Column> task_status_columns() {
    return kTaskStatus;
}
std::span<const Column> dead_columns() {
    return kDead;
}
std::span<const Column> event_columns() {
    return kEvent;
}
std::span<const Column> worker_columns() {
    return kWorker;
}
std::span<const Column> lease_columns() {
    return kLease;
}
std::span<const Column> artifact_columns() {
    return kArtifact;
}
std::span<const Column> verified_columns() {
    return kVerified;
}

}  // namespace zq::cli
