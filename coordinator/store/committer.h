// Makes batches durable in the commit log, one write and one sync each, and hands them to the
// follower (follower.h), which brings them into the tables: the rules of order and of failure. It
// has a thread of its own and knows nothing of the loop but the queue between them. A batch may
// also be committed by the loop's own thread, so that a lone request need not wait for two threads
// to wake.
//
// - A full disk: the reserve is given up and the same batch is committed once more. Full again: it
//   is tried until there is room, and nothing is answered meanwhile. Closed before there is: kFull
//   for this batch and those behind it. What is in the log stays there for the next start.
// - Any other failure leaves the outcome unknown: kUnknown for this batch and all later ones. One
// of
//   the tables is told at once, though no batch waits for it.
#pragma once

#include <atomic>
#include <mutex>

#include "coordinator/store/commit_log.h"
#include "coordinator/store/commit_queue.h"
#include "coordinator/store/follower.h"

namespace zq::store {

/// What a committer begins with: an open database and a log whose batches are all in it.
struct CommitterParts {
    Database database;
    BatchWriter writer;
    CommitLog log;
    Meta meta;
};

class Committer {
  public:
    /// `queue` must outlive it.
    Committer(CommitterParts parts, const std::string& folder, StorageBounds storage,
              LogBounds bounds, CommitQueue& queue);

    /// The thread's body: serves the queue until a StopOrder; then the follower's thread is to end.
    void serve();
    Follower& follower() { return follower_; }

    /// Commits on the caller's thread. Nullopt, and nothing is stored: another thread is at the log
    /// just now, or the batch does not fit: it is for the queue. Nothing may wait there.
    /// The batch is taken where it is committed.
    std::optional<CommitResult> commit_here(Batch& batch);

    bool storage_low() const { return reserve_.is_low(); }
    bool waits_for_room() const {
        return waits_for_room_.load(std::memory_order_relaxed) || follower_.is_full();
    }

  private:
    CommitResult commit_when_it_fits(Batch& batch);
    CommitResult commit(Batch& batch);
    bool is_turn();
    Result<void> settle();
    Result<void> stop();
    void scrub_log();
    void tell_failure();

    StorageReserve reserve_;
    LogBounds bounds_;
    CommitQueue& queue_;
    FailureNote failure_;
    Follower follower_;

    std::mutex at_log_;  // held by whoever uses what follows
    CommitLog log_;
    Seq last_seq_;
    Digest head_;

    // Of the thread alone.
    std::uint64_t committed_batches_ = 0;
    std::uint64_t erasures_ = 0;  // of the follower's, those that the log was scrubbed for

    std::atomic<bool> told_ = false;  // the loop knows that there was a failure
    std::atomic<bool> waits_for_room_ = false;
};

}  // namespace zq::store
