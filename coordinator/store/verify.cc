#include "coordinator/store/verify.h"

#include "coordinator/core/invariants.h"
#include "coordinator/store/anchors.h"
#include "coordinator/store/base.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/offline.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite_recovery.h"
#include "coordinator/store/verify_projection.h"

namespace zq::store {
namespace {

constexpr Seq kCompareEvery = 10'000;  // events between two comparisons: bounds the memory

class Check {
  public:
    Check(const CheckParts& parts, VerifyReport& report)
        : database_(parts.database),
          format_(parts.format),
          report_(report),
          projection_(parts, report),
          wanted_head_(parts.head) {}

    Result<void> run() {
        if (auto ok = check_database(); !ok) return ok;
        if (auto ok = projection_.prepare(); !ok) return ok;
        if (auto ok = check_start(); !ok || !report_.problems.empty()) return ok;
        if (auto ok = walk(); !ok) return ok;
        if (!report_.problems.empty()) return {};  // a replay of doubtful events proves nothing
        if (auto ok = projection_.compare_totals(); !ok) return ok;
        return compare_states();
    }

  private:
    /// What SQLite itself can say, indexes included; and that nothing was added or taken away.
    Result<void> check_database() {
        auto rows = database_.prepare("PRAGMA integrity_check(10)");
        if (!rows) return Failure(rows.error());
        while (true) {
            auto row = rows->step();
            if (!row) return Failure(row.error());
            if (!*row) break;
            const std::string said(rows->text_at(0));
            if (said != "ok") note_problem(report_, "database: " + said);
        }
        auto problems = schema_problems(database_, format_);
        if (!problems) return Failure(problems.error());
        for (std::string& problem : *problems) note_problem(report_, std::move(problem));
        return {};
    }

    /// The base, if older rows were dropped, and the anchors to come.
    Result<void> check_start() {
        if (format_ < 2) return {};
        auto base = read_base(database_);
        if (!base) return Failure(base.error());
        auto anchors = read_anchors(database_);
        if (!anchors) return Failure(anchors.error());
        anchors_ = std::move(*anchors);
        report_.anchors = anchors_.size();
        report_.last_seq = report_.base_seq = base->place.seq;
        report_.head = base->place.head;
        if (base->place.seq == 0) return {};
        if (anchors_.empty() || anchors_.front().seq != base->place.seq) {
            note_problem(report_, "the base, event " + std::to_string(base->place.seq) +
                                      ", is not the oldest anchor");
            return {};
        }
        if (auto ok = projection_.compare_base(*base); !ok) return ok;
        state_ = std::move(base->state);
        check_anchor();
        note_head();
        return {};
    }

    void note_head() {
        if (wanted_head_ == report_.head) wanted_head_.reset();
    }

    /// Follows the chain, and replays each event that is proved by it.
    Result<void> walk() {
        auto walk = ChainWalk::open(database_, {report_.last_seq, report_.head});
        if (!walk) return Failure(walk.error());
        while (true) {
            auto more = walk->next();
            if (!more) return Failure(more.error());
            if (!*more) break;
            const core::Event& event = walk->event().event;
            report_.head = walk->place().head;
            report_.last_seq = event.seq;
            note_head();
            ++report_.events;
            core::apply(state_, event);
            check_anchor();
            if (auto ok = projection_.follow(event); !ok) return ok;
            if (report_.last_seq % kCompareEvery == 0) {
                if (auto ok = projection_.compare_changes(state_); !ok) return ok;
            }
        }
        if (!walk->broken().empty()) {
            note_problem(report_, walk->broken());
            return {};
        }
        if (wanted_head_) {
            note_problem(report_, "no event has the chain head " + to_hex(*wanted_head_) +
                                      ": the journal was cut before it, or written anew");
        }
        if (next_anchor_ < anchors_.size()) {
            note_problem(report_, "anchor " + std::to_string(anchors_[next_anchor_].seq) +
                                      " speaks of no event that is there");
        }
        return projection_.compare_changes(state_);
    }

    /// Where an anchor says what the state is, it is that.
    void check_anchor() {
        if (next_anchor_ >= anchors_.size()) return;
        const Anchor& anchor = anchors_[next_anchor_];
        if (anchor.seq > report_.last_seq) return;
        ++next_anchor_;
        const Anchor found{report_.last_seq, state_.durable.last_at, state_hash(state_),
                           report_.head};
        if (anchor == found) return;
        note_problem(report_, "anchor " + std::to_string(anchor.seq) +
                                  " is not what the events up to it lead to");
    }

    /// What a restart would know is what the events say.
    Result<void> compare_states() {
        report_.state = state_hash(state_);
        report_.journal = state_.durable.journal;
        core::State restored;
        auto recovery = restore_state(database_, restored);
        if (!recovery) {
            note_problem(report_, "recovery: " + recovery.error().message);
            return {};
        }
        // A journal without events has an id that no event has said yet.
        if (report_.last_seq == 0) return {};
        if (state_hash(restored) != report_.state) {
            note_problem(report_, "a restart would restore another state than the events lead to");
        }
        for (const std::string& broken : core::broken_invariants(restored)) {
            note_problem(report_, "state: " + broken);
        }
        return {};
    }

    Database& database_;
    int format_;
    VerifyReport& report_;
    ProjectionCheck projection_;
    core::State state_;
    std::vector<Anchor> anchors_;
    std::optional<Digest> wanted_head_;  // until an event has it
    std::size_t next_anchor_ = 0;
};

}  // namespace

VerifyReport check_journal(const CheckParts& parts) {
    VerifyReport report;
    report.format = parts.format;
    if (auto ok = Check(parts, report).run(); !ok) {
        note_problem(report, ok.error().message);  // a damaged file fails wherever it is read
    }
    return report;
}

Result<VerifyReport> verify(const std::string& folder, VerifyDepth depth,
                            const std::optional<Digest>& head) {
    auto journal = OfflineJournal::open(folder);
    if (!journal) return Failure(journal.error());
    auto artifacts = FolderArtifactStore::at(folder + "/artifacts");
    return check_journal({journal->database(), journal->format(), *artifacts, depth, head});
}

}  // namespace zq::store
