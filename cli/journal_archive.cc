// `journal archive`: old events go to a file of their own, and out of the journal.
#include <array>

#include "cli/journal.h"
#include "cli/start.h"
#include "common/platform/clock.h"
#include "coordinator/store/archive.h"
#include "coordinator/store/fold.h"
#include "coordinator/store/offline.h"
#include "coordinator/store/schema.h"

namespace zq::cli {
namespace {

constexpr auto kColumns = std::to_array<Column>({
    {"id", "JOURNAL"},
    {"file", "FILE"},
    {"first_seq", "FIRST"},
    {"last_seq", "LAST"},
    {"events", "EVENTS"},
    {"chain_head", "CHAIN HEAD"},
});

/// The last event before --before, which is a sequence number or a time.
Expected<Seq> read_last(const Context& context, store::OfflineJournal& journal) {
    const std::string before = context.args.text("before");
    if (before.empty()) return usage("--before SEQ or --before TIME is missing");
    if (before.find_first_not_of("0123456789") == std::string::npos) {
        auto seq = context.args.number("before", 1, INT64_MAX);
        if (!seq) return tl::unexpected(seq.error());
        return **seq - 1;
    }
    auto time = parse_rfc3339(before, "--before");
    if (!time) return problem(time.error());
    auto last = store::last_seq_at(journal.database(), Instant{time->ms - 1});
    if (!last) return journal_problem(last.error());
    return *last;
}

/// A migration is the coordinator's to make.
Expected<void> check_format(const store::OfflineJournal& journal) {
    if (journal.format() == store::kFormatVersion) return {};
    return usage(
        "the journal has format " + std::to_string(journal.format()) + ", which keeps no base",
        "start this release's coordinator on it once, and stop it");
}

Json archive_record(const store::ArchiveReport& report, const std::string& file) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/journal-archive/v1"));
    record.set("id", Json::text(to_hex(report.journal)));
    record.set("file", Json::text(file));
    record.set("first_seq", to_json(report.before.seq + 1));
    record.set("last_seq", to_json(report.last.seq));
    record.set("events", to_json(report.events));
    record.set("before_head", to_json(report.before.head));
    record.set("chain_head", to_json(report.last.head));
    return record;
}

}  // namespace

Ending run_journal_archive(const Context& context) {
    store::ArchiveOrder order;
    order.file = context.args.text("to");
    if (order.file.empty()) return usage("--to FILE is missing");
    if (context.args.has("forget-ended")) order.ended = store::EndedTasks::kForget;
    auto journal = store::OfflineJournal::open(data_folder_of(context.args));
    if (!journal) return journal_problem(journal.error());
    if (auto ok = check_format(*journal); !ok) return tl::unexpected(ok.error());
    auto last = read_last(context, *journal);
    if (!last) return tl::unexpected(last.error());
    order.upto = *last;
    if (context.args.has("dry-run")) {
        note("dry run: events up to " + std::to_string(order.upto) + " would go to " + order.file);
        return ExitCode::kDone;
    }
    if (auto ok = store::configure_writer(journal->database()); !ok) {
        return journal_problem(ok.error());
    }
    auto report = store::archive(journal->database(), order);
    if (!report) return journal_problem(report.error());
    note("the journal's file keeps its size; the room in it is used again");
    return print({Shape::kOne, {}, kColumns, {archive_record(*report, order.file)}},
                 context.output);
}

Ending run_archive_verify(const Context& context, const std::string& file) {
    auto report = store::verify_archive(file);
    if (!report && report.error().code == ErrorCode::IO) {
        note("problem: " + file + ": " + report.error().message);
        return ExitCode::kProblems;
    }
    if (!report) return journal_problem(report.error());
    if (context.args.has("data")) {
        auto journal = store::OfflineJournal::open(data_folder_of(context.args));
        if (!journal) return journal_problem(journal.error());
        auto base = store::base_place(journal->database());
        if (!base) return journal_problem(base.error());
        if (*base != report->last) {
            note("problem: the archive ends at event " + std::to_string(report->last.seq) +
                 " and the journal begins after event " + std::to_string(base->seq) +
                 (base->seq == report->last.seq ? ", with another chain head" : ""));
            return ExitCode::kProblems;
        }
    }
    return print({Shape::kOne, {}, kColumns, {archive_record(*report, file)}}, context.output);
}

}  // namespace zq::cli
