// Who works and who holds what: `worker ls|show`, `leases`.
#include <array>

#include "cli/command_table.h"
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
