#include "coordinator/store/verify.h"

#include <unistd.h>

#include "common/platform/digest.h"
#include "coordinator/core/invariants.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite_journal.h"
#include "coordinator/store/sqlite_reader.h"
#include "coordinator/store/sqlite_recovery.h"
#include "coordinator/store/verify_projection.h"

namespace zq::store {
namespace {

constexpr Seq kCompareEvery = 10'000;  // events between two comparisons: bounds the memory

constexpr std::string_view kWalk =
    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j LEFT JOIN bodies b ON b.seq = j.seq ORDER BY j.seq";

class Check {
  public:
    Check(Database& database, ArtifactStore& artifacts, VerifyDepth depth, VerifyReport& report)
        : database_(database), report_(report), projection_(database, artifacts, depth, report) {}

    Result<void> run() {
        if (auto ok = check_database(); !ok) return ok;
        if (auto ok = projection_.prepare(); !ok) return ok;
        if (auto ok = walk(); !ok) return ok;
        if (!report_.problems.empty()) return {};  // a replay of doubtful events proves nothing
        if (auto ok = projection_.compare_totals(); !ok) return ok;
        return compare_states();
    }

  private:
    Result<void> check_database() {
        auto rows = database_.prepare("PRAGMA quick_check(10)");
        if (!rows) return Failure(rows.error());
        while (true) {
            auto row = rows->step();
            if (!row) return Failure(row.error());
            if (!*row) return {};
            const std::string said(rows->text_at(0));
            if (said != "ok") note_problem(report_, "database: " + said);
        }
    }

    /// Follows the chain, and replays each event that is proved by it.
    Result<void> walk() {
        auto rows = database_.prepare(kWalk);
        if (!rows) return Failure(rows.error());
        while (true) {
            auto row = rows->step();
            if (!row) return Failure(row.error());
            if (!*row) break;
            if (!follow(*rows)) return {};
            if (auto ok = projection_.follow(event_); !ok) return ok;
            if (report_.last_seq % kCompareEvery == 0) {
                if (auto ok = projection_.compare_changes(state_); !ok) return ok;
            }
        }
        return projection_.compare_changes(state_);
    }

    /// False where the chain breaks: nothing after it can be relied on.
    bool follow(const Statement& row) {
        const Seq seq = row.number_at(0);
        const std::string place = "event " + std::to_string(seq) + ": ";
        auto broken = [&](const std::string& what) {
            note_problem(report_, place + what);
            return false;
        };
        if (seq != report_.last_seq + 1) {
            return broken("the one before it, " + std::to_string(seq - 1) + ", is missing");
        }
        if (row.is_null(10)) return broken("its body is missing");
        auto chained = event_at(row);
        if (!chained) return broken("cannot be read: " + chained.error().message);
        if (sha256(row.blob_at(10)) != chained->body_digest) {
            return broken("its body has another digest than it was stored with");
        }
        const std::string header =
            header_bytes(chained->event, static_cast<std::uint16_t>(row.integer_at(5)),
                         static_cast<std::uint16_t>(row.integer_at(6)));
        if (chain_hash(report_.head, header, chained->body_digest) != chained->hash) {
            return broken("its hash does not follow from its fields and the event before it");
        }
        report_.head = chained->hash;
        report_.last_seq = seq;
        ++report_.events;
        event_ = std::move(chained->event);
        core::apply(state_, event_);
        return true;
    }

    /// What a restart would know is what the events say.
    Result<void> compare_states() {
        report_.state = state_hash(state_);
        core::State restored;
        auto recovery = restore_state(database_, restored);
        if (!recovery) {
            note_problem(report_, "recovery: " + recovery.error().message);
            return {};
        }
        // A journal without events has an id that no event has said yet.
        if (report_.events == 0) return {};
        if (state_hash(restored) != report_.state) {
            note_problem(report_, "a restart would restore another state than the events lead to");
        }
        for (const std::string& broken : core::broken_invariants(restored)) {
            note_problem(report_, "state: " + broken);
        }
        return {};
    }

    Database& database_;
    VerifyReport& report_;
    ProjectionCheck projection_;
    core::State state_;
    core::Event event_;  // the last one followed
};

}  // namespace

Result<VerifyReport> verify(const std::string& folder, VerifyDepth depth) {
    const std::string path = journal_path(folder);
    if (::access(path.c_str(), F_OK) != 0) {
        return fail(ErrorCode::NOT_FOUND, "there is no journal in " + folder);
    }
    auto lock = lock_data_folder(folder, Millis{});
    if (!lock) return Failure(lock.error());
    auto database = Database::open(path, OpenMode::kExisting);
    if (!database) return Failure(database.error());
    database->keep_log_on_close();
    VerifyReport report;
    auto version = format_version(*database);
    if (!version) return Failure(version.error());
    report.format = *version;
    if (*version != kFormatVersion) {
        return fail(ErrorCode::UNSUPPORTED_VERSION,
                    "the journal has format " + std::to_string(*version) +
                        ": start the coordinator once to bring it to " +
                        std::to_string(kFormatVersion) + ", then check it");
    }
    auto artifacts = FolderArtifactStore::at(folder + "/artifacts");
    if (auto ok = Check(*database, *artifacts, depth, report).run(); !ok) {
        note_problem(report, ok.error().message);  // a damaged file fails wherever it is read
    }
    return report;
}

}  // namespace zq::store
