// Tasks as lists and lines: `ls`, `cancel`.
#include <array>

#include "cli/bulk.h"
#include "cli/command_table.h"
#include "cli/records.h"

namespace zq::cli {
namespace {

constexpr std::uint64_t kRowsDefault = 50;

Ending print_tasks(const Context& context, wire::List query, std::span<const Column> columns,
                   std::uint64_t fallback) {
    auto where = read_where(context.args);
    if (!where) return tl::unexpected(where.error());
    auto limit = context.args.number("limit", 1, kRowsMost);
    if (!limit) return tl::unexpected(limit.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (auto ok = add_conditions(**session, *where, query); !ok) return tl::unexpected(ok.error());
    auto listed = list_tasks(**session, query, limit->value_or(fallback));
    if (!listed) return tl::unexpected(listed.error());
    View view{Shape::kList, "zq/task-list/v1", columns, {}, listed->more};
    for (const wire::TaskRow& row : listed->rows) view.records.push_back(task_record(row));
    if (auto ok = print(view, context.output); !ok) return ok;
    if (listed->more && context.output.terminal) {
        note("there are more; --limit N shows up to N");
    }
    return ExitCode::kDone;
}

Ending run_ls(const Context& context) {
    auto states = parse_states(context.args.text("state"));
    if (!states) return tl::unexpected(states.error());
    wire::List query;
    query.states = std::move(*states);
    query.role = RoleName(context.args.text("to"));
    query.group = GroupName(context.args.text("group"));
    query.from = context.args.text("from");
    query.trace_id = context.args.text("trace");
    return print_tasks(context, std::move(query), task_columns(), kRowsDefault);
}

Json accepted_record(const wire::Accepted& accepted) {
    Json fields = Json::object();
    fields.set("id", to_json(accepted.task));
    fields.set("state", to_json(accepted.state));
    return with_schema("zq/task/v1", fields);
}

constexpr auto kAcceptedColumns =
    std::to_array<Column>({{"id", "ID"}, {"state", "STATE", Cell::kState}});

/// Every open task that is selected: says first how many they are.
Ending cancel_selected(const Context& context) {
    const Arguments& args = context.args;
    auto where = read_where(args);
    if (!where) return tl::unexpected(where.error());
    if (args.has("group")) {
        if (!where->group.empty()) return usage("the group is said by a flag and in --where");
        where->group = GroupName(args.text("group"));
    }
    if (where->is_empty()) return usage("--group is empty");
    std::vector<TaskState> open;
    for (std::size_t i = 0; i < kTaskStates; ++i) {
        const auto state = static_cast<TaskState>(i);
        if (!is_final(state) && state != TaskState::kCancelling) open.push_back(state);
    }
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto rows = select_tasks(**session, std::move(*where), open);
    if (!rows) return tl::unexpected(rows.error());
    const Deed deed{
        "cancel",
        "cancelled",
        {},
        [reason = args.text("reason"), cascade = args.has("cascade")](const TaskId& task) {
            return wire::Body(wire::Cancel{task, reason, cascade});
        }};
    auto consent = ask_consent(context, *rows, deed.verb);
    if (!consent) return tl::unexpected(consent.error());
    if (*consent == Consent::kDenied) return ExitCode::kDone;
    if (args.has("dry-run")) return show_selected(context, *rows, deed);
    return do_to_all(context, *rows, deed);
}

Ending run_cancel(const Context& context) {
    const bool selected = context.args.has("where") || context.args.has("group");
    if (selected == !context.args.operands().empty()) {
        return usage(selected ? "ids, or --where and --group: not both"
                              : "which? Name ids, or select by --group or --where");
    }
    if (selected) return cancel_selected(context);
    if (context.args.has("yes")) return usage("--yes goes with --group or --where");
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    for (const std::string& id : context.args.operands()) {
        wire::Accepted accepted{TaskId(id), TaskState::kCancelled, 0};
        if (context.args.has("dry-run")) {
            auto task = (*session)->call<wire::TaskReply>(wire::Get{TaskId(id), false});
            if (!task) return tl::unexpected(task.error());
            if (is_final(task->row.state)) {
                return problem(ErrorCode::CONFLICT,
                               id + " has ended: " + std::string(to_string(task->row.state)));
            }
            note("dry run: " + id + " would be cancelled");
            accepted.state = task->row.state;
        } else {
            auto reply = (*session)->call<wire::Accepted>(
                wire::Cancel{TaskId(id), context.args.text("reason"), context.args.has("cascade")});
            if (!reply) return tl::unexpected(reply.error());
            accepted = *reply;
        }
        auto ok =
            print({Shape::kOne, {}, kAcceptedColumns, {accepted_record(accepted)}}, context.output);
        if (!ok) return ok;
    }
    return ExitCode::kDone;
}

constexpr auto kLsFlags = std::to_array<Flag>({
    {"state", "S,…", "Only in these states"},
    {"to", "ROLE", "Only for this role"},
    {"group", "NAME", "Only of this group"},
    {"from", "NAME", "Only submitted by this name"},
    {"trace", "ID", "Only with this trace id"},
    kWhere,
    {"limit", "N", "At most this many, the newest first (default 50)"},
});
constexpr auto kCancelFlags = std::to_array<Flag>({
    {"reason", "TEXT", "Kept with the task"},
    {"cascade", "", "Those that wait for it too, and for them, and so on", Takes::kNothing},
    {"group", "NAME", "All open tasks of this group"},
    kWhere,
    kYes,
});

constexpr auto kCommands = std::to_array<Command>({
    {"ls",
     "Tasks",
     "",
     "List tasks, the newest first",
     "States: scheduled, blocked, queued, running, input_required, retry_wait, cancelling; ended: "
     "completed, skipped,\n"
     "cancelled, expired, dead. --where may be repeated, and the coordinator evaluates it; a "
     "value\n"
     "with spaces stands in double quotes; since and before are of a task's end, or of its submit\n"
     "while it is open:\n"
     "\n"
     "  zq ls --where 'state=dead role=review label.team=x since=2h'",
     kLsFlags,
     {true, true, false},
     0,
     0,
     run_ls},
    {"cancel",
     "Tasks",
     "[ID…]",
     "Cancel tasks",
     "A waiting task ends at once; a running one becomes `cancelling` and its worker is told.\n"
     "Takes exact ids, or a selection: then it says first how many they are, and off a terminal\n"
     "needs --yes.",
     kCancelFlags,
     {true, true, true},
     0,
     kAnyNumber,
     run_cancel},
});

}  // namespace

std::span<const Command> task_commands() {
    return kCommands;
}

}  // namespace zq::cli
