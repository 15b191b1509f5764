// How a task worked by hand ends: `complete`, `fail`, `skip`, `release`. With a lease it ends that
// attempt; without one, complete, fail and skip claim a queued task and end it in one commit.
#include <array>

#include "cli/command_table.h"
#include "cli/contents.h"
#include "cli/lease_file.h"
#include "cli/own_task.h"
#include "cli/records.h"
#include "cli/session.h"
#include "cli/submit_spec.h"

namespace zq::cli {
namespace {

constexpr int kMissingTries = 3;

constexpr auto kEndColumns =
    std::to_array<Column>({{"id", "ID"}, {"state", "STATE", Cell::kState}});

/// A report on its way: what it says, and the files that belong to it.
struct Ended {
    wire::Report report;
    std::vector<Content> contents;
    std::optional<OwnTask> own;  // of the task around this command
};

Expected<Ended> read_report(const Arguments& args) {
    Ended ended;
    auto operands = own_operands(args, 1);
    if (!operands) return tl::unexpected(operands.error());
    auto own = own_task(args, operands->id);
    if (!own) return tl::unexpected(own.error());
    ended.own = std::move(*own);
    ended.report.task = ended.own ? ended.own->held.task : TaskId(operands->id);
    auto lease = ended.own ? Expected<std::optional<wire::HeldLease>>(ended.own->held)
                           : find_lease(args, ended.report.task);
    if (!lease) return tl::unexpected(lease.error());
    if (*lease) {
        ended.report.lease = (*lease)->lease;
        ended.report.attempt = (*lease)->attempt;
    }
    ended.report.from = args.has("from") ? args.text("from") : default_from();
    ended.report.summary = args.text("summary");
    if (ended.report.summary.size() > limits::kSummaryBytes) {
        return usage("--summary has at most 1024 bytes", "put the rest into --result-file");
    }
    if (args.has("result-file")) {
        const std::string path = args.text("result-file");
        auto content = read_content(path, named_like("result", path));
        if (!content) return tl::unexpected(content.error());
        ended.contents.push_back(std::move(*content));
    }
    for (const std::string& operand : args.values("artifact")) {
        auto content = read_named_content(operand);
        if (!content) return tl::unexpected(content.error());
        ended.contents.push_back(std::move(*content));
    }
    bound_inline(ended.contents);
    return ended;
}

void attach(Ended& ended) {
    ended.report.artifacts.clear();
    for (const Content& content : ended.contents) {
        wire::ReportArtifact artifact{content.ref, std::nullopt};
        if (content.data) artifact.data = Bytes{*content.data};
        ended.report.artifacts.push_back(std::move(artifact));
    }
}

tl::unexpected<Problem> refused(const Error& error, const wire::Report& report) {
    const std::string& id = report.task.text;
    if (error.code == ErrorCode::STALE_LEASE) {
        drop_lease(report.task);
        return problem(error, "its lease has ended; `zq show " + id + "` says who has it now");
    }
    if (error.code == ErrorCode::CONFLICT) {
        return problem(error, "`zq show " + id + "` says how it ended or who holds it");
    }
    if (error.code == ErrorCode::CONTRACT) {
        return problem(error, "`zq show " + id +
                                  "` says what is expected; add it by --artifact "
                                  "NAME=FILE or --summary");
    }
    return problem(error);
}

/// Puts the contents, sends the report that `make` wraps, and repeats both where content is
/// missing.
Expected<wire::Accepted> send_report(Session& session, Ended& ended,
                                     wire::Body (*make)(const Arguments&, const wire::Report&),
                                     const Arguments& args) {
    for (int tries = 0;; ++tries) {
        auto put = put_contents(session, ended.contents, ended.report.task, ended.report.lease);
        if (!put) return refused(put.error().error, ended.report);
        attach(ended);
        auto reply = session.try_call(make(args, ended.report));
        if (reply) {
            auto* accepted = std::get_if<wire::Accepted>(&reply->body);
            if (accepted == nullptr) return problem(ErrorCode::MALFORMED, "not an ACCEPTED reply");
            drop_lease(ended.report.task);
            return *accepted;
        }
        const CallError& error = reply.error();
        const bool missing = error.error.code == ErrorCode::MISSING_CONTENT;
        if (!missing || tries >= kMissingTries || !send_missing(ended.contents, error.missing)) {
            return refused(error.error, ended.report);
        }
    }
}

/// To the worker around this command: the files are laid into `out`, where it collects them.
Expected<wire::Accepted> tell_worker(Session& session, const Ended& ended,
                                     wire::Body (*make)(const Arguments&, const wire::Report&),
                                     const Arguments& args) {
    for (const Content& content : ended.contents) {
        auto ok = copy_content(content, ended.own->out + "/" + content.ref.name);
        if (!ok) return tl::unexpected(ok.error());
    }
    auto accepted = session.call<wire::Accepted>(make(args, ended.report));
    if (accepted) note("the worker reports it when this command has ended");
    return accepted;
}

Ending say_dry_run(Session& session, const Ended& ended, const OutputOptions& options) {
    auto task = session.call<wire::TaskReply>(wire::Get{ended.report.task, false});
    if (!task) return tl::unexpected(task.error());
    if (is_final(task->row.state)) {
        return problem(ErrorCode::CONFLICT, ended.report.task.text + " has ended: " +
                                                std::string(to_string(task->row.state)));
    }
    note("dry run: nothing was reported; " + std::to_string(ended.contents.size()) +
         " artifacts would be sent, " +
         (ended.report.lease.is_set() ? "under the lease " + to_string(ended.report.lease)
                                      : std::string("with a claim and its end in one")));
    return print({Shape::kOne, {}, kEndColumns, {task_record(task->row)}}, options);
}

Ending end_task(const Context& context, wire::Body (*make)(const Arguments&, const wire::Report&)) {
    auto ended = read_report(context.args);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->own && context.args.has("dry-run")) {
        note("dry run: the worker would report it");
        return ExitCode::kDone;
    }
    auto session = open_session(context, ended->own);
    if (!session) return tl::unexpected(session.error());
    if (context.args.has("dry-run")) return say_dry_run(**session, *ended, context.output);
    auto accepted = ended->own ? tell_worker(**session, *ended, make, context.args)
                               : send_report(**session, *ended, make, context.args);
    if (!accepted) return tl::unexpected(accepted.error());
    Json fields = Json::object();
    fields.set("id", to_json(accepted->task));
    fields.set("state", to_json(accepted->state));
    fields.set("attempt", to_json(accepted->attempt));
    return print({Shape::kOne, {}, kEndColumns, {with_schema("zq/task/v1", fields)}},
                 context.output);
}

wire::Body make_complete(const Arguments&, const wire::Report& report) {
    return wire::Complete{report};
}

wire::Body make_skip(const Arguments& args, const wire::Report& report) {
    return wire::Skip{report, args.text("reason")};
}

wire::Body make_fail(const Arguments& args, const wire::Report& report) {
    // The flags were checked before: run_fail.
    auto failure = args.has("permanent") ? FailureClass::kPermanent : FailureClass::kError;
    from_text(args.text("class"), failure);
    const auto retry_after = args.duration("retry-after");
    return wire::Fail{report, args.text("reason"), failure, std::nullopt,
                      retry_after ? retry_after->value_or(Millis{}) : Millis{}};
}

wire::Body make_release(const Arguments& args, const wire::Report& report) {
    // The flag was checked before: run_release.
    const auto delay = args.duration("delay");
    return wire::Release{report, args.text("reason"), ReleaseCause::kReleased,
                         delay ? delay->value_or(Millis{}) : Millis{}, std::nullopt};
}

Ending run_complete(const Context& context) {
    return end_task(context, make_complete);
}
Ending run_skip(const Context& context) {
    return end_task(context, make_skip);
}

Ending run_fail(const Context& context) {
    const Arguments& args = context.args;
    if (!args.has("reason")) return usage("--reason TEXT is missing");
    FailureClass failure{};
    if (args.has("class") && !from_text(args.text("class"), failure)) {
        return usage(
            "--class takes error, transient, rate_limited, permanent, context_overflow, "
            "refusal or contract, not '" +
            args.text("class") + "'");
    }
    if (args.has("class") && args.has("permanent")) return usage("either --class or --permanent");
    if (auto after = args.duration("retry-after"); !after) return tl::unexpected(after.error());
    return end_task(context, make_fail);
}

Ending run_release(const Context& context) {
    if (auto delay = context.args.duration("delay"); !delay) return tl::unexpected(delay.error());
    auto operands = own_operands(context.args, 1);
    if (!operands) return tl::unexpected(operands.error());
    auto own = own_task(context.args, operands->id);
    if (!own) return tl::unexpected(own.error());
    if (*own) return end_task(context, make_release);
    const TaskId task(operands->id);
    auto lease = find_lease(context.args, task);
    if (!lease) return tl::unexpected(lease.error());
    if (!*lease) {
        return problem(ErrorCode::CONFLICT, "no lease of " + task.text + " is known here",
                       "pass --lease, or `zq cancel` the task");
    }
    return end_task(context, make_release);
}

constexpr Flag kLeaseFlag{"lease", "TOKEN",
                          "The lease (default: ZQ_LEASE, then what `zq claim` kept)"};
constexpr Flag kFromFlag{"from", "NAME", "Who reports (default: ZQ_FROM, then the user's name)"};
constexpr Flag kSummaryFlag{"summary", "TEXT", "The result in a line"};
constexpr Flag kArtifactFlag{"artifact", "[NAME=]FILE", "A file that belongs to it; repeatable",
                             Takes::kValues};
constexpr Flag kReasonFlag{"reason", "TEXT", "Why"};

constexpr auto kCompleteFlags = std::to_array<Flag>(
    {{"result-file", "FILE", "The result: artifact `result`, with the file's extension (-: stdin)"},
     kSummaryFlag,
     kArtifactFlag,
     kFromFlag,
     kLeaseFlag});
constexpr auto kFailFlags = std::to_array<Flag>(
    {kReasonFlag,
     {"permanent", "", "It would fail again: no further attempt", Takes::kNothing},
     {"class", "CLASS",
      "What kind of failure: error (default), transient, rate_limited (uses no attempt), "
      "permanent, "
      "context_overflow, refusal or contract"},
     {"retry-after", "D", "The next attempt not before D has passed"},
     kArtifactFlag,
     kFromFlag,
     kLeaseFlag});
constexpr auto kSkipFlags =
    std::to_array<Flag>({kReasonFlag, kSummaryFlag, kArtifactFlag, kFromFlag, kLeaseFlag});
constexpr auto kReleaseFlags = std::to_array<Flag>(
    {kReasonFlag, {"delay", "D", "Not before D has passed"}, kFromFlag, kLeaseFlag});

constexpr std::string_view kLeaseNotes =
    "The lease comes from --lease, ZQ_LEASE, or what `zq claim` kept. With none, a queued task is\n"
    "claimed and ended in one step; one that is leased to another is refused (exit code 5).\n"
    "Inside a task it is this task's final word, without an id: files go to $ZQ_OUT, and the\n"
    "worker reports it when the command has ended.";

constexpr auto kCommands = std::to_array<Command>({
    {"complete",
     "Worker side",
     "[ID]",
     "End a task: done",
     kLeaseNotes,
     kCompleteFlags,
     {true, true, true},
     0,
     1,
     run_complete},
    {"fail",
     "Worker side",
     "[ID]",
     "End an attempt: failed (uses one of max-attempts)",
     kLeaseNotes,
     kFailFlags,
     {true, true, true},
     0,
     1,
     run_fail},
    {"skip",
     "Worker side",
     "[ID]",
     "End a task: there was nothing to do",
     kLeaseNotes,
     kSkipFlags,
     {true, true, true},
     0,
     1,
     run_skip},
    {"release",
     "Worker side",
     "[ID]",
     "Give a task back (uses no attempt)",
     "",
     kReleaseFlags,
     {true, true, true},
     0,
     1,
     run_release},
});

}  // namespace

std::span<const Command> report_commands() {
    return kCommands;
}

}  // namespace zq::cli
