// `journal restore`: a state of the past in a folder of its own.
#include <array>

#include "cli/journal.h"
#include "cli/start.h"
#include "common/platform/clock.h"
#include "coordinator/store/fold.h"
#include "coordinator/store/restore.h"

namespace zq::cli {
namespace {

constexpr auto kColumns = std::to_array<Column>({
    {"id", "JOURNAL"},
    {"folder", "FOLDER"},
    {"upto", "UPTO"},
    {"last_seq", "LAST"},
    {"open_tasks", "OPEN"},
    {"ended_leases", "LEASES ENDED"},
    {"artifacts", "ARTIFACTS"},
    {"chain_head", "CHAIN HEAD", Cell::kText, Where::kWide},
});

Json restore_record(const store::RestoreReport& report, const std::string& into) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/journal-restore/v1"));
    record.set("id", Json::text(to_hex(report.journal)));
    record.set("folder", Json::text(into));
    record.set("upto", to_json(report.upto));
    record.set("last_seq", to_json(report.last_seq));
    record.set("chain_head", to_json(report.chain_head));
    record.set("open_tasks", to_json(report.open_tasks));
    record.set("ended_leases", to_json(report.ended_leases));
    record.set("artifacts", to_json(report.artifacts));
    return record;
}

/// The event that --to-seq or --to-time names; nothing: the last one.
Expected<std::optional<Seq>> read_place(const Context& context, store::OfflineJournal& journal) {
    auto seq = context.args.number("to-seq", 1, INT64_MAX);
    if (!seq) return tl::unexpected(seq.error());
    if (!context.args.has("to-time")) return *seq;
    if (*seq) return usage("--to-seq and --to-time are two ways to say the same: give one");
    auto time = parse_rfc3339(context.args.text("to-time"), "--to-time");
    if (!time) return problem(time.error());
    auto at = store::last_seq_at(journal.database(), *time);
    if (!at) return journal_problem(at.error());
    if (*at != 0) return std::optional(*at);
    return usage("the journal has no event as old as that",
                 "`zq journal info` prints the time of its first");
}

}  // namespace

Ending run_journal_restore(const Context& context) {
    store::RestoreOrder order;
    order.into = context.args.text("into");
    order.program = "zq " ZQ_VERSION;
    if (order.into.empty()) return usage("--into DIR is missing");
    auto journal = store::OfflineJournal::open(data_folder_of(context.args));
    if (!journal) return journal_problem(journal.error());
    auto upto = read_place(context, *journal);
    if (!upto) return tl::unexpected(upto.error());
    order.upto = *upto;
    auto report = store::restore(*journal, order);
    if (!report) return journal_problem(report.error());
    return print_restored(context, *report, order.into);
}

Ending print_restored(const Context& context, const store::RestoreReport& report,
                      const std::string& into) {
    note("start a coordinator on it: zq-coordinator --data " + into);
    return print({Shape::kOne, {}, kColumns, {restore_record(report, into)}}, context.output);
}

}  // namespace zq::cli
