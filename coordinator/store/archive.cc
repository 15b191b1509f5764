#include "coordinator/store/archive.h"

#include <filesystem>

#include "common/platform/files.h"
#include "coordinator/store/archive_file.h"
#include "coordinator/store/batch_writer.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/fold.h"
#include "coordinator/store/held_count.h"
#include "coordinator/store/reference_count.h"
#include "coordinator/store/schema.h"

namespace zq::store {
namespace {

Result<ArchiveReport> write_archive(Fold& fold, JournalId journal, const ArchiveOrder& order) {
    auto file = ArchiveFile::create(order.file);
    if (!file) return Failure(file.error());
    ArchiveReport report{journal, fold.place(), {}, 0};
    auto ok = fold.run(order.upto, [&](const ChainWalk& walk) {
        ++report.events;
        fold.take_changes();  // only the state counts here
        return file->add(walk);
    });
    if (!ok) return Failure(ok.error());
    report.last = fold.place();
    if (ok = file->finish(report); !ok) return Failure(ok.error());
    return report;
}

/// What is on disk is what the journal had, or nothing may be dropped.
Result<void> read_back(const ArchiveReport& wrote, const std::string& file) {
    const auto folder = std::filesystem::absolute(file).parent_path();
    if (auto ok = sync_folder(folder.string()); !ok) return ok;
    auto read = verify_archive(file);
    if (!read) return Failure(read.error());
    if (read->before == wrote.before && read->last == wrote.last) return {};
    return fail(ErrorCode::IO, file + " is not what was written to it");
}

Result<void> drop(Database& database, const Fold& fold, const ArchiveOrder& order) {
    const std::string upto = std::to_string(order.upto);
    const std::string ended = "ended <> 0 AND changed_seq <= " + upto;
    if (order.ended == EndedTasks::kForget) {
        auto ok = database.run(
            "DELETE FROM attempts WHERE (ns, task) IN (SELECT ns, id FROM tasks WHERE " + ended +
            "); DELETE FROM removals WHERE submitted_seq IN (SELECT submitted_seq FROM tasks"
            " WHERE " +
            ended + "); DELETE FROM tasks WHERE " + ended);
        if (!ok) return ok;
    }
    // The submits of tasks that have a row stay, and what may have edited them: instructions and
    // payload are in them. The journal's rows say which bodies stay, so those go first.
    const std::string revisions = std::to_string(kind_number(core::TaskReplayed{})) + ", " +
                                  std::to_string(kind_number(core::TaskEdited{}));
    const std::string stay =
        "SELECT submitted_seq FROM tasks WHERE submitted_seq <= " + upto +
        " UNION ALL SELECT j.seq FROM journal j JOIN tasks t ON t.ns = j.ns AND t.id = j.task"
        " WHERE j.kind IN (" +
        revisions + ") AND j.seq <= " + upto + " AND t.submitted_seq < j.seq";
    const std::string old = " WHERE seq <= " + upto + " AND seq NOT IN (" + stay + ");";
    auto ok = database.run("DELETE FROM bodies" + old + "DELETE FROM journal" + old +
                           "DELETE FROM anchors WHERE seq <= " + upto +
                           "; DELETE FROM condemned WHERE lost = 0 AND seq <= " + upto);
    if (!ok) return ok;
    if (ok = write_base(database, fold.base()); !ok) return ok;
    ok = order.ended == EndedTasks::kForget ? count_references(database)
                                            : set_base_references(database);
    if (ok && order.ended == EndedTasks::kForget) ok = count_held(database);
    if (!ok) return ok;
    return write_anchor(database, fold.anchor());
}

Result<void> drop_at_once(Database& database, const Fold& fold, const ArchiveOrder& order) {
    auto ok = database.run("BEGIN IMMEDIATE");
    if (ok) ok = drop(database, fold, order);
    if (ok) ok = database.run("COMMIT");
    if (ok) return database.checkpoint(Checkpoint::kTruncate);
    if (database.in_transaction()) static_cast<void>(database.run("ROLLBACK"));
    return ok;
}

}  // namespace

Result<ArchiveReport> archive(Database& database, const ArchiveOrder& order) {
    auto meta = read_meta(database);
    if (!meta) return Failure(meta.error());
    auto fold = Fold::open(database, kFormatVersion);
    if (!fold) return Failure(fold.error());
    const Seq base = fold->place().seq;
    if (order.upto <= base || order.upto >= meta->last_seq) {
        return fail(ErrorCode::INVALID,
                    "there is nothing to archive up to event " + std::to_string(order.upto) +
                        ": the journal has those from " + std::to_string(base + 1) + " to " +
                        std::to_string(meta->last_seq) + ", and its last one stays");
    }
    auto report = write_archive(*fold, meta->journal, order);
    if (!report) return report;
    if (auto ok = read_back(*report, order.file); !ok) return Failure(ok.error());
    if (auto ok = drop_at_once(database, *fold, order); !ok) return Failure(ok.error());
    return report;
}

Result<ChainPlace> base_place(Database& database) {
    auto base = read_base(database);
    if (!base) return Failure(base.error());
    return base->place;
}

}  // namespace zq::store
