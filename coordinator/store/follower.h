// Follows the commit log: brings what is committed into the tables, on a thread of its own, while
// the next batches are committed. By little and not for long behind (trail.h); at once for who
// waits to read; farther behind only where nothing more should be decided until it has caught up.
//
// A full disk: the reserve is given up, then it is tried until there is room. Any other failure is
// noted, and nothing is written any more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "coordinator/store/failure_note.h"
#include "coordinator/store/projector.h"

namespace zq::store {

class Follower {
  public:
    /// `on_moved` is called, by any thread, after `projected` has moved or a failure was noted;
    /// `reserve` and `failure` must outlive it.
    Follower(Projector projector, LogBounds bounds, StorageReserve& reserve, FailureNote& failure,
             std::function<void()> on_moved);

    /// The thread's body, until `end`.
    void serve();
    void end();

    /// What was committed just now. `log_is_long`: its blocks are to be written over soon.
    void add(Batch batch, std::vector<EventRow> rows, bool log_is_long);
    /// Somebody waits to read up to there.
    void want(Seq upto);
    /// What is in the commit log is to be on disk in the tables when there is time.
    void settle_soon();
    /// To be stored when there is time. Nobody waits for it.
    void put(const Anchor& anchor);

    /// Readers see everything up to there.
    Seq projected() const { return projected_.load(std::memory_order_acquire); }
    /// No power cut takes back what the tables have up to there.
    Seq settled() const { return settled_.load(std::memory_order_acquire); }
    bool trails_far() const { return trails_far_.load(std::memory_order_relaxed); }
    /// What is committed does not fit into the tables.
    bool is_full() const { return full_.load(std::memory_order_relaxed); }
    /// How often erased texts have left the tables and their log: then they are to leave the commit
    /// log too.
    std::uint64_t erasures() const { return erasures_.load(std::memory_order_acquire); }

    // Any thread.

    /// Brings over all that is committed. Where the thread's own work does not end soon, or the
    /// disk is full, it is left for later.
    void project();
    /// The same, and the statistics.
    void catch_up();
    /// The same as `project`, and everything is on disk and copied back. Waits. Errors: IO,
    /// STORAGE_FULL.
    Result<void> settle();
    /// The same at the end of a journal: it says what it led to. Where that fails, the log of the
    /// tables stays for the next start.
    Result<void> stop();

  private:
    using Clock = std::chrono::steady_clock;

    enum class Woken : std::uint8_t { kForWork, kByTime, kToEnd };

    Woken wait();
    bool is_time();
    Clock::duration patience() const;
    bool has_trail();
    void project_slice();
    void project_all();
    std::unique_lock<std::mutex> await_tables();
    void take_care();
    void rest();
    void wipe_log();
    void check(const Result<void>& done);

    LogBounds bounds_;
    StorageReserve& reserve_;
    FailureNote& failure_;
    std::function<void()> on_moved_;

    std::mutex at_tables_;  // held by who uses what follows; the next one may be taken meanwhile
    Projector projector_;

    std::mutex at_trail_;  // of what follows; never for long
    std::condition_variable arrived_;
    Trail trail_;
    Seq wanted_ = 0;
    Clock::time_point hurried_from_{};  // what is wanted is not brought over before
    bool log_is_long_ = false;
    bool waits_long_ = false;  // the thread is to be told when there is something
    bool ends_ = false;
    std::optional<Anchor> anchor_;

    Clock::time_point looked_{};  // when the thread refreshed the reserve
    std::atomic<Seq> committed_;
    std::atomic<Seq> projected_;
    std::atomic<Seq> settled_;
    std::atomic<std::uint64_t> erasures_ = 0;
    std::atomic<bool> trails_far_ = false;
    std::atomic<bool> full_ = false;
};

}  // namespace zq::store
