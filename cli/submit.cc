#include "cli/submit.h"

#include <array>

#include "cli/batch_request.h"
#include "cli/command_table.h"
#include "cli/copies.h"
#include "cli/own_task.h"
#include "cli/records.h"
#include "cli/result.h"
#include "cli/wait.h"

namespace zq::cli {
namespace {

constexpr int kMissingTries = 3;

wire::Submit make_request(const Submission& submission) {
    wire::Submit request{submission.spec, {}, false};
    for (const Content& content : submission.contents) {
        if (content.data) {
            request.contents.push_back({content.ref.digest, Bytes{*content.data}});
        }
    }
    return request;
}

std::string hint_for(const Error& error, const TaskSpec& spec) {
    if (error.code != ErrorCode::CONFLICT) return {};
    if (error.field == "task.idempotency_key") return "choose another --idempotency-key";
    if (error.field == "task.unique_key") {
        return "wait for that one to end, or take it: --on-unique existing";
    }
    return "`zq show " + spec.id.text + "` prints the task that has this id; choose another --id";
}

void warn_of_role(const wire::Submitted& reply, const RoleName& role) {
    if (reply.role_served) return;
    std::string line = "warning: no worker has ever served " + role.text;
    if (!reply.nearest_role.empty()) line += "; did you mean " + reply.nearest_role + "?";
    note(line);
}

Json submitted_record(const wire::Submitted& reply, const TaskSpec& spec) {
    Json fields = Json::object();
    fields.set("id", to_json(reply.task));
    fields.set("state", to_json(reply.state));
    fields.set("to", to_json(spec.role));
    fields.set("duplicate", to_json(reply.duplicate));
    fields.set("role_served", to_json(reply.role_served));
    if (!reply.nearest_role.empty()) fields.set("nearest_role", to_json(reply.nearest_role));
    return with_schema("zq/task/v1", fields);
}

constexpr auto kSubmittedColumns = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"duplicate", "DUPLICATE", Cell::kText, Where::kWide},
    {"role_served", "SERVED", Cell::kText, Where::kWide},
});

Ending print_submitted(const wire::Submitted& reply, const TaskSpec& spec,
                       const OutputOptions& options) {
    return print({Shape::kOne, {}, kSubmittedColumns, {submitted_record(reply, spec)}, false},
                 options);
}

/// Asks the coordinator to check a submission without contents or effects.
Ending dry_run(Session& session, const Submission& submission, const OutputOptions& options) {
    wire::Submit request = make_request(submission);
    request.dry_run = true;
    auto reply = session.call<wire::Submitted>(request);
    if (!reply) return tl::unexpected(reply.error());
    warn_of_role(*reply, submission.spec.role);
    note("dry run: nothing was submitted");
    return print_submitted(*reply, submission.spec, options);
}

struct Opened {
    Submission submission;
    std::unique_ptr<Session> session;
};

Expected<Opened> open_submission(const Context& context) {
    auto submission = read_submission(context.args);
    if (!submission) return tl::unexpected(submission.error());
    if (!submission->note.empty()) note(submission->note);
    // Inside a task its worker hands the submission on, with this task as its parent.
    auto own = own_task(context.args, {});
    if (!own) return tl::unexpected(own.error());
    auto session = open_session(context, *own);
    if (!session) return tl::unexpected(session.error());
    return Opened{std::move(*submission), std::move(*session)};
}

/// Who can tell how a task goes on: the coordinator, also where a worker handed the task on.
Expected<void> turn_to_coordinator(const Context& context, std::unique_ptr<Session>& session) {
    if (session->spool().empty()) return {};
    auto opened = Session::open(context);
    if (!opened) return tl::unexpected(opened.error());
    session = std::move(*opened);
    return {};
}

/// Waits for those that were submitted, a line for each that ends.
Ending wait_for_all(const Context& context, Session& session, const WaitRequest& request) {
    auto result = wait_for(session, request, [&](const wire::TaskRow& row) -> Expected<void> {
        if (context.output.format == Format::kId) return {};
        if (auto ok = print_ended(row, context.output); !ok) return tl::unexpected(ok.error());
        return {};
    });
    if (!result) return tl::unexpected(result.error());
    return conclude(request, *result);
}

/// `--to a,b,c`: all or none of the copies. Inside a task its worker hands them on one by one.
Ending submit_copies(const Context& context, Submission submission,
                     std::unique_ptr<Session>& session, std::optional<Millis> limit) {
    auto copies = copies_of(std::move(submission));
    if (!copies) return tl::unexpected(copies.error());
    std::vector<Submission*> all;
    for (Submission& copy : *copies) all.push_back(&copy);
    const bool dry = context.args.has("dry-run");
    auto reply = exchange_batch(*session, all, {true, dry});
    if (!reply) return problem(reply.error().error);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (const auto& error = reply->items[i].error) {
            const std::string which = all[i]->spec.role.text + ": " + error->message;
            return problem(Error{error->code, which, error->field, error->retry_after},
                           hint_for({error->code, {}, error->field, {}}, all[i]->spec));
        }
    }
    if (dry) note("dry run: nothing was submitted");
    const bool waits = context.args.has("wait") && !dry;
    WaitRequest request{{}, {}, 0, limit};
    for (std::size_t i = 0; i < all.size(); ++i) {
        const wire::BatchItem& item = reply->items[i];
        const wire::Submitted one{item.task, item.state.value_or(TaskState::kQueued),
                                  item.duplicate, item.role_served, item.nearest_role};
        request.tasks.push_back(item.task.text);
        warn_of_role(one, all[i]->spec.role);
        if (item.duplicate) note(item.task.text + " was submitted before");
        if (waits && context.output.is_json()) continue;
        if (auto ok = print_submitted(one, all[i]->spec, context.output); !ok) return ok;
    }
    if (!waits) return ExitCode::kDone;
    if (auto ok = turn_to_coordinator(context, session); !ok) return tl::unexpected(ok.error());
    return wait_for_all(context, *session, request);
}

Ending run_submit(const Context& context) {
    auto limit = wait_limit(context);
    if (!limit) return tl::unexpected(limit.error());
    if (context.args.has("timeout") && !context.args.has("wait")) {
        return usage("--timeout goes with --wait");
    }
    auto opened = open_submission(context);
    if (!opened) return tl::unexpected(opened.error());
    auto& [submission, session] = *opened;
    if (!submission.roles.empty()) {
        return submit_copies(context, std::move(submission), session, *limit);
    }
    if (context.args.has("dry-run")) return dry_run(*session, submission, context.output);
    auto reply = submit(*session, submission);
    if (!reply) return tl::unexpected(reply.error());
    const bool waits = context.args.has("wait");
    if (!waits || !context.output.is_json()) {
        if (auto ok = print_submitted(*reply, submission.spec, context.output); !ok) return ok;
    }
    if (!waits) return ExitCode::kDone;
    if (auto ok = turn_to_coordinator(context, session); !ok) return tl::unexpected(ok.error());
    return wait_for_all(context, *session, {{reply->task.text}, {}, 0, *limit});
}

Ending run_run(const Context& context) {
    auto limit = wait_limit(context);
    if (!limit) return tl::unexpected(limit.error());
    auto opened = open_submission(context);
    if (!opened) return tl::unexpected(opened.error());
    auto& [submission, session] = *opened;
    if (!submission.roles.empty()) {
        return usage("zq run takes one role", "`zq submit --to A,B --wait` waits for several");
    }
    if (context.args.has("dry-run")) return dry_run(*session, submission, context.output);
    auto reply = submit(*session, submission);
    if (!reply) return tl::unexpected(reply.error());
    note(reply->task.text + "  " + std::string(to_string(reply->state)) + "  " +
         submission.spec.role.text);
    if (auto ok = turn_to_coordinator(context, session); !ok) return tl::unexpected(ok.error());
    const WaitRequest request{{reply->task.text}, {}, 0, *limit};
    auto result =
        wait_for(*session, request, [](const wire::TaskRow&) -> Expected<void> { return {}; });
    if (!result) return tl::unexpected(result.error());
    if (!result->reached) return conclude(request, *result);
    return print_result(context, *session, reply->task.text, 0);
}

constexpr auto kWaitFlags = std::to_array<Flag>({
    {"wait", "", "Wait until the task has ended", Takes::kNothing},
    {"timeout", "D", "With --wait: at most this long (default: 100s off a terminal)"},
});
constexpr auto kRunFlags = std::to_array<Flag>({
    {"timeout", "D", "Wait at most this long (default: 100s off a terminal)"},
    {"raw", "", "Print the result's bytes on a terminal too, control characters and all",
     Takes::kNothing},
});

/// The flags of a task, and some more.
template <std::size_t N>
std::vector<Flag> joined(const std::array<Flag, N>& more) {
    std::vector<Flag> flags(task_flags().begin(), task_flags().end());
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

constexpr std::string_view kSubmitNotes =
    "Prints `ID  STATE  ROLE`. Repeating a submit with the same --id or --idempotency-key and the\n"
    "same content gives the same task; with other content it is refused (exit code 5).\n"
    "\n"
    "--file sends the file's content along as the input `context` (context.md for a .md file) and\n"
    "records where it was read. A context file in a folder named `tasks`, such as\n"
    "/shared/tasks/task-123.md, names its task (task-123) unless --id does.\n"
    "\n"
    "-f FILE reads the task from JSON: the names are those of the envelope (`zq show ID --json`), "
    "or\n"
    "those other queues use: ttl_seconds, max_retries, agent_type, action, context, context_ref.\n"
    "\n"
    "--to A,B,C submits a copy to each role, all or none, in one group (made if --group names\n"
    "none); with --id their ids are ID-A, ID-B, ID-C.\n"
    "\n"
    "Inside a task it goes through the task's worker: it inherits group and trace id, and carries\n"
    "the label parent=TASK.\n"
    "\n"
    "  zq submit --to review-worker --type reasoning --instructions \"Review this architecture.\"\n"
    "  zq submit --to implementation-worker --file /shared/tasks/task-123.md --expect patch";

}  // namespace

Expected<wire::Submitted> submit(Session& session, Submission& submission) {
    for (int tries = 0;; ++tries) {
        auto put = put_contents(session, submission.contents, {}, {});
        if (!put) return tl::unexpected(put.error());
        auto reply = session.try_call(make_request(submission));
        if (reply) {
            auto* submitted = std::get_if<wire::Submitted>(&reply->body);
            if (submitted == nullptr) return problem(ErrorCode::MALFORMED, "not a SUBMITTED reply");
            warn_of_role(*submitted, submission.spec.role);
            if (submitted->duplicate) note("this task was submitted before");
            return *submitted;
        }
        const CallError& refused = reply.error();
        const bool missing = refused.error.code == ErrorCode::MISSING_CONTENT;
        if (!missing || tries >= kMissingTries ||
            !send_missing(submission.contents, refused.missing)) {
            return problem(refused.error, hint_for(refused.error, submission.spec));
        }
    }
}

std::span<const Command> submit_commands() {
    static const std::vector<Flag> submit_flags = joined(kWaitFlags);
    static const std::vector<Flag> run_flags = joined(kRunFlags);
    static const auto commands = std::to_array<Command>({
        {"submit",
         "Tasks",
         "",
         "Hand a task to a role",
         kSubmitNotes,
         submit_flags,
         {true, true, true},
         0,
         0,
         run_submit},
        {"run",
         "Tasks",
         "",
         "Submit, wait, and print the result",
         "The flags are those of `zq submit`. stdout is the result alone; the exit code is the\n"
         "task's (`zq help exit-codes`).",
         run_flags,
         {true, true, true},
         0,
         0,
         run_run},
    });
    return commands;
}

}  // namespace zq::cli
