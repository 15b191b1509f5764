#include "cli/result.h"

#include <array>
#include <filesystem>

#include "cli/command_table.h"
#include "cli/records.h"
#include "cli/removed.h"
#include "cli/text.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

// Up to here nothing is printed before it is verified; larger content is verified as it passes.
constexpr std::uint64_t kVerifiedFirst = 4 * 1024 * 1024;

void print_bytes(const Context& context, std::string_view bytes) {
    if (context.output.terminal && !context.args.has("raw")) {
        print_raw(escape_text(bytes));
    } else {
        print_raw(bytes);
    }
}

Expected<const wire::AttemptRow*> choose_attempt(const wire::TaskReply& task,
                                                 std::uint32_t number) {
    if (number == 0) return deciding_attempt(task);
    for (const wire::AttemptRow& attempt : task.attempts) {
        if (attempt.attempt == number) return &attempt;
    }
    return problem(ErrorCode::NOT_FOUND,
                   task.row.id.text + " has no attempt " + std::to_string(number),
                   "run `zq show " + task.row.id.text + "` to see its attempts");
}

constexpr auto kResultColumns = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"attempt", "ATTEMPT"},
    {"result_ref", "REF"},
    {"summary", "SUMMARY"},
    {"reason", "REASON", Cell::kText, Where::kOnAsking},
    {"result", "RESULT", Cell::kText, Where::kOnAsking},
    {"artifacts", "ARTIFACTS", Cell::kText, Where::kOnAsking},
    {"status", "STATUS", Cell::kText, Where::kOnAsking},
    {"to", "ROLE", Cell::kText, Where::kOnAsking},
    {"error", "ERROR", Cell::kText, Where::kOnAsking},
    {"output", "OUTPUT", Cell::kText, Where::kOnAsking},
    {"duration_ms", "TOOK", Cell::kDuration, Where::kOnAsking},
    {"completed_at", "ENDED", Cell::kTime, Where::kOnAsking},
});

/// The whole text of a result that is text and not large; nullopt for any other.
Expected<std::optional<std::string>> read_text(Session& session, const TaskId& task,
                                               std::uint32_t attempt, const ArtifactRef& result) {
    if (result.size > kVerifiedFirst) return std::optional<std::string>{};
    auto transfer = session.transfer();
    if (!transfer) return tl::unexpected(transfer.error());
    std::string bytes;
    auto ok = (*transfer)->fetch({task, attempt, result.name, 0}, result.digest,
                                 [&](std::string_view part) {
                                     bytes += part;
                                     return Result<void>{};
                                 });
    if (!ok) return problem(ok.error());
    if (!pack::is_utf8(bytes)) return std::optional<std::string>{};
    return std::optional(std::move(bytes));
}

/// What other queues say of a result, under their names.
void add_common_names(const wire::TaskReply& task, const wire::AttemptRow* attempt, Json& fields) {
    const wire::TaskRow& row = task.row;
    fields.set("to", to_json(row.role));
    if (!is_final(row.state)) return;
    fields.set("status", Json::text(status_of(row.state)));
    if (status_of(row.state) == "failure") fields.set("error", to_json(row.reason));
    if (attempt != nullptr) fields.set("output", to_json(attempt->output));
    fields.set("duration_ms", to_json(duration_of(row)));
    fields.set("completed_at", to_json(row.ended_at));
}

/// The result as one record, its text included where it is text and not large.
Ending print_record(const Context& context, Session& session, const wire::TaskReply& task,
                    const wire::AttemptRow* attempt) {
    const TaskId& id = task.row.id;
    Json fields = Json::object();
    fields.set("id", to_json(id));
    fields.set("state", to_json(task.row.state));
    fields.set("summary", to_json(task.row.summary));
    if (!task.row.reason.empty()) fields.set("reason", to_json(task.row.reason));
    add_common_names(task, attempt, fields);
    Json artifacts = Json::array();
    if (attempt != nullptr) {
        fields.set("attempt", to_json(attempt->attempt));
        for (const ArtifactRef& artifact : attempt->artifacts) {
            artifacts.push(marked_record(task, attempt->attempt, artifact));
        }
        if (const ArtifactRef* result = result_artifact(*attempt)) {
            fields.set("result_ref", Json::text(artifact_ref(id, attempt->attempt, result->name)));
            const wire::RemovedRow* removed = removal_of(task, attempt->attempt, result->name);
            auto text = removed != nullptr ? Expected<std::optional<std::string>>()
                                           : read_text(session, id, attempt->attempt, *result);
            if (!text) return tl::unexpected(text.error());
            if (*text) fields.set("result", Json::text(**text));
        }
    }
    fields.set("artifacts", std::move(artifacts));
    auto printed = print({Shape::kOne, {}, kResultColumns, {with_schema("zq/result/v1", fields)}},
                         context.output);
    if (!printed) return printed;
    return exit_code_of(task.row.state);
}

/// True if the bytes themselves are asked for, and not a record about them.
bool wants_bytes(const OutputOptions& options) {
    const bool plain = options.format == Format::kTable || options.format == Format::kWide;
    return plain && options.fields.empty();
}

/// Says on stderr why there is no better end than this.
void note_state(const wire::TaskReply& task) {
    if (exit_code_of(task.row.state) == ExitCode::kDone) return;
    std::string line = task.row.id.text + "  " + std::string(to_string(task.row.state));
    if (task.row.dead_reason != DeadReason::kNone) {
        line += "  " + std::string(to_string(task.row.dead_reason));
    }
    if (!task.row.reason.empty()) line += "  " + escape_line(task.row.reason);
    note(line);
}

Expected<wire::TaskReply> get_ended_task(Session& session, const std::string& id,
                                         std::uint32_t attempt) {
    auto task = get_task(session, id);
    if (!task) return task;
    if (attempt == 0 && !is_final(task->row.state)) {
        return not_finished(task->row.id.text + " is " + std::string(to_string(task->row.state)),
                            "run `zq wait " + task->row.id.text + "` to wait for its end");
    }
    return task;
}

struct Job {
    const wire::TaskReply& task;
    const wire::AttemptRow& attempt;
    std::string folder;  // empty: nothing is written
};

/// Writes or reads through one artifact; true if its bytes have its digest.
Expected<bool> check_one(Session& session, const Job& job, const ArtifactRef& artifact) {
    Expected<void> ok;
    if (job.folder.empty()) {
        ok = verify_artifact(session, job.task.row.id, job.attempt.attempt, artifact);
    } else {
        const std::string path = job.folder + "/" + artifact.name;
        ok = save_artifact(session, job.task.row.id, job.attempt.attempt, artifact, path);
        // What is on the disk counts, not what was sent there.
        if (ok) {
            auto digest = sha256_file(path);
            if (!digest) return problem(digest.error());
            if (digest->digest != artifact.digest) return false;
        }
    }
    if (!ok && ok.error().error.code == ErrorCode::DIGEST_MISMATCH) return false;
    if (!ok) return tl::unexpected(ok.error());
    return true;
}

/// `--out` and `--verify`: all artifacts of the attempt, one line each.
Ending handle_all(const Context& context, Session& session, const Job& job) {
    View view{Shape::kLines, "zq/artifact-list/v1", verified_columns(), {}, false};
    bool verified = true;
    Expected<void> kept;
    for (const ArtifactRef& artifact : job.attempt.artifacts) {
        const wire::RemovedRow* removed = removal_of(job.task, job.attempt.attempt, artifact.name);
        if (removed != nullptr) {
            Json record = marked_record(job.task, job.attempt.attempt, artifact);
            view.records.push_back(record.set("verdict", Json::text("removed")));
            if (kept) kept = refuse_removed(job.task, artifact.name, removed);
            continue;
        }
        auto good = check_one(session, job, artifact);
        if (!good) return tl::unexpected(good.error());
        verified = verified && *good;
        Json record = artifact_record(job.task.row.id, job.attempt.attempt, artifact);
        record.set("verdict", Json::text(*good ? "ok" : "failed"));
        if (!job.folder.empty()) record.set("path", Json::text(job.folder + "/" + artifact.name));
        view.records.push_back(std::move(record));
    }
    if (auto ok = print(view, context.output); !ok) return ok;
    if (verified && !kept) return tl::unexpected(kept.error());
    if (verified) return exit_code_of(job.task.row.state);
    return tl::unexpected(
        Problem(Error{ErrorCode::DIGEST_MISMATCH, "an artifact does not have its digest", {}, {}},
                "the coordinator's store is damaged: run `zq-coordinator --check` there",
                ExitCode::kUnverified));
}

Ending run_result(const Context& context) {
    auto number = context.args.number("attempt", 1, UINT32_MAX);
    if (!number) return tl::unexpected(number.error());
    const auto attempt_number = static_cast<std::uint32_t>(number->value_or(0));
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    const std::string id = context.args.operand(0);
    if (!context.args.has("out") && !context.args.has("verify")) {
        return print_result(context, **session, id, attempt_number);
    }
    auto task = get_ended_task(**session, id, attempt_number);
    if (!task) return tl::unexpected(task.error());
    auto attempt = choose_attempt(*task, attempt_number);
    if (!attempt) return tl::unexpected(attempt.error());
    note_state(*task);
    if (*attempt == nullptr) return exit_code_of(task->row.state);
    return handle_all(context, **session, {*task, **attempt, context.args.text("out")});
}

constexpr auto kFlags = std::to_array<Flag>({
    {"attempt", "N", "Of this attempt (default: the one that counts)"},
    {"out", "DIR", "Write all artifacts into a folder, and list them"},
    {"verify", "", "Read all artifacts again and compare their digests", Takes::kNothing},
    {"raw", "", "Print the bytes on a terminal too, control characters and all", Takes::kNothing},
});

constexpr auto kCommands = std::to_array<Command>({
    {"result",
     "Tasks",
     "ID",
     "Print a task's result",
     "Prints the bytes of the artifact named `result` (or result.md, …), verified by their "
     "digest;\n"
     "where there is none, the summary. The exit code is the task's: 8 if it has not ended.",
     kFlags,
     {true, true, false},
     1,
     1,
     run_result},
});

}  // namespace

Expected<void> print_artifact(const Context& context, Session& session, const TaskId& task,
                              std::uint32_t attempt, const ArtifactRef& artifact,
                              std::uint32_t checkpoint) {
    auto transfer = session.transfer();
    if (!transfer) return tl::unexpected(transfer.error());
    std::string held;
    const bool hold = artifact.size <= kVerifiedFirst;
    auto ok = (*transfer)->fetch({task, attempt, artifact.name, checkpoint}, artifact.digest,
                                 [&](std::string_view bytes) {
                                     if (hold) {
                                         held += bytes;
                                     } else {
                                         print_bytes(context, bytes);
                                     }
                                     return Result<void>{};
                                 });
    if (!ok) return problem(ok.error());
    print_bytes(context, held);
    return {};
}

Expected<void> verify_artifact(Session& session, const TaskId& task, std::uint32_t attempt,
                               const ArtifactRef& artifact) {
    auto transfer = session.transfer();
    if (!transfer) return tl::unexpected(transfer.error());
    auto ok = (*transfer)->fetch({task, attempt, artifact.name, 0}, artifact.digest,
                                 [](std::string_view) { return Result<void>{}; });
    if (!ok) return problem(ok.error());
    return {};
}

Expected<void> save_artifact(Session& session, const TaskId& task, std::uint32_t attempt,
                             const ArtifactRef& artifact, const std::string& path,
                             std::uint32_t checkpoint) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!folder.empty()) {
        if (auto ok = make_folders(folder, 0777); !ok) return problem(ok.error());
    }
    auto transfer = session.transfer();
    if (!transfer) return tl::unexpected(transfer.error());
    auto ok =
        (*transfer)->fetch_file({task, attempt, artifact.name, checkpoint}, artifact.digest, path);
    if (!ok && ok.error().code == ErrorCode::STORAGE_FULL) {
        return tl::unexpected(
            Problem(ok.error(), "free space on this disk", ExitCode::kUnexpected));
    }
    if (!ok) return problem(ok.error());
    return {};
}

Ending print_result(const Context& context, Session& session, const std::string& id,
                    std::uint32_t attempt_number) {
    auto task = get_ended_task(session, id, attempt_number);
    if (!task) return tl::unexpected(task.error());
    auto attempt = choose_attempt(*task, attempt_number);
    if (!attempt) return tl::unexpected(attempt.error());
    if (!wants_bytes(context.output)) return print_record(context, session, *task, *attempt);
    note_state(*task);
    const ArtifactRef* result = *attempt == nullptr ? nullptr : result_artifact(**attempt);
    if (result != nullptr) {
        const wire::RemovedRow* removed = removal_of(*task, (*attempt)->attempt, result->name);
        auto ok = refuse_removed(*task, result->name, removed);
        if (ok) ok = print_artifact(context, session, task->row.id, (*attempt)->attempt, *result);
        if (!ok) return tl::unexpected(ok.error());
    } else if (const std::string& summary =
                   *attempt == nullptr ? task->row.summary : (*attempt)->summary;
               !summary.empty()) {
        print_bytes(context, summary + "\n");
    }
    return exit_code_of(task->row.state);
}

std::span<const Command> result_commands() {
    return kCommands;
}

}  // namespace zq::cli
