// The part of a batch that keeps statistics: the table rollups. Its rows trail behind: sums are
// kept in memory and written with a batch now and then, with the place that they reach up to, so
// that what a killed process had not written is summed up again from the journal. Rows of the
// newest buckets stay in memory, so that they are read once. Begins and ends no transaction, and so
// learns with the next batch whether its last one was committed.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <vector>

#include "coordinator/store/journal.h"
#include "coordinator/store/rollup.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

class RollupWriter {
  public:
    /// Prepares its statements; the connection must outlive it.
    static Result<RollupWriter> open(Database& database);

    /// Sums up what lies behind the rows, at a start; `last`: the journal's last event. In a
    /// transaction of the caller's.
    Result<void> recount(Seq last);

    /// A batch begins, after the event `last` of the last committed one.
    void begin(Seq last);
    /// One event of the batch, before the rows that it removes are gone.
    Result<void> add(const core::Event& event, const core::Changes& changes);
    /// At the end of the batch, whose last event is `last`: the rows, where it is time for them,
    /// and without what is kept no longer.
    Result<void> finish(Seq last);

    /// Between two batches, after the event `last`, in a transaction of the caller's: the rows as
    /// of then. Then `begin` again, or `forget` where it was not committed.
    Result<void> catch_up(Seq last);
    void forget() { batch_seq_ = 0; }
    /// True if the rows lack what was committed up to `last`.
    bool trails(Seq last);

  private:
    explicit RollupWriter(std::vector<Statement> statements) : statements_(std::move(statements)) {}

    /// Names that one bucket has so far.
    struct Bucket {
        Instant start;
        std::set<std::string> names;
    };

    Result<RollupKey> bounded(const RollupKey& key);
    Result<void> begin_bucket(Bucket& bucket, const RollupKey& key);
    Result<Rollup> read(const RollupKey& key);
    Result<void> write(const RollupKey& key, const Rollup& added);

    Result<void> write_all(Seq last);
    Result<void> write_mark(Seq last);
    bool is_due() const;

    std::vector<Statement> statements_;
    RollupSum batch_;                   // of the batch under way, committed or not
    Seq batch_seq_ = 0;                 // its last event
    bool wrote_ = false;                // with that batch: the rows, in written_
    bool at_once_ = false;              // it takes away rows that sums are made of
    RollupSum pending_;                 // of those before, since the rows were written last
    std::uint64_t pending_events_ = 0;  // batch and pending
    std::chrono::steady_clock::time_point wrote_at_{};
    std::map<std::tuple<Namespace, StatsBy, Millis>, Bucket> buckets_;  // the newest of each
    std::map<RollupKey, Rollup> rows_;                                  // theirs
    std::map<RollupKey, Rollup> written_;
};

}  // namespace zq::store
