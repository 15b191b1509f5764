// One task: `status ID` in a line, `show` and `dlq show` whole; and `status` without an id, which
// is the coordinator's own.
#include <array>

#include "cli/command_table.h"
#include "cli/provenance.h"
#include "cli/records.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "cli/task_list.h"
#include "cli/text.h"
#include "common/base/secret_scan.h"

namespace zq::cli {
namespace {

std::string time_text(Instant t, const OutputOptions& options) {
    return options.terminal ? human_time(t, options.now) : to_rfc3339(t);
}

void line(std::string& out, std::string_view title, const std::string& value) {
    if (value.empty()) return;
    std::string padded(title);
    padded.resize(14, ' ');
    out += padded + value + "\n";
}

std::string envelope_text(const wire::TaskReply& task, const OutputOptions& options) {
    const wire::TaskRow& row = task.row;
    const TaskSpec& spec = task.spec;
    std::string out;
    line(out, "id", row.id.text);
    line(out, "state",
         std::string(to_string(row.state)) +
             (row.dead_reason == DeadReason::kNone
                  ? ""
                  : " (" + std::string(to_string(row.dead_reason)) + ")"));
    line(out, "role", row.role.text);
    line(out, "type", escape_line(spec.type));
    line(out, "from", escape_line(spec.from) + " (" + escape_line(row.submitter.text) + ")");
    line(out, "submitted", time_text(row.submitted_at, options));
    if (row.ended_at.is_set()) line(out, "ended", time_text(row.ended_at, options));
    if (row.due_at.is_set()) line(out, "due", time_text(row.due_at, options));
    if (row.expires_at.is_set()) line(out, "expires", time_text(row.expires_at, options));
    if (row.deadline_at.is_set()) line(out, "deadline", time_text(row.deadline_at, options));
    line(out, "priority", std::to_string(spec.priority));
    line(out, "attempts",
         std::to_string(row.attempts) + " (failed " + std::to_string(row.failures) + " of " +
             std::to_string(row.max_attempts) + ", lost " + std::to_string(row.losses) + ")");
    for (std::size_t i = 0; i < spec.after.tasks.size(); ++i) {
        if (i == 20) {
            line(out, "", "and " + std::to_string(spec.after.tasks.size() - i) + " more");
            break;
        }
        line(out, i == 0 ? "after" : "", spec.after.tasks[i].text);
    }
    if (!spec.after.tasks.empty()) {
        line(out, "waits",
             std::string(to_string(spec.after.mode)) + ", else " +
                 std::string(to_string(spec.after.on_unmet)));
    }
    for (const RetryRule& rule : spec.retry_rules) line(out, "retry rule", to_string(rule));
    if (spec.on_lost != OnLost::kRetry) line(out, "on lost", std::string(to_string(spec.on_lost)));
    if (spec.approval.is_asked()) {
        line(out, "approval",
             std::string(to_string(spec.approval.time)) +
                 (spec.approval.by_other ? ", by another than the submitter" : ""));
    }
    if (row.budget.is_set()) line(out, "budget", budget_text(row.budget, row.spent));
    line(out, "group", spec.group.text);
    for (const auto& [key, value] : spec.labels) line(out, "label", key + "=" + escape_line(value));
    line(out, "limit key", escape_line(spec.limit_key));
    for (const std::string& label : spec.needs) line(out, "needs", escape_line(label));
    if (spec.allow_secrets) line(out, "secrets", "allowed in its texts");
    line(out, "reply to", escape_line(spec.reply_to));
    line(out, "trace", escape_line(spec.trace_id));
    for (const std::string& name : spec.expected.artifacts) line(out, "expects", name);
    line(out, "summary", escape_line(row.summary));
    line(out, "reason", escape_line(row.reason));
    if (!is_final(row.state) && (task.progress_percent > 0 || !task.progress_message.empty())) {
        line(out, "progress",
             std::to_string(task.progress_percent) + "% " +
                 escape_line(task.progress_step + " " + task.progress_message));
    }
    line(out, "instructions", escape_line(shorten(spec.instructions, 400)));
    return out;
}

/// Who changed the envelope since it was submitted, and what of it.
std::string edits_text(const std::vector<wire::EventRow>& events, const OutputOptions& options) {
    std::string out;
    for (const wire::EventRow& event : events) {
        const auto changed = event.fields.find("changed");
        if (changed == event.fields.end()) continue;
        line(out, "edited",
             changed->second + ", by " + escape_line(event.identity.text) + " " +
                 time_text(event.at, options));
    }
    return out;
}

std::string artifact_line(const ArtifactRef& artifact, const wire::RemovedRow* removed,
                          const OutputOptions& options) {
    std::string text = "  " + artifact.name + "  " + human_size(artifact.size) +
                       "  sha256:" + to_hex(artifact.digest);
    if (!artifact.secrets.empty()) {
        text += "  looks like a secret: " + escape_line(kinds_text(artifact.secrets));
    }
    if (!artifact.uri.empty()) text += "  " + escape_line(artifact.uri);
    if (removed != nullptr) text += "  " + removed_text(*removed, time_text(removed->at, options));
    return text + "\n";
}

std::string attempts_text(const wire::TaskReply& task, const OutputOptions& options) {
    std::string out;
    if (!task.spec.inputs.empty()) out += "\ninputs\n";
    for (const ArtifactRef& input : task.spec.inputs) out += artifact_line(input, nullptr, options);
    for (const wire::AttemptRow& attempt : task.attempts) {
        out += "\nattempt " + std::to_string(attempt.attempt) + "  " + attempt.outcome + "  " +
               escape_line(attempt.worker.text) + "  " + time_text(attempt.started_at, options);
        if (attempt.ended_at.is_set()) {
            out += "  took " + human_duration(attempt.ended_at - attempt.started_at);
        }
        out += "\n";
        if (attempt.exit_code) out += "  exit code " + std::to_string(*attempt.exit_code) + "\n";
        if (!attempt.reason.empty()) out += "  " + escape_line(attempt.reason) + "\n";
        for (const ArtifactRef& artifact : attempt.artifacts) {
            out +=
                artifact_line(artifact, removal_of(task, attempt.attempt, artifact.name), options);
        }
    }
    return out;
}

std::string checkpoints_text(const wire::TaskReply& task, const OutputOptions& options) {
    std::string out;
    if (!task.checkpoints.empty()) out += "\ncheckpoints\n";
    for (const CheckpointRef& checkpoint : task.checkpoints) {
        out += "  " + checkpoint.ref.name + "  " + human_size(checkpoint.ref.size) + "  number " +
               std::to_string(checkpoint.number) + ", attempt " +
               std::to_string(checkpoint.attempt) + "  " + time_text(checkpoint.at, options);
        const wire::RemovedRow* removed = checkpoint_removal(task, checkpoint);
        if (removed != nullptr) {
            out += "  " + removed_text(*removed, time_text(removed->at, options));
        }
        out += "\n";
    }
    return out;
}

std::string questions_text(const wire::TaskReply& task, const OutputOptions& options) {
    std::string out;
    if (!task.questions.empty()) out += "\nquestions\n";
    for (const Question& question : task.questions) {
        out += "  attempt " + std::to_string(question.attempt) + " asked " +
               time_text(question.asked_at, options) + ": " + escape_line(question.text) + "\n";
        for (const std::string& choice : question.choices) {
            out += "    - " + escape_line(choice) + "\n";
        }
        if (question.state == QuestionState::kAnswered) {
            out += "    answered by " + escape_line(question.answered_by.text) + " " +
                   time_text(question.closed_at, options) + ": " + escape_line(question.choice) +
                   (question.choice.empty() || question.answer.empty() ? "" : ": ") +
                   escape_line(question.answer) + "\n";
        } else if (question.state == QuestionState::kOpen) {
            out += "    open: zq answer " + task.row.id.text + " TEXT" +
                   (question.until.is_set() ? ", until " + time_text(question.until, options)
                                            : std::string()) +
                   "\n";
        } else {
            out += "    " + std::string(to_string(question.state)) + "\n";
        }
    }
    return out;
}

constexpr auto kShowColumns = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"summary", "SUMMARY"},
    {"reason", "REASON", Cell::kText, Where::kWide},
    {"result_ref", "RESULT", Cell::kText, Where::kWide},
    {"dead_reason", "DEAD", Cell::kText, Where::kOnAsking},
    {"envelope", "ENVELOPE", Cell::kText, Where::kOnAsking},
    {"attempts", "ATTEMPTS", Cell::kText, Where::kOnAsking},
    {"artifacts", "ARTIFACTS", Cell::kText, Where::kOnAsking},
    {"checkpoints", "CHECKPOINTS", Cell::kText, Where::kOnAsking},
    {"questions", "QUESTIONS", Cell::kText, Where::kOnAsking},
    {"removed", "REMOVED", Cell::kText, Where::kOnAsking},
    {"events", "EVENTS", Cell::kText, Where::kOnAsking},
    {"provenance", "PROVENANCE", Cell::kText, Where::kOnAsking},
});

Ending show(const Context& context, Session& session, const wire::TaskReply& task) {
    auto events = events_of(session, task.row.id);
    if (!events) return tl::unexpected(events.error());
    const OutputOptions& options = context.output;
    const bool plain = options.format == Format::kTable || options.format == Format::kWide;
    if (!plain || !options.fields.empty()) {
        Json record = whole_task_record(task, *events);
        record.set("provenance", provenance_record(task, *events));
        return print({Shape::kOne, {}, kShowColumns, {record}}, options);
    }
    if (context.args.has("provenance")) {
        print_raw(provenance_text(task, *events, options));
        return ExitCode::kDone;
    }
    View history{Shape::kLines, {}, event_columns(), {}, false};
    for (const wire::EventRow& event : *events) history.records.push_back(event_record(event));
    auto text = render(history, options);
    if (!text) return tl::unexpected(text.error());
    print_raw(envelope_text(task, options) + edits_text(*events, options) +
              attempts_text(task, options) + checkpoints_text(task, options) +
              questions_text(task, options) + "\nhistory\n" + *text);
    return ExitCode::kDone;
}

Ending run_show(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto task = get_task(**session, context.args.operand(0));
    if (!task) return tl::unexpected(task.error());
    return show(context, **session, *task);
}

Ending run_dlq_show(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto task = get_task(**session, context.args.operand(0));
    if (!task) return tl::unexpected(task.error());
    const TaskState state = task->row.state;
    if (state != TaskState::kDead && state != TaskState::kExpired) {
        return problem(ErrorCode::NOT_FOUND,
                       task->row.id.text + " is not in the dead-letter queue: it is " +
                           std::string(to_string(state)),
                       "run `zq show " + task->row.id.text + "`");
    }
    return show(context, **session, *task);
}

constexpr auto kShowFlags = std::to_array<Flag>({
    {"provenance", "", "Where its result comes from", Takes::kNothing},
});

constexpr auto kClusterColumns = std::to_array<Column>({
    {"program", "PROGRAM"},
    {"journal", "JOURNAL"},
    {"started_at", "STARTED", Cell::kTime},
    {"last_seq", "SEQ"},
    {"storage_full", "STORAGE FULL", Cell::kText, Where::kWide},
    {"chain_head", "CHAIN HEAD", Cell::kText, Where::kWide},
    {"roles", "ROLES", Cell::kText, Where::kOnAsking},
    {"workers", "WORKERS", Cell::kText, Where::kOnAsking},
    {"counters", "COUNTERS", Cell::kText, Where::kOnAsking},
});

Json cluster_record(const wire::StatusReply& status, const wire::WorkerRows& workers) {
    Json record = with_schema("zq/status/v1", to_json(status));
    Json roles = Json::array();
    for (const wire::RoleRow& role : status.roles) roles.push(role_record(role));
    record.set("roles", std::move(roles));
    Json rows = Json::array();
    for (const wire::WorkerRow& row : workers.rows) rows.push(worker_record(row));
    record.set("workers", std::move(rows));
    return record;
}

std::string cluster_text(const wire::StatusReply& status, const wire::WorkerRows& workers,
                         const OutputOptions& options) {
    std::string out;
    line(out, "coordinator", escape_line(status.program));
    line(out, "journal", status.journal + ", last event " + std::to_string(status.last_seq));
    line(out, "started", time_text(status.started_at, options));
    line(out, "workers", std::to_string(workers.rows.size()));
    std::uint64_t kept = 0;
    std::uint64_t bytes = 0;
    for (const wire::RoleRow& role : status.roles) {
        kept += role.kept;
        bytes += role.kept_bytes;
    }
    line(
        out, "kept",
        std::to_string(kept) + " ended tasks with " + human_size(bytes) + " of logs and artifacts");
    if (status.storage_full) line(out, "storage", "full: submits are refused");
    for (const auto& [name, value] : status.counters) {
        if (options.format == Format::kWide) line(out, name, value);
    }
    return out;
}

Ending cluster_status(const Context& context, Session& session) {
    auto status = session.call<wire::StatusReply>(wire::Status{});
    if (!status) return tl::unexpected(status.error());
    auto workers = session.call<wire::WorkerRows>(wire::Workers{});
    if (!workers) return tl::unexpected(workers.error());
    const OutputOptions& options = context.output;
    const bool plain = options.format == Format::kTable || options.format == Format::kWide;
    if (!plain || !options.fields.empty()) {
        return print({Shape::kOne, {}, kClusterColumns, {cluster_record(*status, *workers)}},
                     options);
    }
    View roles{Shape::kList, {}, role_columns(), {}, false};
    for (const wire::RoleRow& role : status->roles) roles.records.push_back(role_record(role));
    auto text = render(roles, options);
    if (!text) return tl::unexpected(text.error());
    print_raw(cluster_text(*status, *workers, options) + "\n" + *text);
    return ExitCode::kDone;
}

Ending run_status(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (context.args.operands().empty()) return cluster_status(context, **session);
    View view{Shape::kOne, "zq/task-list/v1", task_status_columns(), {}, false};
    for (const std::string& id : context.args.operands()) {
        auto task = get_task(**session, id);
        if (!task) return tl::unexpected(task.error());
        view.records.push_back(whole_task_record(*task, {}));
    }
    if (view.records.size() > 1) view.shape = Shape::kList;
    return print(view, context.output);
}

constexpr auto kCommands = std::to_array<Command>({
    {"status",
     "Tasks",
     "[ID…]",
     "The state of tasks; without an id, of the coordinator",
     "Ids may be unique prefixes. The exit code does not tell the task's state: `zq wait` does.",
     {},
     {true, true, false},
     0,
     1000,
     run_status},
    {"show",
     "Tasks",
     "ID",
     "A task whole: envelope, attempts, artifacts, history",
     "--provenance: who submitted, approved and did it, by which command, from which inputs, and "
     "where "
     "the\n"
     "journal has it.",
     kShowFlags,
     {true, true, false},
     1,
     1,
     run_show},
    {"dlq show",
     "Failures",
     "ID",
     "A dead or expired task whole",
     "",
     {},
     {true, true, false},
     1,
     1,
     run_dlq_show},
});

}  // namespace

std::span<const Command> show_commands() {
    return kCommands;
}

}  // namespace zq::cli
