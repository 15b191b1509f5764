// The queue between the loop's thread, which hands batches over, and the commit thread, which
// answers them in order. It bounds nothing itself: the loop stops reading at
// limits::kUncommittedBatches.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "common/platform/files.h"
#include "coordinator/store/journal.h"

namespace zq::store {

struct CommitOrder {
    Batch batch;
    std::size_t bytes = 0;  // its estimated size
};
/// Make everything that can be read durable.
struct SettleOrder {
    std::promise<Result<void>> done;
};
/// Everything before has been answered: tidy up and end the thread.
struct StopOrder {
    std::promise<Result<void>> done;
};
using Order = std::variant<CommitOrder, SettleOrder, StopOrder>;

/// A result: of a batch, with its estimated size; or the failure of other work on the disk, which
/// nobody asked for.
struct Answered {
    enum class Of : std::uint8_t { kBatch, kUpkeep };

    CommitResult result;
    std::size_t bytes = 0;
    Of of = Of::kBatch;
};

class CommitQueue {
  public:
    CommitQueue();

    // The loop's side.
    void push(Order order);
    /// Takes what was answered since the last call. Never waits.
    std::vector<Answered> take_answers();
    /// Readable while there are answers, or news of another kind.
    int answers_fd() const { return signal_.fd(); }

    // The commit thread's side.
    /// Waits for the next order; nullopt when none came in this time.
    std::optional<Order> next(std::chrono::milliseconds wait);
    bool is_empty() const;
    /// Waits this long, or until there is a StopOrder; true if there is one.
    bool await_stop(std::chrono::milliseconds wait);
    void answer(Answered answered);
    /// Makes `answers_fd` readable without an answer.
    void signal() const;

  private:
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Order> orders_;
    std::vector<Answered> answers_;
    FileHandle signal_;  // an eventfd
};

}  // namespace zq::store
