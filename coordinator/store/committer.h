// The commit thread of the SQLite journal: the one connection that writes and checkpoints, and the
// rules of failure. It knows nothing of the loop but the queue between them. While it is at rest
// the loop's own thread may commit, so that a lone request need not wait for two threads to wake.
//
// - One transaction per batch, durable when it is answered.
// - A full disk with the transaction rolled back: the reserve is given up and the same batch is
//   committed once more. Full again: it is tried until there is room, and nothing is answered
//   meanwhile. Closed before there is: kFull for this batch and those behind it.
// - Any other failure leaves the outcome unknown: kUnknown for this batch and all later ones. A
//   failed checkpoint is told at once, though no batch waits for it.
#pragma once

#include <atomic>
#include <mutex>

#include "coordinator/store/batch_writer.h"
#include "coordinator/store/commit_queue.h"
#include "coordinator/store/storage_reserve.h"

namespace zq::store {

/// Bounds of the write-ahead log, in pages of 4 KiB.
struct LogBounds {
    int checkpoint_pages = 4'096;     // copied back when nothing else waits
    int most_pages = 32'768;          // copied back before the next batch
    Millis rest_after = millis(500);  // with nothing to do: copied back, and the disk looked at
};

class Committer {
  public:
    Committer(Database database, BatchWriter writer, const Meta& meta, std::string folder,
              StorageBounds storage, LogBounds log);

    /// The thread's body: serves the queue until a StopOrder.
    void serve(CommitQueue& queue);

    /// Commits on the caller's thread. Nullopt, and nothing is stored: the other thread is at work
    /// just now, or the batch does not fit: it is for the queue. Nothing may wait there.
    std::optional<CommitResult> commit_here(const Batch& batch);
    /// Writes what trails behind. Where the other thread's commit does not end soon, or the disk is
    /// full, it is left for later.
    void catch_up();
    /// True where the log is to be copied back by the other thread. On the thread of `commit_here`.
    bool log_is_long();

    bool storage_low() const { return reserve_.is_low(); }
    bool waits_for_room() const { return waits_for_room_.load(std::memory_order_relaxed); }

  private:
    CommitResult commit_when_it_fits(const Batch& batch, CommitQueue& queue);
    CommitResult commit(const Batch& batch);
    Result<Meta> try_commit(const Batch& batch);
    Result<void> settle();
    Result<void> stop();
    Result<void> anchor_end();
    void write(const Anchor& anchor);
    void keep_log_short(const CommitQueue& queue);
    void rest();
    void write_trailing();
    void wipe_log();
    void note_erased(const Batch& batch);
    void tell_failure(CommitQueue& queue);
    void poison(const Error& error);
    std::chrono::milliseconds rest_after() const {
        return std::chrono::milliseconds(log_.rest_after.count);
    }

    std::mutex at_work_;  // held by whoever uses what follows
    Database database_;
    BatchWriter writer_;
    Meta meta_;
    StorageReserve reserve_;
    LogBounds log_;
    int checkpointed_pages_ = 0;  // of the log as it was after the last checkpoint
    std::chrono::steady_clock::time_point looked_{};
    std::chrono::steady_clock::time_point gone_until_{};  // the reserve is not made again before
    std::optional<std::string> poisoned_;
    bool wipe_log_ = false;  // it has what was erased; a start empties it
    Seq erased_upto_ = 0;    // an anchor of an earlier event may hash texts that are erased since
    bool told_ = false;      // the loop knows that it is poisoned
    std::atomic<bool> waits_for_room_ = false;
};

}  // namespace zq::store
