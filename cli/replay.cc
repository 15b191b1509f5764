// Work that has ended, done again: `dlq replay`, `dlq edit`, `retry`.
#include <array>
#include <sstream>

#include "cli/bulk.h"
#include "cli/command_table.h"
#include "cli/submit_spec.h"
#include "cli/text.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

Expected<std::string> read_instructions(const std::string& value) {
    if (value.empty() || value[0] != '@') return value;
    auto file = read_file(value.substr(1), limits::kInstructionsBytes);
    if (!file && file.error().code == ErrorCode::NOT_FOUND) {
        return usage("no such file: " + value.substr(1));
    }
    if (!file) return problem(file.error());
    return std::move(*file);
}

Expected<void> read_texts(const Arguments& args, wire::Changes& changes) {
    if (args.has("instructions")) {
        auto text = read_instructions(args.text("instructions"));
        if (!text) return tl::unexpected(text.error());
        changes.instructions = std::move(*text);
    }
    if (args.has("payload")) {
        auto payload = read_payload(args.text("payload"));
        if (!payload) return tl::unexpected(payload.error());
        changes.payload = std::move(*payload);
    }
    return {};
}

/// Between commas; their spelling is the coordinator's to judge.
Expected<wire::Changes> read_changes(const Arguments& args) {
    wire::Changes changes;
    changes.role = RoleName(args.text("to"));
    if (auto ok = read_texts(args, changes); !ok) return tl::unexpected(ok.error());
    if (args.has("type")) changes.type = args.text("type");
    if (args.has("limit-key")) changes.limit_key = args.text("limit-key");
    changes.allow_secrets = args.has("allow-secrets");
    if (args.has("needs")) changes.needs = comma_list(args.text("needs"));
    if (args.has("priority")) {
        auto priority = parse_priority(args.text("priority"));
        if (!priority) return tl::unexpected(priority.error());
        changes.priority = static_cast<std::uint32_t>(*priority);
    }
    auto attempts = args.number("max-attempts", 1, limits::kAttemptsMax);
    if (!attempts) return tl::unexpected(attempts.error());
    if (*attempts) changes.max_attempts = static_cast<std::uint32_t>(**attempts);
    auto run_timeout = args.duration("run-timeout");
    if (!run_timeout) return tl::unexpected(run_timeout.error());
    changes.run_timeout = *run_timeout;
    auto ttl = args.duration("ttl");
    if (!ttl) return tl::unexpected(ttl.error());
    changes.ttl = *ttl;
    return changes;
}

enum class Of : std::uint8_t { kDeadLetters, kEnded };

Expected<Deed> replay_deed(const Arguments& args, Of of) {
    auto changes = read_changes(args);
    if (!changes) return tl::unexpected(changes.error());
    wire::Replay replay;
    replay.fresh = args.has("fresh");
    replay.keep_checkpoints = replay.fresh && args.has("with-checkpoint");
    replay.dead_only = of == Of::kDeadLetters;
    replay.changes = std::move(*changes);
    replay.reason = args.text("because");
    return Deed{"replay", "queued again", "queued", [replay](const TaskId& task) {
                    wire::Replay one = replay;
                    one.task = task;
                    return wire::Body(std::move(one));
                }};
}

/// What a dry run of named tasks can see already.
Expected<void> check_states(const std::vector<wire::TaskRow>& rows, Of of) {
    for (const wire::TaskRow& row : rows) {
        const bool dead = row.state == TaskState::kDead || row.state == TaskState::kExpired;
        if (is_final(row.state) && (of == Of::kEnded || dead)) continue;
        return problem(ErrorCode::CONFLICT,
                       row.id.text + " is " + std::string(to_string(row.state)));
    }
    return {};
}

Ending carry_out(const Context& context, const std::vector<wire::TaskRow>& rows, const Deed& deed,
                 Of of) {
    if (!context.args.has("dry-run")) return do_to_all(context, rows, deed);
    if (auto ok = check_states(rows, of); !ok) return tl::unexpected(ok.error());
    return show_selected(context, rows, deed);
}

Ending run_dlq_replay(const Context& context) {
    auto deed = replay_deed(context.args, Of::kDeadLetters);
    if (!deed) return tl::unexpected(deed.error());
    auto rows = meant_tasks(context);
    if (!rows) return tl::unexpected(rows.error());
    auto consent = ask_consent(context, *rows, deed->verb);
    if (!consent) return tl::unexpected(consent.error());
    if (*consent == Consent::kDenied) return ExitCode::kDone;
    return carry_out(context, *rows, *deed, Of::kDeadLetters);
}

/// The named ones, or those that --where selects.
Expected<std::vector<wire::TaskRow>> ended_tasks(const Context& context, Session& session) {
    const Arguments& args = context.args;
    if (args.operands().empty() != args.has("where")) {
        return usage(args.has("where") ? "ids, or --where: not both"
                                       : "which? Name ids, or select by --where");
    }
    if (!args.has("where") && args.has("yes")) return usage("--yes goes with --where");
    if (!args.has("where")) return named_tasks(session, args.operands());
    auto where = read_where(args);
    if (!where) return tl::unexpected(where.error());
    std::vector<TaskState> ended;
    for (std::size_t i = 0; i < kTaskStates; ++i) {
        if (is_final(static_cast<TaskState>(i))) ended.push_back(static_cast<TaskState>(i));
    }
    return select_tasks(session, std::move(*where), ended);
}

Ending run_retry(const Context& context) {
    auto deed = replay_deed(context.args, Of::kEnded);
    if (!deed) return tl::unexpected(deed.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto rows = ended_tasks(context, **session);
    if (!rows) return tl::unexpected(rows.error());
    if (context.args.has("where")) {
        auto consent = ask_consent(context, *rows, deed->verb);
        if (!consent) return tl::unexpected(consent.error());
        if (*consent == Consent::kDenied) return ExitCode::kDone;
    }
    return carry_out(context, *rows, *deed, Of::kEnded);
}

Ending run_dlq_edit(const Context& context) {
    const Arguments& args = context.args;
    if (args.has("fresh") && !args.has("replay")) return usage("--fresh goes with --replay");
    auto changes = read_changes(args);
    if (!changes) return tl::unexpected(changes.error());
    if (*changes == wire::Changes{}) {
        return usage("what is to become another?", "say --instructions, --payload, --to, ...");
    }
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto rows = named_tasks(**session, args.operands());
    if (!rows) return tl::unexpected(rows.error());
    if (args.has("replay")) {
        auto deed = replay_deed(args, Of::kDeadLetters);
        if (!deed) return tl::unexpected(deed.error());
        return carry_out(context, *rows, *deed, Of::kDeadLetters);
    }
    const wire::Edit edit{{}, std::move(*changes), args.text("because")};
    const Deed deed{"edit", "edited", to_string(rows->front().state), [edit](const TaskId& task) {
                        wire::Edit one = edit;
                        one.task = task;
                        return wire::Body(std::move(one));
                    }};
    return carry_out(context, *rows, deed, Of::kDeadLetters);
}

constexpr Flag kFresh{"fresh", "", "Forget checkpoints and feedback: begin from nothing",
                      Takes::kNothing};
constexpr Flag kWithCheckpoint{"with-checkpoint", "",
                               "Keep the checkpoints (the default; with --fresh: them alone)",
                               Takes::kNothing};
constexpr Flag kTo{"to", "ROLE", "Give it to another role"};
constexpr Flag kReplay{"replay", "", "Queue it again at once", Takes::kNothing};
constexpr Flag kType{"type", "WORD", "Its type from now on"};
constexpr Flag kLimitKey{"limit-key", "KEY", "Whose limits it shares; \"\": nobody's"};
constexpr Flag kNeeds{"needs", "LABEL,…", "Labels its worker must have; \"\": none"};
constexpr Flag kAllowSecrets{"allow-secrets", "",
                             "Let texts pass that have what looks like a key or a password; the "
                             "journal says so",
                             Takes::kNothing};
constexpr Flag kInstructions{"instructions", "TEXT|@FILE", "What to do instead"};
constexpr Flag kPayload{"payload", "JSON|@FILE", "Structured data for the worker instead"};
constexpr Flag kPriority{"priority", "P", "low, normal, high, urgent, or 0 to 10"};
constexpr Flag kMaxAttempts{"max-attempts", "N", "Attempts in all from a replay on"};
constexpr Flag kRunTimeout{"run-timeout", "D", "Longest time of one attempt"};
constexpr Flag kTtl{"ttl", "D", "Expires if not started within D of its replay"};

constexpr auto kReplayFlags = std::to_array<Flag>(
    {kSelectRole, kSelectReason, kSelectState, kSelectSince, kSelectBefore, kWhere, kSelectLimit,
     kSelectAll, kYes, kFresh, kWithCheckpoint, kTo, kRate, kBecause});
constexpr auto kRetryFlags =
    std::to_array<Flag>({kWhere, kYes, kFresh, kWithCheckpoint, kTo, kRate, kBecause});
constexpr auto kEditFlags = std::to_array<Flag>(
    {kInstructions, kPayload, kTo, kType, kPriority, kMaxAttempts, kRunTimeout, kTtl, kLimitKey,
     kNeeds, kAllowSecrets, kReplay, kFresh, kWithCheckpoint, kBecause});

constexpr auto kCommands = std::to_array<Command>({
    {"dlq replay",
     "Failures",
     "[ID…]",
     "Queue dead and expired tasks again",
     "They keep id, history, artifacts and checkpoints; the next attempt has the next number.\n"
     "Failures, losses and deferrals are counted from 0, a ttl begins anew. Takes exact ids, or a\n"
     "selection: then it says first how many they are.",
     kReplayFlags,
     {true, true, true},
     0,
     kAnyNumber,
     run_dlq_replay},
    {"dlq edit",
     "Failures",
     "ID",
     "Repair a dead or expired task",
     "What is not named stays as it was. The task stays in the dead-letter queue until it is\n"
     "replayed (--replay: at once). The journal keeps what it was, what it became, and by whom.",
     kEditFlags,
     {true, true, true},
     1,
     1,
     run_dlq_edit},
    {"retry",
     "Tasks",
     "[ID…]",
     "Run finished tasks again",
     "As `dlq replay`, for whatever has ended: completed, skipped and cancelled ones too. Former\n"
     "results stay with their attempts. Takes exact ids, or --where: then it says first how many.",
     kRetryFlags,
     {true, true, true},
     0,
     kAnyNumber,
     run_retry},
});

}  // namespace

std::span<const Command> replay_commands() {
    return kCommands;
}

}  // namespace zq::cli
