// Limit keys: `limit ls|show|set|pause|resume`. A limit key is a name that tasks of any roles share
// (`zq submit --limit-key`), such as the account that they use.
#include <array>

#include "cli/command_table.h"
#include "cli/controls.h"
#include "cli/records.h"
#include "common/base/nearest.h"

namespace zq::cli {
namespace {

struct Keys {
    wire::ControlRows rows;
    Instant now;  // of the coordinator
};

Expected<Keys> read_keys(Session& session, const std::string& name = {}) {
    auto rows = read_controls(session, ControlKind::kLimitKey, name);
    if (!rows) return tl::unexpected(rows.error());
    auto pong = session.call<wire::Pong>(wire::Ping{});
    if (!pong) return tl::unexpected(pong.error());
    return Keys{std::move(*rows), pong->now};
}

Ending run_ls(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto keys = read_keys(**session);
    if (!keys) return tl::unexpected(keys.error());
    View view{Shape::kList, "zq/limit-list/v1", limit_columns(), {}, keys->rows.more};
    for (const wire::ControlRow& row : keys->rows.rows) {
        view.records.push_back(limit_record(row, keys->now));
    }
    return print(view, context.output);
}

tl::unexpected<Problem> no_such_key(Session& session, const std::string& name) {
    std::vector<std::string> names;
    if (auto all = read_keys(session)) {
        for (const wire::ControlRow& row : all->rows.rows) names.push_back(row.control.name);
    }
    const std::string nearest = nearest_word(name, names);
    return problem(ErrorCode::NOT_FOUND,
                   "no open task has the limit key " + name + ", and it has no limits of its own",
                   nearest.empty() ? "run `zq limit ls`" : "did you mean " + nearest + "?");
}

Ending run_show(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    const std::string name = context.args.operand(0);
    auto keys = read_keys(**session, name);
    if (!keys) return tl::unexpected(keys.error());
    if (keys->rows.rows.empty()) return no_such_key(**session, name);
    OutputOptions options = context.output;
    if (options.format == Format::kTable) options.format = Format::kWide;
    const Json record = limit_record(keys->rows.rows.front(), keys->now);
    View view{Shape::kList, {}, limit_columns(), {record}, false};
    if (options.is_json()) view.shape = Shape::kOne;
    return print(view, options);
}

Ending change_key(const Context& context, wire::SetControl set) {
    set.kind = ControlKind::kLimitKey;
    set.name = context.args.operand(0);
    set.reason = context.args.text("reason");
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (auto ok = set_control(context, **session, set); !ok) return tl::unexpected(ok.error());
    auto keys = read_keys(**session, set.name);
    if (!keys) return tl::unexpected(keys.error());
    wire::ControlRow row;  // of one that nothing is known of any more
    row.control.kind = set.kind;
    row.control.name = set.name;
    if (!keys->rows.rows.empty()) row = std::move(keys->rows.rows.front());
    return print({Shape::kOne, {}, control_columns(), {limit_record(row, keys->now)}},
                 context.output);
}

Ending run_set(const Context& context) {
    auto read = read_limits(context.args);
    if (!read) return tl::unexpected(read.error());
    wire::SetControl set;
    set.limits = *read;
    set.reset = context.args.has("reset");
    if (!set.reset && set.limits == Limits{}) {
        return usage("which limit? --concurrency N, --rate RATE, or --reset",
                     "`zq limit show " + context.args.operand(0) + "` prints those that hold");
    }
    return change_key(context, std::move(set));
}

Ending run_pause(const Context& context) {
    wire::SetControl set;
    set.paused = true;
    return change_key(context, std::move(set));
}

Ending run_resume(const Context& context) {
    wire::SetControl set;
    set.paused = false;
    return change_key(context, std::move(set));
}

constexpr auto kReasonFlags = std::to_array<Flag>({kControlReason});
constexpr auto kSetFlags = std::to_array<Flag>({kConcurrency, kStartRate, kReset, kControlReason});

constexpr auto kCommands = std::to_array<Command>({
    {"limit ls",
     "Roles and limits",
     "",
     "List limit keys: tasks, limits, and what holds them back",
     "`zq limit` alone does the same. A task has one by `zq submit --limit-key KEY`. State: open; "
     "paused;\n"
     "held: one of its tasks was rate limited, and nothing with that key starts until it may go "
     "on.",
     {},
     {true, true, false},
     0,
     0,
     run_ls},
    {"limit show",
     "Roles and limits",
     "KEY",
     "One limit key, and who said what of it",
     "",
     {},
     {true, true, false},
     1,
     1,
     run_show},
    {"limit set",
     "Roles and limits",
     "KEY",
     "Set a limit key's limits; KEY '*': of all that have none of their own",
     "What is set here wins over [limit_keys.KEY] of the coordinator's settings, and survives "
     "restarts.\n"
     "What is not named stays as it is; `none` is no limit, whatever the settings say.",
     kSetFlags,
     {true, true, true},
     1,
     1,
     run_set},
    {"limit pause",
     "Roles and limits",
     "KEY",
     "Start nothing that has this limit key; what runs goes on",
     "",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_pause},
    {"limit resume",
     "Roles and limits",
     "KEY",
     "Let tasks with this limit key go on, after a rate limit too",
     "",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_resume},
});

}  // namespace

std::span<const Command> limit_commands() {
    return kCommands;
}

}  // namespace zq::cli
