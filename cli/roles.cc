// Roles: `role ls|show`, what holds them back or lets them go on (`pause`, `drain`, `resume`,
// `limit`), and `role purge`. `queue` is another name of `role`.
#include <algorithm>
#include <array>
#include <map>

#include "cli/bulk.h"
#include "cli/command_table.h"
#include "cli/controls.h"
#include "cli/records.h"
#include "common/base/nearest.h"

namespace zq::cli {
namespace {

/// What waits, and not for a running attempt.
constexpr auto kWaiting =
    std::to_array({TaskState::kScheduled, TaskState::kBlocked, TaskState::kQueued,
                   TaskState::kInputRequired, TaskState::kRetryWait});

struct Roles {
    std::map<std::string, Json> records;
    bool more = false;

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& [name, record] : records) all.push_back(name);
        return all;
    }
};

/// All that have tasks or workers, or of which something was said.
Expected<Roles> read_roles(Session& session) {
    auto status = session.call<wire::StatusReply>(wire::Status{});
    if (!status) return tl::unexpected(status.error());
    auto controls = read_controls(session, ControlKind::kRole);
    if (!controls) return tl::unexpected(controls.error());
    Roles roles;
    roles.more = controls->more;
    std::map<std::string, wire::RoleRow> rows;
    for (wire::RoleRow& row : status->roles) rows[row.role.text] = std::move(row);
    for (const wire::ControlRow& said : controls->rows) {
        const std::string& name = said.control.name;
        wire::RoleRow& row = rows[name];
        // One that the configuration alone knows has neither tasks nor workers.
        row.role = RoleName(name);
        row.limits = said.limits;
        roles.records.emplace(name, role_record(row, said));
    }
    for (const auto& [name, row] : rows) roles.records.emplace(name, role_record(row));
    return roles;
}

/// The role's record, or one that says that nothing holds it back.
Json record_of(const Roles& roles, const std::string& name) {
    auto at = roles.records.find(name);
    if (at != roles.records.end()) return at->second;
    wire::RoleRow row;
    row.role = RoleName(name);
    return role_record(row);
}

Ending run_ls(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto roles = read_roles(**session);
    if (!roles) return tl::unexpected(roles.error());
    View view{Shape::kList, "zq/role-list/v1", controlled_role_columns(), {}, roles->more};
    for (const auto& [name, record] : roles->records) view.records.push_back(record);
    return print(view, context.output);
}

Ending show_role(const Context& context, Session& session) {
    auto roles = read_roles(session);
    if (!roles) return tl::unexpected(roles.error());
    const std::string name = context.args.operand(0);
    if (roles->records.count(name) == 0) {
        const std::string nearest = nearest_word(name, roles->names());
        return problem(ErrorCode::NOT_FOUND, "role " + name + " has no tasks, workers or limits",
                       nearest.empty() ? "run `zq role ls`" : "did you mean " + nearest + "?");
    }
    OutputOptions options = context.output;
    if (options.format == Format::kTable) options.format = Format::kWide;
    View view{Shape::kList, {}, controlled_role_columns(), {record_of(*roles, name)}, false};
    if (options.is_json()) view.shape = Shape::kOne;
    return print(view, options);
}

Ending run_show(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    return show_role(context, **session);
}

/// A slip in the name would pause nothing, and nobody would notice.
void warn_of_unknown(const Roles& roles, const std::string& name) {
    if (roles.records.count(name) != 0) return;
    std::string text = "warning: role " + name + " has no tasks or workers yet";
    const std::string nearest = nearest_word(name, roles.names());
    if (!nearest.empty()) text += "; did you mean " + nearest + "?";
    note(text);
}

Ending change_role(const Context& context, wire::SetControl set) {
    set.kind = ControlKind::kRole;
    set.name = context.args.operand(0);
    set.reason = context.args.text("reason");
    if (auto ok = parse_name(set.name, "ROLE"); !ok) return problem(ok.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto before = read_roles(**session);
    if (!before) return tl::unexpected(before.error());
    warn_of_unknown(*before, set.name);
    if (auto ok = set_control(context, **session, set); !ok) return tl::unexpected(ok.error());
    auto after = read_roles(**session);
    if (!after) return tl::unexpected(after.error());
    return print({Shape::kOne, {}, control_columns(), {record_of(*after, set.name)}},
                 context.output);
}

Ending run_pause(const Context& context) {
    wire::SetControl set;
    set.paused = true;
    return change_role(context, std::move(set));
}

Ending run_drain(const Context& context) {
    wire::SetControl set;
    set.closed = true;
    return change_role(context, std::move(set));
}

Ending run_resume(const Context& context) {
    wire::SetControl set;
    set.paused = false;
    set.closed = false;
    return change_role(context, std::move(set));
}

Ending run_limit(const Context& context) {
    auto read = read_limits(context.args);
    if (!read) return tl::unexpected(read.error());
    wire::SetControl set;
    set.limits = *read;
    set.reset = context.args.has("reset");
    if (set.reset || set.limits != Limits{}) return change_role(context, std::move(set));
    if (context.args.has("reason")) return usage("--reason goes with a limit or --reset");
    return run_show(context);
}

Expected<std::vector<TaskState>> states_to_purge(const Arguments& args) {
    if (!args.has("state")) return std::vector<TaskState>(kWaiting.begin(), kWaiting.end());
    auto states = parse_states(args.text("state"));
    if (!states) return states;
    if (states->empty()) return usage("--state is empty");
    for (TaskState state : *states) {
        if (std::find(kWaiting.begin(), kWaiting.end(), state) != kWaiting.end()) continue;
        return usage(
            "a purge cancels what waits, and not tasks that are " + std::string(to_string(state)),
            "`zq cancel --where 'role=" + args.operand(0) +
                " state=" + std::string(to_string(state)) + "'` selects others");
    }
    return states;
}

Ending run_purge(const Context& context) {
    const std::string name = context.args.operand(0);
    if (auto ok = parse_name(name, "ROLE"); !ok) return problem(ok.error());
    auto states = states_to_purge(context.args);
    if (!states) return tl::unexpected(states.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    WhereClause where;
    where.role = RoleName(name);
    auto rows = select_tasks(**session, std::move(where), *states);
    if (!rows) return tl::unexpected(rows.error());
    const Deed deed{
        "cancel", "cancelled", {}, [reason = context.args.text("reason")](const TaskId& task) {
            return wire::Body(wire::Cancel{task, reason, false});
        }};
    auto consent = ask_consent_for_all(context, *rows, deed.verb);
    if (!consent) return tl::unexpected(consent.error());
    if (*consent == Consent::kDenied) return ExitCode::kDone;
    if (context.args.has("dry-run")) return show_selected(context, *rows, deed);
    return do_to_all(context, *rows, deed);
}

constexpr auto kReasonFlags = std::to_array<Flag>({kControlReason});
constexpr auto kLimitFlags = std::to_array<Flag>(
    {kConcurrency,
     kStartRate,
     {"max-open", "N|none", "Open tasks; a submit beyond them is refused (QUEUE_FULL)"},
     {"max-bytes", "SIZE|none",
      "Of the envelopes and inputs of open tasks, such as 1GiB; likewise"},
     kReset,
     kControlReason});
constexpr auto kPurgeFlags =
    std::to_array<Flag>({{"state", "S,…", "Only in these states (default: all that do not run)"},
                         {"reason", "TEXT", "Kept with the tasks"},
                         kYes});

constexpr auto kCommands = std::to_array<Command>({
    {"role ls",
     "Roles and limits",
     "",
     "List roles: tasks, workers, limits, and what holds them back",
     "`zq role` alone does the same; `zq queue` is another name of `zq role`. State: open; paused "
     "(nothing\n"
     "starts); draining (nothing is taken in, what is there is worked off).",
     {},
     {true, true, false},
     0,
     0,
     run_ls},
    {"role show",
     "Roles and limits",
     "ROLE",
     "One role, and who said what of it",
     "",
     {},
     {true, true, false},
     1,
     1,
     run_show},
    {"role pause",
     "Roles and limits",
     "ROLE",
     "Start nothing of a role; submits are taken, and what runs goes on",
     "It lasts until `zq role resume`, also over restarts of the coordinator.",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_pause},
    {"role drain",
     "Roles and limits",
     "ROLE",
     "Take nothing in for a role (DRAINING), and work off what is there",
     "It lasts until `zq role resume`, also over restarts of the coordinator.",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_drain},
    {"role resume",
     "Roles and limits",
     "ROLE",
     "Let a role go on that is paused or draining",
     "",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_resume},
    {"role limit",
     "Roles and limits",
     "ROLE",
     "Set a role's limits, or show them",
     "What is set here wins over [roles.NAME.limits] of the coordinator's settings, and survives "
     "restarts.\n"
     "What is not named stays as it is; `none` is no limit, whatever the settings say.",
     kLimitFlags,
     {true, true, true},
     1,
     1,
     run_limit},
    {"role purge",
     "Roles and limits",
     "ROLE",
     "Cancel the tasks of a role that do not run",
     "Says first how many they are; off a terminal it needs --yes. States: scheduled, blocked, "
     "queued,\n"
     "input_required, retry_wait. One that starts meanwhile is cancelled as it runs: pause the "
     "role "
     "first\n"
     "where that matters.",
     kPurgeFlags,
     {true, true, true},
     1,
     1,
     run_purge},
});

}  // namespace

std::span<const Command> role_commands() {
    return kCommands;
}

}  // namespace zq::cli
