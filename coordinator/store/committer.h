// Makes batches durable in the commit log, and has what they say brought into the tables after it:
// the rules of order, of failure and of who does what. It has a thread of its own and knows nothing
// of the loop but the queue between them. A batch may also be committed by the loop's own thread,
// so that a lone request need not wait for two threads to wake, and none waits for the tables.
//
// - One write and one sync of the log per batch, durable when it is answered.
// - The tables trail behind: by little and not for long (trail.h); at once for who waits to read.
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
#include "coordinator/store/projector.h"

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
    Committer(CommitterParts parts, const std::string& folder, StorageBounds storage,
              LogBounds bounds);

    /// The thread's body: serves the queue until a StopOrder.
    void serve(CommitQueue& queue);

    /// Commits on the caller's thread. Nullopt, and nothing is stored: another thread is at the log
    /// just now, or the batch does not fit: it is for the queue. Nothing may wait there.
    /// The batch is taken where it is committed.
    std::optional<CommitResult> commit_here(Batch& batch);
    /// True where the thread should be told that `commit_here` has left it something to do.
    bool should_be_woken();
    /// The thread is at the tables: what is put into the queue waits for it.
    bool is_projecting() const { return projecting_.load(std::memory_order_relaxed); }

    /// Readers see everything up to there.
    Seq projected() const { return projected_.load(std::memory_order_acquire); }
    /// So much is not in the tables yet that nothing more should be decided.
    bool trails_far() const { return trails_far_.load(std::memory_order_relaxed); }
    /// Brings all that is committed into the tables. Where the thread's own work does not end soon,
    /// or the disk is full, it is left for later. Any thread. True: something was brought over.
    bool project();
    /// The same, and the statistics.
    void catch_up();

    bool storage_low() const { return reserve_.is_low(); }
    bool waits_for_room() const {
        return waits_for_room_.load(std::memory_order_relaxed) ||
               tables_full_.load(std::memory_order_relaxed);
    }

  private:
    using Clock = std::chrono::steady_clock;

    CommitResult commit_when_it_fits(Batch& batch, CommitQueue& queue);
    CommitResult commit(Batch& batch);
    std::chrono::milliseconds patience();
    bool is_turn();
    bool is_time(bool idle);
    void project_slice();
    void project_all();
    std::unique_lock<std::mutex> await_tables();
    void take_care(const CommitQueue& queue);
    void rest();
    Result<void> settle();
    Result<void> stop();
    void wipe_logs();
    void tell_failure(CommitQueue& queue);
    std::optional<std::string> poisoned();
    void poison(const Error& error);
    void check(const Result<void>& done);

    StorageReserve reserve_;
    LogBounds bounds_;

    std::mutex
        at_log_;  // held by whoever uses what follows; may be taken while the next one is held
    CommitLog log_;
    Seq last_seq_;
    Digest head_;
    Trail trail_;
    Seq wanted_ = 0;      // somebody waits to read up to there
    bool woken_ = false;  // the thread knows that there is a trail
    std::optional<std::string> poisoned_;

    std::mutex at_tables_;  // of what follows
    Projector projector_;

    // Of the thread alone.
    Clock::time_point looked_{};  // when it refreshed the reserve
    std::uint64_t committed_batches_ = 0;
    bool told_ = false;  // the loop knows that it is poisoned

    std::atomic<Seq> committed_;
    std::atomic<Seq> projected_;
    std::atomic<bool> projecting_ = false;
    std::atomic<bool> trails_far_ = false;
    std::atomic<bool> waits_for_room_ = false;
    std::atomic<bool> tables_full_ = false;
};

}  // namespace zq::store
