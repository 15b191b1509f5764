// What tasks ask of people: `approvals` lists it, `answer` answers.
#include <algorithm>
#include <array>

#include "cli/command_table.h"
#include "cli/contents.h"
#include "cli/records.h"
#include "cli/session.h"

namespace zq::cli {
namespace {

constexpr std::uint64_t kRowsDefault = 100;

constexpr auto kColumns = std::to_array<Column>({
    {"id", "TASK"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"asked_at", "ASKED", Cell::kTime},
    {"choices", "CHOICES"},
    {"question", "QUESTION"},
    {"kind", "ABOUT"},
    {"digest", "DIGEST", Cell::kText, Where::kWide},
    {"until", "UNTIL", Cell::kTime, Where::kWide},
    {"question_id", "QUESTION ID", Cell::kText, Where::kWide},
    {"attempt", "ATTEMPT", Cell::kText, Where::kWide},
    {"worker", "WORKER", Cell::kText, Where::kWide},
    {"group", "GROUP", Cell::kText, Where::kWide},
    {"type", "TYPE", Cell::kText, Where::kOnAsking},
    {"from", "FROM", Cell::kText, Where::kOnAsking},
});

Ending run_ls(const Context& context) {
    wire::Questions query;
    query.role = RoleName(context.args.text("role"));
    query.group = GroupName(context.args.text("group"));
    auto limit = context.args.number("limit", 1, limits::kListRows);
    if (!limit) return tl::unexpected(limit.error());
    query.limit = static_cast<std::uint32_t>(limit->value_or(kRowsDefault));
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto reply = (*session)->call<wire::QuestionRows>(query);
    if (!reply) return tl::unexpected(reply.error());
    View view{Shape::kList, "zq/question-list/v1", kColumns, {}, reply->more};
    for (const wire::QuestionRow& row : reply->rows) {
        view.records.push_back(question_row_record(row));
    }
    if (auto ok = print(view, context.output); !ok) return ok;
    if (reply->more && context.output.terminal) {
        note("there are more; --limit N shows up to N");
    }
    return ExitCode::kDone;
}

Expected<wire::AnswerQuestion> read_answer(const Arguments& args) {
    wire::AnswerQuestion said;
    said.task = TaskId(args.operand(0));
    said.question = args.text("question");
    said.choice = args.text("choice");
    said.answer = args.operand(1);
    if (args.has("file")) {
        if (!said.answer.empty()) return usage("either TEXT or --file FILE");
        auto content = read_content(args.text("file"), "answer");
        if (!content) return tl::unexpected(content.error());
        if (!content->data || content->data->size() > limits::kAnswerBytes) {
            return usage("an answer has at most " + std::to_string(limits::kAnswerBytes) + " bytes",
                         "put the rest where the task can read it, and say where");
        }
        said.answer = *content->data;
    }
    said.allow_secrets = args.has("allow-secrets");
    if (said.choice.empty() && said.answer.empty()) {
        return usage("an answer is missing: TEXT, --choice or --file",
                     "`zq show " + said.task.text + "` says what is asked");
    }
    return said;
}

Ending say_dry_run(const Context& context, Session& session, const wire::AnswerQuestion& said) {
    auto task = session.call<wire::TaskReply>(wire::Get{said.task, false});
    if (!task) return tl::unexpected(task.error());
    if (task->row.question.empty()) {
        return problem(ErrorCode::CONFLICT, said.task.text + " asks nothing: it is " +
                                                std::string(to_string(task->row.state)));
    }
    note("dry run: this would be answered: " + task->row.question);
    return print({Shape::kOne, {}, task_status_columns(), {task_record(task->row)}},
                 context.output);
}

/// Says it, and prints what the task is then.
Ending say(const Context& context, Session& session, const wire::AnswerQuestion& said) {
    auto accepted = session.call<wire::Accepted>(said);
    if (!accepted) {
        const ErrorCode code = accepted.error().error.code;
        if (code != ErrorCode::CONFLICT) return tl::unexpected(accepted.error());
        return problem(accepted.error().error,
                       "`zq approvals` lists the open questions, `zq show " + said.task.text +
                           "` the answers that were given");
    }
    static constexpr auto kAccepted =
        std::to_array<Column>({{"id", "ID"}, {"state", "STATE", Cell::kState}});
    Json fields = Json::object();
    fields.set("id", to_json(accepted->task));
    fields.set("state", to_json(accepted->state));
    return print({Shape::kOne, {}, kAccepted, {with_schema("zq/task/v1", fields)}}, context.output);
}

Ending run_answer(const Context& context) {
    auto said = read_answer(context.args);
    if (!said) return tl::unexpected(said.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (context.args.has("dry-run")) return say_dry_run(context, **session, *said);
    return say(context, **session, *said);
}

/// What is to be approved, and the word about it: bound to the digest that was shown.
Ending decide(const Context& context, std::string_view choice) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    const TaskId id(context.args.operand(0));
    auto task = (*session)->call<wire::TaskReply>(wire::Get{id, false});
    if (!task) return tl::unexpected(task.error());
    const auto open = std::find_if(task->questions.begin(), task->questions.end(), [](auto& q) {
        return q.kind == QuestionKind::kApproval && q.state == QuestionState::kOpen;
    });
    if (open == task->questions.end()) {
        return problem(
            ErrorCode::CONFLICT,
            id.text + " waits for no approval: it is " + std::string(to_string(task->row.state)),
            "`zq approvals` lists what waits");
    }
    const std::string digest = to_hex(open->digest);
    const std::string expected = context.args.text("digest");
    if (!expected.empty() && digest.rfind(expected, 0) != 0) {
        return problem(ErrorCode::CONFLICT,
                       "what waits for approval has the digest " + digest + ", not " + expected,
                       "`zq show " + id.text + "` says what it is now");
    }
    wire::AnswerQuestion said;
    said.task = id;
    said.question = open->id;
    said.choice = choice;
    said.answer = context.args.text("note");
    said.digest = open->digest;
    if (context.args.has("dry-run")) {
        note("dry run: nothing was said; " + open->text);
        return print({Shape::kOne, {}, task_status_columns(), {task_record(task->row)}},
                     context.output);
    }
    return say(context, **session, said);
}

Ending run_approve(const Context& context) {
    return decide(context, kApproveChoice);
}

Ending run_reject(const Context& context) {
    if (context.args.text("note").empty()) {
        return usage("say why: --note TEXT", "the submitter reads it with the task");
    }
    return decide(context, kRejectChoice);
}

constexpr auto kLsFlags = std::to_array<Flag>({
    {"role", "ROLE", "Only of this role"},
    {"group", "NAME", "Only of this group"},
    {"limit", "N", "At most this many, the longest waiting first (default 100)"},
});
constexpr auto kApproveFlags = std::to_array<Flag>({
    {"note", "TEXT", "What is to be remembered of it"},
    {"digest", "HEX", "Only if this is the digest of what waits (its beginning is enough)"},
});
constexpr auto kRejectFlags = std::to_array<Flag>({
    {"note", "TEXT", "Why"},
    {"digest", "HEX", "Only if this is the digest of what waits (its beginning is enough)"},
});
constexpr auto kAnswerFlags = std::to_array<Flag>({
    {"choice", "TEXT", "One of the question's choices; TEXT may explain it"},
    {"file", "FILE", "The answer's text (-: stdin)"},
    {"allow-secrets", "",
     "Let an answer pass that has what looks like a key or a password; the journal says so",
     Takes::kNothing},
    {"question", "ID", "Only if this is the question that is open"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"approvals ls",
     "Tasks",
     "",
     "List what tasks ask of people",
     "`zq approvals` alone does the same. State input_required: the task waits for the answer "
     "without\n"
     "a worker; running: its attempt waits and keeps its slot.",
     kLsFlags,
     {true, true, false},
     0,
     0,
     run_ls},
    {"approve",
     "Tasks",
     "ID",
     "Let a task start, or its result count, that waits for approval",
     "It is bound to the digest of what was shown. Needs the permission approve, and where the "
     "task\n"
     "says so another identity than the submitter's. Needs an exact id.",
     kApproveFlags,
     {true, true, true},
     1,
     1,
     run_approve},
    {"reject",
     "Tasks",
     "ID --note TEXT",
     "End a task that waits for approval: dead, with reason rejected",
     "`zq dlq replay` runs it again later; then it is to be approved anew. Needs an exact id.",
     kRejectFlags,
     {true, true, true},
     1,
     1,
     run_reject},
    {"answer",
     "Tasks",
     "ID [TEXT]",
     "Answer what a task asks",
     "A question with choices is answered by one of them: as TEXT, or by --choice with TEXT beside "
     "it.\n"
     "The same answer may be given again; another one is refused (exit code 5). Needs an exact id.",
     kAnswerFlags,
     {true, true, true},
     1,
     2,
     run_answer},
});

}  // namespace

std::span<const Command> approval_commands() {
    return kCommands;
}

}  // namespace zq::cli
