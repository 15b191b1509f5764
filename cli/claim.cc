// Working a task by hand: `claim`, and what a holder says while it works: `heartbeat`, `progress`.
// How it ends is report.cc's.
#include <algorithm>
#include <array>

#include "cli/command_table.h"
#include "cli/lease_file.h"
#include "cli/own_task.h"
#include "cli/records.h"
#include "cli/session.h"
#include "cli/submit_spec.h"
#include "cli/text.h"
#include "common/platform/clock.h"

namespace zq::cli {
namespace {

constexpr auto kClaimColumns = std::to_array<Column>({
    {"id", "ID"},
    {"state", "STATE", Cell::kState},
    {"to", "ROLE"},
    {"attempt", "ATTEMPT", Cell::kText, Where::kWide},
    {"lease", "LEASE", Cell::kText, Where::kOnAsking},
    {"lease_ms", "TERM", Cell::kDuration, Where::kOnAsking},
    {"type", "TYPE", Cell::kText, Where::kWide},
    {"from", "FROM", Cell::kText, Where::kWide},
    {"envelope", "ENVELOPE", Cell::kText, Where::kOnAsking},
    {"instructions", "INSTRUCTIONS"},
});

Json claimed_record(const wire::Claimed& claimed) {
    Json fields = Json::object();
    fields.set("id", to_json(claimed.task.id));
    fields.set("state", Json::text(to_string(TaskState::kRunning)));
    fields.set("to", to_json(claimed.task.role));
    fields.set("attempt", to_json(claimed.attempt));
    fields.set("lease", to_json(claimed.lease));
    fields.set("lease_ms", to_json(claimed.term));
    fields.set("type", to_json(claimed.task.type));
    fields.set("from", to_json(claimed.task.from));
    fields.set("instructions", to_json(claimed.task.instructions));
    if (claimed.feedback.attempt != 0) fields.set("feedback", to_json(claimed.feedback));
    fields.set("envelope", envelope_record(claimed.task));
    return with_schema("zq/claim/v1", fields);
}

Expected<wire::Claim> read_claim(const Arguments& args) {
    wire::Claim claim;
    claim.role = RoleName(args.text("role"));
    claim.task = TaskId(args.text("id"));
    if (claim.role.empty() && claim.task.empty()) {
        return usage("--role ROLE (the next task) or --id ID (this one) is missing");
    }
    claim.from = args.has("from") ? args.text("from") : default_from();
    auto lease = args.duration("lease");
    if (!lease) return tl::unexpected(lease.error());
    claim.lease = lease->value_or(claim.lease);
    if (claim.lease < limits::kLeaseMin || claim.lease > limits::kLeaseMax) {
        return usage("--lease is 1s to 7d");
    }
    return claim;
}

/// Asks again until `wait` has passed: one long poll after the other.
Expected<wire::Claimed> claim_within(Session& session, wire::Claim claim, Millis wait) {
    const Millis start = boottime();
    while (true) {
        const Millis left = wait - (boottime() - start);
        claim.wait = std::clamp(left, Millis{}, kPollSlice);
        auto claimed = session.call<wire::Claimed>(claim, claim.wait);
        if (claimed || claimed.error().error.code != ErrorCode::NOTHING_TO_CLAIM) return claimed;
        if (left.count <= 0) return claimed;
    }
}

void note_next_steps(const wire::Claimed& claimed) {
    const std::string& id = claimed.task.id.text;
    if (claimed.feedback.attempt != 0) {
        note("sent back: the result of attempt " + std::to_string(claimed.feedback.attempt) +
             " was not accepted: " + escape_line(claimed.feedback.text));
    }
    for (const ArtifactRef& input : claimed.task.inputs) {
        if (input.by_reference) {
            note("input: " + input.uri + "   (by reference; `zq artifact verify " + id +
                 "` compares its digest)");
            continue;
        }
        note("input: zq artifact cat " + id + " " + input.name + "   (" + human_size(input.size) +
             ")");
    }
    note("leased for " + human_duration(claimed.term) + "; end it with `zq complete " + id +
         " --result-file FILE`, `zq fail " + id + " --reason TEXT` or `zq release " + id + "`");
}

Ending run_claim(const Context& context) {
    auto claim = read_claim(context.args);
    if (!claim) return tl::unexpected(claim.error());
    auto wait = context.args.duration("wait");
    if (!wait) return tl::unexpected(wait.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    if (context.args.has("dry-run")) {
        wire::List ready;
        ready.states = {TaskState::kQueued};
        ready.role = claim->role;
        auto tasks = (*session)->call<wire::Tasks>(ready);
        if (!tasks) return tl::unexpected(tasks.error());
        note("dry run: nothing was claimed; " + std::to_string(tasks->rows.size()) +
             (tasks->more ? " or more" : "") + " tasks are ready");
        return ExitCode::kDone;
    }
    auto claimed = claim_within(**session, *claim, wait->value_or(Millis{}));
    if (!claimed) return tl::unexpected(claimed.error());
    auto saved = save_lease({claimed->task.id, claimed->attempt, claimed->lease});
    if (!saved) {
        note("warning: the lease is kept nowhere; pass --lease " + to_string(claimed->lease) +
             ": " + saved.error().error.message);
    }
    note_next_steps(*claimed);
    return print({Shape::kOne, {}, kClaimColumns, {claimed_record(*claimed)}}, context.output);
}

/// A holder's word on its way: the conversation, and the lease it is about. Of the task around this
/// command, else the one that is known here; its attempt is 0 where that is not.
struct Holding {
    std::unique_ptr<Session> session;
    wire::HeldLease lease;
};

Expected<Holding> open_holding(const Context& context, const std::string& id) {
    auto own = own_task(context.args, id);
    if (!own) return tl::unexpected(own.error());
    auto session = open_session(context, *own);
    if (!session) return tl::unexpected(session.error());
    if (*own) return Holding{std::move(*session), (*own)->held};
    auto lease = find_lease(context.args, TaskId(id));
    if (!lease) return tl::unexpected(lease.error());
    if (*lease) return Holding{std::move(*session), **lease};
    return problem(ErrorCode::CONFLICT, "no lease of " + id + " is known here",
                   "claim it (`zq claim --id " + id + "`), or pass --lease");
}

constexpr auto kVerdictColumns =
    std::to_array<Column>({{"id", "ID"}, {"verdict", "VERDICT", Cell::kState}});

Ending run_heartbeat(const Context& context) {
    auto operands = own_operands(context.args, 1);
    if (!operands) return tl::unexpected(operands.error());
    auto holding = open_holding(context, operands->id);
    if (!holding) return tl::unexpected(holding.error());
    wire::HeldLease& lease = holding->lease;
    const TaskId& task = lease.task;
    if (lease.attempt == 0) {
        auto row = holding->session->call<wire::TaskReply>(wire::Get{task, false});
        if (!row) return tl::unexpected(row.error());
        lease.attempt = row->row.attempts;
    }
    if (context.args.has("dry-run")) {
        note("dry run: the lease " + to_string(lease.lease) + " would be renewed");
        return ExitCode::kDone;
    }
    auto beat = holding->session->call<wire::Beat>(wire::Heartbeat{0, {}, {lease}, {}});
    if (!beat) return tl::unexpected(beat.error());
    const Verdict verdict = beat->leases.empty() ? Verdict::kStale : beat->leases.front().verdict;
    Json fields = Json::object();
    fields.set("id", to_json(task));
    fields.set("verdict", to_json(verdict));
    auto printed =
        print({Shape::kOne, {}, kVerdictColumns, {with_schema("zq/heartbeat/v1", fields)}},
              context.output);
    if (!printed) return printed;
    switch (verdict) {
        case Verdict::kOk:
            return ExitCode::kDone;
        case Verdict::kCancel:
            note("a cancel was asked: stop, and run `zq release " + task.text + "`");
            return ExitCode::kCancelled;
        case Verdict::kBudget:
            note("the budget is used up: stop, and run `zq release " + task.text + "`");
            return ExitCode::kRefused;
        case Verdict::kStale:
            drop_lease(task);
            return ExitCode::kConflict;
    }
    return ExitCode::kUnexpected;
}

Expected<std::uint32_t> parse_percent(const std::string& text) {
    std::string digits = text;
    if (!digits.empty() && digits.back() == '%') digits.pop_back();
    const bool numeric =
        !digits.empty() && digits.size() <= 3 &&
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!numeric || std::stoi(digits) > 100)
        return usage("PERCENT is 0 to 100, not '" + text + "'");
    return static_cast<std::uint32_t>(std::stoi(digits));
}

Ending run_progress(const Context& context) {
    auto operands = own_operands(context.args, 2);
    if (!operands) return tl::unexpected(operands.error());
    auto percent = parse_percent(operands->others.front());
    if (!percent) return tl::unexpected(percent.error());
    auto holding = open_holding(context, operands->id);
    if (!holding) return tl::unexpected(holding.error());
    const TaskId& task = holding->lease.task;
    if (context.args.has("dry-run")) {
        note("dry run: progress would be reported");
        return ExitCode::kDone;
    }
    const wire::Progress progress{task, holding->lease.lease, *percent, context.args.text("step"),
                                  context.args.text("message")};
    auto accepted = holding->session->call<wire::Accepted>(progress);
    if (!accepted) return tl::unexpected(accepted.error());
    Json fields = Json::object();
    fields.set("id", to_json(task));
    fields.set("state", to_json(accepted->state));
    static constexpr auto kColumns =
        std::to_array<Column>({{"id", "ID"}, {"state", "STATE", Cell::kState}});
    return print({Shape::kOne, {}, kColumns, {with_schema("zq/task/v1", fields)}}, context.output);
}

constexpr auto kClaimFlags = std::to_array<Flag>({
    {"role", "ROLE", "The next ready task of this role"},
    {"id", "ID", "This task"},
    {"wait", "D", "Wait so long for a task to become ready"},
    {"lease", "D", "How long it is yours without a heartbeat (default 30m)"},
    {"from", "NAME", "Who claims (default: ZQ_FROM, then the user's name)"},
});
constexpr auto kLeaseFlags = std::to_array<Flag>(
    {{"lease", "TOKEN", "The lease (default: ZQ_LEASE, then what `zq claim` kept)"}});
constexpr auto kProgressFlags = std::to_array<Flag>({
    {"message", "TEXT", "What is being done"},
    {"step", "N/M", "Such as 3/7"},
    {"lease", "TOKEN", "The lease (default: ZQ_LEASE, then what `zq claim` kept)"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"claim",
     "Worker side",
     "",
     "Take a task by hand",
     "Keeps the lease in a private file, where complete, fail, skip, release, heartbeat and\n"
     "progress find it. Exit code 8 if there is nothing to claim.",
     kClaimFlags,
     {true, true, true},
     0,
     0,
     run_claim},
    {"heartbeat",
     "Worker side",
     "[ID]",
     "Renew a lease",
     "Prints ok, cancel (a cancel was asked: exit code 11) or stale (not yours any more: 5).\n"
     "Inside a task the worker renews it: there this only asks, and is a sign of life.",
     kLeaseFlags,
     {true, true, true},
     0,
     1,
     run_heartbeat},
    {"progress",
     "Worker side",
     "[ID] PERCENT",
     "Say how far a task is",
     "Inside a task it is this task's, without an id.",
     kProgressFlags,
     {true, true, true},
     1,
     2,
     run_progress},
});

}  // namespace

std::span<const Command> claim_commands() {
    return kCommands;
}

}  // namespace zq::cli
