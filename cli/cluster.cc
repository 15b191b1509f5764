// Who works and who holds what: `worker ls|show|pause|drain|resume`, `leases`.
#include <array>

#include "cli/command_table.h"
#include "cli/controls.h"
#include "cli/records.h"
#include "cli/session.h"
#include "common/base/nearest.h"

namespace zq::cli {
namespace {

Ending run_worker_ls(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto rows = (*session)->call<wire::WorkerRows>(wire::Workers{});
    if (!rows) return tl::unexpected(rows.error());
    View view{Shape::kList, "zq/worker-list/v1", worker_columns(), {}, false};
    for (const wire::WorkerRow& row : rows->rows) view.records.push_back(worker_record(row));
    return print(view, context.output);
}

Ending run_worker_show(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto rows = (*session)->call<wire::WorkerRows>(wire::Workers{});
    if (!rows) return tl::unexpected(rows.error());
    const std::string name = context.args.operand(0);
    std::vector<std::string> names;
    for (const wire::WorkerRow& row : rows->rows) {
        names.push_back(row.worker.text);
        if (row.worker.text != name) continue;
        OutputOptions options = context.output;
        if (options.format == Format::kTable) options.format = Format::kWide;
        View view{Shape::kList, {}, worker_columns(), {worker_record(row)}, false};
        if (options.is_json()) view.shape = Shape::kOne;
        return print(view, options);
    }
    const std::string nearest = nearest_word(name, names);
    return problem(ErrorCode::NOT_FOUND, "no connected worker is called " + name,
                   nearest.empty() ? "run `zq worker ls`" : "did you mean " + nearest + "?");
}

/// As it is now; one that is not connected is known by its name alone.
Expected<Json> read_worker(Session& session, const std::string& name) {
    auto rows = session.call<wire::WorkerRows>(wire::Workers{});
    if (!rows) return tl::unexpected(rows.error());
    for (const wire::WorkerRow& row : rows->rows) {
        if (row.worker.text == name) return worker_record(row);
    }
    auto said = read_controls(session, ControlKind::kWorker, name);
    if (!said) return tl::unexpected(said.error());
    Json record = Json::object();
    record.set("schema", Json::text("zq/worker/v1"));
    record.set("id", Json::text(name));
    const bool paused = !said->rows.empty() && said->rows.front().control.paused;
    record.set("state", Json::text(paused ? "paused" : "not connected"));
    return record;
}

Ending change_worker(const Context& context, wire::SetControl set) {
    static constexpr auto kColumns =
        std::to_array<Column>({{"id", "WORKER"}, {"state", "STATE", Cell::kState}});
    set.kind = ControlKind::kWorker;
    set.name = context.args.operand(0);
    set.reason = context.args.text("reason");
    if (auto ok = parse_name(set.name, "NAME"); !ok) return problem(ok.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    const bool starts = set.drain || set.paused.value_or(false);
    if (context.args.has("dry-run") && starts) {
        auto now = read_worker(**session, set.name);
        if (!now) return tl::unexpected(now.error());
        if (!now->find("slots")) {
            return problem(ErrorCode::NOT_FOUND, "no worker " + set.name + " is connected",
                           "run `zq worker ls`");
        }
    }
    if (auto ok = set_control(context, **session, set); !ok) {
        if (ok.error().error.code != ErrorCode::NOT_FOUND) return tl::unexpected(ok.error());
        return problem(ok.error().error, "run `zq worker ls`");
    }
    auto record = read_worker(**session, set.name);
    if (!record) return tl::unexpected(record.error());
    return print({Shape::kOne, {}, kColumns, {std::move(*record)}}, context.output);
}

Ending run_worker_pause(const Context& context) {
    wire::SetControl set;
    set.paused = true;
    return change_worker(context, std::move(set));
}

Ending run_worker_drain(const Context& context) {
    wire::SetControl set;
    set.drain = true;
    return change_worker(context, std::move(set));
}

Ending run_worker_resume(const Context& context) {
    wire::SetControl set;
    set.paused = false;
    return change_worker(context, std::move(set));
}

Ending run_leases(const Context& context) {
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto rows =
        (*session)->call<wire::LeaseRows>(wire::Leases{RoleName(context.args.text("role"))});
    if (!rows) return tl::unexpected(rows.error());
    View view{Shape::kList, "zq/lease-list/v1", lease_columns(), {}, rows->more};
    for (const wire::LeaseRow& row : rows->rows) view.records.push_back(lease_record(row));
    return print(view, context.output);
}

constexpr auto kReasonFlags = std::to_array<Flag>({kControlReason});
constexpr auto kLeaseFlags = std::to_array<Flag>({{"role", "ROLE", "Only of this role"}});

constexpr auto kCommands = std::to_array<Command>({
    {"worker ls",
     "Workers",
     "",
     "List connected workers",
     "",
     {},
     {true, true, false},
     0,
     0,
     run_worker_ls},
    {"worker show",
     "Workers",
     "NAME",
     "One connected worker",
     "",
     {},
     {true, true, false},
     1,
     1,
     run_worker_show},
    {"worker pause",
     "Workers",
     "NAME",
     "Give a worker nothing more; what it runs goes on",
     "It lasts until `zq worker resume`, also over restarts of the worker and the coordinator.",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_worker_pause},
    {"worker drain",
     "Workers",
     "NAME",
     "Let a worker end what it has, and then itself",
     "It gets nothing more, hands over what it runs, and its process ends with exit code 0. A new "
     "one with\n"
     "the same name and state folder gets tasks again.",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_worker_drain},
    {"worker resume",
     "Workers",
     "NAME",
     "Give tasks again to a worker that is paused or draining",
     "One that has begun to end does not come back by itself.",
     kReasonFlags,
     {true, true, true},
     1,
     1,
     run_worker_resume},
    {"leases",
     "Workers",
     "",
     "Who holds what, and until when",
     "",
     kLeaseFlags,
     {true, true, false},
     0,
     0,
     run_leases},
});

}  // namespace

std::span<const Command> cluster_commands() {
    return kCommands;
}

}  // namespace zq::cli
