// What is committed and not yet in the tables: batches in order, and how soon they should be. One
// thread at a time.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "coordinator/store/event_rows.h"
#include "coordinator/store/journal.h"

namespace zq::store {

/// A committed batch on its way into the tables.
struct LoggedChanges {
    Batch batch;
    std::vector<EventRow> rows;
    std::size_t bytes = 0;  // about what it takes in memory
};

/// One batch of them: their events and contents in order, each record as of the last one. No id may
/// be that of two tasks.
LoggedChanges merged(std::vector<LoggedChanges> batches);

class Trail {
  public:
    using Clock = std::chrono::steady_clock;

    void add(Batch batch, std::vector<EventRow> rows);
    /// The oldest of them as one batch, as many as make a transaction that does not take long.
    std::optional<LoggedChanges> take();
    /// What was taken could not be written.
    void put_back(LoggedChanges taken);
    /// What was taken is in the tables: the rest may wait for more of its kind again.
    void note_written() { since_ = Clock::now(); }

    bool is_empty() const { return batches_.empty(); }
    /// It holds so much that nothing more should be decided.
    bool is_far() const;
    /// It holds enough, or for long enough, to be taken from.
    bool is_due() const { return until_due() <= Clock::duration::zero(); }
    /// How long it may wait.
    Clock::duration until_due() const;

  private:
    std::deque<LoggedChanges> batches_;
    std::size_t events_ = 0;
    std::size_t bytes_ = 0;
    Clock::time_point since_{};
};

}  // namespace zq::store
