// The part of a batch that keeps statistics: the table rollups. A row of each name and bucket is
// written at most once a batch; those of the newest buckets stay in memory, so that they are read
// once. Begins and ends no transaction, and so learns with the next batch whether its last one was
// committed.
#pragma once

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

    /// A batch begins, after the event `last` of the last committed one.
    void begin(Seq last);
    /// One event of the batch, before the rows that it removes are gone.
    Result<void> add(const core::Event& event, const core::Changes& changes);
    /// At the end of the batch, whose last event is `last`: its sums, and without what is kept no
    /// longer.
    Result<void> finish(Seq last);

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

    std::vector<Statement> statements_;
    RollupSum sum_;
    std::map<std::tuple<Namespace, StatsBy, Millis>, Bucket> buckets_;  // the newest of each
    std::map<RollupKey, Rollup> rows_;                                  // theirs, after rows_seq_
    Seq rows_seq_ = 0;
    std::map<RollupKey, Rollup> written_;  // by the last batch, committed or not
    Seq written_seq_ = 0;                  // its last event
};

}  // namespace zq::store
