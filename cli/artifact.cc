// Artifacts one by one: `artifact ls|put|get|cat|verify`. Attempt 0 stands for the task's inputs.
#include <array>
#include <filesystem>

#include "cli/command_table.h"
#include "cli/own_artifacts.h"
#include "cli/previous.h"
#include "cli/records.h"
#include "cli/removed.h"
#include "cli/result.h"
#include "cli/session.h"
#include "common/platform/reference.h"

namespace zq::cli {
namespace {

struct Found {
    TaskId task;
    std::uint32_t attempt = 0;
    ArtifactRef artifact;
    const wire::RemovedRow* removed = nullptr;  // of the task's reply
};

/// All artifacts of a task, its inputs first; of one attempt where `only` names it.
std::vector<Found> artifacts_of(const wire::TaskReply& task, std::optional<std::uint64_t> only) {
    std::vector<Found> all;
    if (!only || *only == 0) {
        for (const ArtifactRef& input : task.spec.inputs) all.push_back({task.row.id, 0, input});
    }
    for (const wire::AttemptRow& attempt : task.attempts) {
        if (only && *only != attempt.attempt) continue;
        for (const ArtifactRef& artifact : attempt.artifacts) {
            all.push_back({task.row.id, attempt.attempt, artifact,
                           removal_of(task, attempt.attempt, artifact.name)});
        }
    }
    return all;
}

Expected<Found> find_artifact(const Context& context, const wire::TaskReply& task,
                              const std::string& name) {
    auto only = context.args.number("attempt", 0, UINT32_MAX);
    if (!only) return tl::unexpected(only.error());
    const std::vector<Found> all = artifacts_of(task, *only);
    // The attempt that counts comes before the others, the others before the inputs.
    const wire::AttemptRow* deciding = deciding_attempt(task);
    const Found* best = nullptr;
    for (const Found& found : all) {
        if (found.artifact.name != name) continue;
        const bool counts = deciding != nullptr && found.attempt == deciding->attempt;
        if (best == nullptr || best->attempt == 0 || counts) best = &found;
    }
    if (best != nullptr) return *best;
    return problem(ErrorCode::NOT_FOUND, task.row.id.text + " has no artifact " + name,
                   "run `zq artifact ls " + task.row.id.text + "` to see them");
}

struct Opened {
    std::unique_ptr<Session> session;
    wire::TaskReply task;
};

Expected<Opened> open_task(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto task = get_task(**session, context.args.operand(0));
    if (!task) return tl::unexpected(task.error());
    return Opened{std::move(*session), std::move(*task)};
}

Json record_of(const wire::TaskReply& task, const Found& found) {
    return marked_record(task, found.attempt, found.artifact);
}

/// What retention has removed is nowhere; content by reference is not the coordinator's.
Expected<void> refuse_absent(const wire::TaskReply& task, const Found& found) {
    const ArtifactRef& artifact = found.artifact;
    if (!artifact.by_reference) return refuse_removed(task, artifact.name, found.removed);
    return problem(ErrorCode::NOT_FOUND,
                   artifact.name + " is by reference: it lies at " + artifact.uri + " alone",
                   "read it there; `zq artifact verify` compares its digest");
}

Expected<void> verify_one(Session& session, const Found& found) {
    if (!found.artifact.by_reference) {
        return verify_artifact(session, found.task, found.attempt, found.artifact);
    }
    auto ok = check_reference(found.artifact);
    if (!ok && ok.error().code == ErrorCode::DIGEST_MISMATCH) note(ok.error().message);
    if (!ok) return problem(ok.error());
    return {};
}

std::uint32_t attempt_of(std::uint64_t number) {
    return static_cast<std::uint32_t>(number);
}

Ending run_put(const Context& context) {
    auto own = own_task(context.args, {});
    if (!own) return tl::unexpected(own.error());
    if (*own) return put_own_artifact(context, **own, context.args.operand(0));
    return usage("only inside a task, where zq-worker runs this command",
                 "a task that was claimed by hand hands its files over with its end: "
                 "`zq complete ID --artifact FILE`");
}

Ending run_ls(const Context& context) {
    auto operands = own_operands(context.args, 1);
    if (!operands) return tl::unexpected(operands.error());
    auto only = context.args.number("attempt", 0, UINT32_MAX);
    if (!only) return tl::unexpected(only.error());
    if (operands->id.empty()) {
        auto own = own_task(context.args, {});
        if (!own) return tl::unexpected(own.error());
        if (*own && *only) return list_previous(context, **own, attempt_of(**only));
        if (*own) return list_own_artifacts(context, **own);
    }
    auto opened = open_task(context);
    if (!opened) return tl::unexpected(opened.error());
    View view{Shape::kList, "zq/artifact-list/v1", artifact_columns(), {}, false};
    for (const Found& found : artifacts_of(opened->task, *only)) {
        view.records.push_back(record_of(opened->task, found));
    }
    return print(view, context.output);
}

Ending run_cat(const Context& context) {
    auto operands = own_operands(context.args, 2);
    if (!operands) return tl::unexpected(operands.error());
    if (operands->id.empty()) {
        auto own = own_task(context.args, {});
        if (!own) return tl::unexpected(own.error());
        if (*own) return print_own_artifact(context, **own, operands->others.front());
    }
    auto opened = open_task(context);
    if (!opened) return tl::unexpected(opened.error());
    auto found = find_artifact(context, opened->task, context.args.operand(1));
    if (!found) return tl::unexpected(found.error());
    if (auto ok = refuse_absent(opened->task, *found); !ok) return tl::unexpected(ok.error());
    auto ok =
        print_artifact(context, *opened->session, found->task, found->attempt, found->artifact);
    if (!ok) return tl::unexpected(ok.error());
    return ExitCode::kDone;
}

/// Inside a task `--attempt N [NAME…]` is about an earlier attempt of it.
Expected<std::optional<OwnTask>> task_of_previous(const Arguments& args) {
    if (!args.has("attempt")) return std::optional<OwnTask>{};
    return own_task(args, {});
}

Ending run_get(const Context& context) {
    auto own = task_of_previous(context.args);
    if (!own) return tl::unexpected(own.error());
    if (*own) {
        auto attempt = context.args.number("attempt", 0, UINT32_MAX);
        if (!attempt) return tl::unexpected(attempt.error());
        std::vector<std::string> names = context.args.operands();
        if (!names.empty() && names.front() == (*own)->held.task.text) names.erase(names.begin());
        return get_previous(context, **own, attempt_of(**attempt), names);
    }
    if (context.args.operands().size() != 2) {
        return usage("it takes ID and NAME", "only inside a task, with --attempt, it takes names");
    }
    auto opened = open_task(context);
    if (!opened) return tl::unexpected(opened.error());
    auto found = find_artifact(context, opened->task, context.args.operand(1));
    if (!found) return tl::unexpected(found.error());
    if (auto ok = refuse_absent(opened->task, *found); !ok) return tl::unexpected(ok.error());
    std::string path = context.args.text("output-file");
    if (path.empty()) path = std::filesystem::path(found->artifact.name).filename().string();
    auto ok = save_artifact(*opened->session, found->task, found->attempt, found->artifact, path);
    if (!ok) return tl::unexpected(ok.error());
    note("wrote " + path);
    return print({Shape::kOne, {}, artifact_columns(), {record_of(opened->task, *found)}},
                 context.output);
}

Ending run_verify(const Context& context) {
    auto only = context.args.number("attempt", 0, UINT32_MAX);
    if (!only) return tl::unexpected(only.error());
    auto opened = open_task(context);
    if (!opened) return tl::unexpected(opened.error());
    const std::string name = context.args.operand(1);
    View view{Shape::kLines, "zq/artifact-list/v1", verified_columns(), {}, false};
    bool verified = true;
    Expected<void> kept;
    for (const Found& found : artifacts_of(opened->task, *only)) {
        if (!name.empty() && found.artifact.name != name) continue;
        if (found.removed != nullptr) {
            if (kept) kept = refuse_removed(opened->task, found.artifact.name, found.removed);
            view.records.push_back(
                record_of(opened->task, found).set("verdict", Json::text("removed")));
            continue;
        }
        auto ok = verify_one(*opened->session, found);
        if (!ok && ok.error().error.code != ErrorCode::DIGEST_MISMATCH) {
            return tl::unexpected(ok.error());
        }
        verified = verified && ok.has_value();
        view.records.push_back(record_of(opened->task, found)
                                   .set("verdict", Json::text(ok.has_value() ? "ok" : "failed")));
    }
    if (view.records.empty() && !name.empty()) {
        return problem(ErrorCode::NOT_FOUND, opened->task.row.id.text + " has no artifact " + name);
    }
    if (auto ok = print(view, context.output); !ok) return ok;
    if (verified && !kept) return tl::unexpected(kept.error());
    return verified ? ExitCode::kDone : ExitCode::kUnverified;
}

constexpr Flag kAttempt{"attempt", "N", "Of this attempt (0: an input)"};
constexpr auto kPutFlags =
    std::to_array<Flag>({{"name", "NAME", "Its name (default: the file's)"}});
constexpr auto kLsFlags = std::to_array<Flag>({kAttempt});
constexpr auto kCatFlags = std::to_array<Flag>({
    kAttempt,
    {"raw", "", "On a terminal too, control characters and all", Takes::kNothing},
});
constexpr auto kGetFlags = std::to_array<Flag>({
    kAttempt,
    {"output-file", "FILE", "Where to (default: its name, here)", Takes::kValue, "", 'O'},
});

constexpr auto kCommands = std::to_array<Command>({
    {"artifact ls",
     "Artifacts",
     "[ID]",
     "List a task's inputs and artifacts",
     "Inside a task without an id: its inputs, and what it hands over so far; with --attempt what\n"
     "that earlier attempt of it left.",
     kLsFlags,
     {true, true, false},
     0,
     1,
     run_ls},
    {"artifact cat",
     "Artifacts",
     "[ID] NAME",
     "Print an artifact's bytes, verified",
     "Of the attempt that counts, else another, else the input of this name.\n"
     "Inside a task without an id: its own file or input.",
     kCatFlags,
     {true, false, false},
     1,
     2,
     run_cat},
    {"artifact get",
     "Artifacts",
     "[ID] NAME…",
     "Write an artifact to a file, verified",
     "Takes ID and one NAME. Inside a task `--attempt N [NAME…]` is about the task itself: what "
     "its\n"
     "earlier attempt N left, all or these names, is laid into $ZQ_TASK_DIR/previous/N/, and the\n"
     "paths are printed.",
     kGetFlags,
     {true, true, false},
     0,
     1000,
     run_get},
    {"artifact put",
     "Artifacts",
     "FILE",
     "Hand a file over with this task",
     "Inside a task only: lays it into $ZQ_OUT, whose files become the attempt's artifacts.",
     kPutFlags,
     {true, false, true},
     1,
     1,
     run_put},
    {"artifact verify",
     "Artifacts",
     "ID [NAME]",
     "Read artifacts and compare their digests",
     "Hashes the bytes again and compares with the digest that was recorded; an input by "
     "reference\n"
     "is read on this machine. Exit code 13 if one does not verify, 3 if retention removed one.",
     kLsFlags,
     {true, true, false},
     1,
     2,
     run_verify},
});

}  // namespace

std::span<const Command> artifact_commands() {
    return kCommands;
}

}  // namespace zq::cli
