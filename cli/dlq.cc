// The dead-letter queue as a whole: `dlq ls`, `dlq rm`, `dlq purge`, `dlq export`. What brings its
// tasks back is replay.cc's.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "cli/bulk.h"
#include "cli/command_table.h"
#include "cli/places.h"
#include "cli/records.h"

namespace zq::cli {
namespace {

Ending run_dlq_ls(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto listed = select_dead(**session, context.args);
    if (!listed) return tl::unexpected(listed.error());
    View view{Shape::kList, "zq/task-list/v1", dead_columns(), {}, listed->more};
    for (const wire::TaskRow& row : listed->rows) view.records.push_back(task_record(row));
    return print(view, context.output);
}

Ending remove_all(const Context& context, const std::vector<wire::TaskRow>& rows) {
    const Deed deed{"remove", "removed", "removed",
                    [because = context.args.text("because")](const TaskId& task) {
                        return wire::Body(wire::Remove{task, because});
                    }};
    auto consent = ask_consent(context, rows, deed.verb);
    if (!consent) return tl::unexpected(consent.error());
    if (*consent == Consent::kDenied) return ExitCode::kDone;
    if (context.args.has("dry-run")) return show_selected(context, rows, deed);
    return do_to_all(context, rows, deed);
}

Ending run_dlq_rm(const Context& context) {
    if (context.args.operands().empty() && !context.args.has("where")) {
        return usage("which? Name ids, or select by --where");
    }
    auto rows = meant_tasks(context);
    if (!rows) return tl::unexpected(rows.error());
    for (const wire::TaskRow& row : *rows) {
        if (row.state == TaskState::kDead || row.state == TaskState::kExpired) continue;
        return problem(ErrorCode::CONFLICT, row.id.text + " is " +
                                                std::string(to_string(row.state)) +
                                                ", and not in the dead-letter queue");
    }
    return remove_all(context, *rows);
}

Ending run_dlq_purge(const Context& context) {
    auto rows = meant_tasks(context);
    if (!rows) return tl::unexpected(rows.error());
    return remove_all(context, *rows);
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Closes nothing that it has not opened.
Expected<File> open_out(const std::string& path) {
    if (path.empty()) return File(stdout, [](std::FILE*) { return 0; });
    File file(std::fopen(path.c_str(), "we"), &std::fclose);
    if (!file) return problem(ErrorCode::IO, "cannot write " + path);
    return file;
}

enum class Places : std::uint8_t { kLeftOut, kGiven };

Ending write_whole(Session& session, const std::vector<wire::TaskRow>& rows, Places places,
                   std::FILE* out) {
    for (const wire::TaskRow& row : rows) {
        auto task = session.call<wire::TaskReply>(wire::Get{row.id, false});
        if (!task) return tl::unexpected(task.error());
        auto events = events_of(session, row.id);
        if (!events) return tl::unexpected(events.error());
        Json record = whole_task_record(*task, *events);
        if (places == Places::kLeftOut) record = without_places(record);
        const std::string line = record.dump() + "\n";
        if (std::fwrite(line.data(), 1, line.size(), out) != line.size()) {
            return problem(ErrorCode::IO, "cannot write the export");
        }
    }
    if (std::fflush(out) != 0) return problem(ErrorCode::IO, "cannot write the export");
    return ExitCode::kDone;
}

Ending run_dlq_export(const Context& context) {
    const Arguments& args = context.args;
    if (!args.operands().empty() && has_selection(args)) {
        return usage("ids, or conditions such as --role: not both");
    }
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    std::vector<wire::TaskRow> rows;
    if (!args.operands().empty()) {
        auto named = named_tasks(**session, args.operands());
        if (!named) return tl::unexpected(named.error());
        rows = std::move(*named);
    } else {
        auto listed = select_dead(**session, args);
        if (!listed) return tl::unexpected(listed.error());
        rows = std::move(listed->rows);
        std::reverse(rows.begin(), rows.end());
    }
    const Places places = args.has("places") ? Places::kGiven : Places::kLeftOut;
    auto out = open_out(args.text("out"));
    if (!out) return tl::unexpected(out.error());
    if (auto ok = write_whole(**session, rows, places, out->get()); !ok) return ok;
    if (args.has("out")) {
        note(std::to_string(rows.size()) + " tasks are written to " + args.text("out"));
    }
    return ExitCode::kDone;
}

constexpr auto kLsFlags = std::to_array<Flag>(
    {kSelectRole, kSelectReason, kSelectState, kSelectSince, kSelectBefore, kWhere, kSelectLimit});
constexpr auto kRmFlags = std::to_array<Flag>({kWhere, kYes, kRate, kBecause});
constexpr auto kPurgeFlags =
    std::to_array<Flag>({kSelectRole, kSelectReason, kSelectState, kSelectSince, kSelectBefore,
                         kWhere, kSelectLimit, kSelectAll, kYes, kRate, kBecause});
constexpr auto kExportFlags = std::to_array<Flag>({kSelectRole,
                                                   kSelectReason,
                                                   kSelectState,
                                                   kSelectSince,
                                                   kSelectBefore,
                                                   kWhere,
                                                   kPlaces,
                                                   kSelectLimit,
                                                   kSelectAll,
                                                   {"out", "FILE", "Into this file"}});

constexpr auto kCommands = std::to_array<Command>({
    {"dlq ls",
     "Failures",
     "",
     "List dead and expired tasks",
     "`zq dlq` alone does the same. They keep their history and artifacts. Reasons: "
     "attempts_exhausted,\n"
     "permanent, poison, timed_out, contract, rejected, dependency_failed, budget.",
     kLsFlags,
     {true, true, false},
     0,
     0,
     run_dlq_ls},
    {"dlq rm",
     "Failures",
     "[ID…]",
     "Remove dead or expired tasks for good",
     "With their attempts and their idempotency keys; who did it and why stays in the journal.\n"
     "Contents that nothing refers to any more are freed by `zq gc`. Takes exact ids, or --where:\n"
     "then it says first how many they are.",
     kRmFlags,
     {true, true, true},
     0,
     kAnyNumber,
     run_dlq_rm},
    {"dlq purge",
     "Failures",
     "",
     "Remove all dead and expired tasks that are selected",
     "As `dlq rm`; says first how many they are.",
     kPurgeFlags,
     {true, true, true},
     0,
     0,
     run_dlq_purge},
    {"dlq export",
     "Failures",
     "[ID…]",
     "Write dead and expired tasks whole, as JSON lines",
     "The oldest first, each as `zq show --json` has it: envelope, attempts with their failures,\n"
     "artifacts by their digests, history. Without ids or conditions: all. Changes nothing.",
     kExportFlags,
     {true, false, false},
     0,
     kAnyNumber,
     run_dlq_export},
});

}  // namespace

std::span<const Command> dlq_commands() {
    return kCommands;
}

}  // namespace zq::cli
