// The load loops: what is done to a queue, and what was measured. One loop for every queue.
#pragma once

#include <functional>
#include <memory>

#include "cli/bench/latencies.h"
#include "cli/bench/queue.h"
#include "cli/exit_code.h"

namespace zq::cli {

using QueueMaker = std::function<std::unique_ptr<Queue>()>;

struct Rate {
    std::uint64_t count = 0;
    double seconds = 0;
    Latencies latencies;  // of each, from being asked for to being acknowledged

    double per_second() const { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }
};

struct SubmitLoad {
    std::size_t connections = 1;
    std::size_t in_flight = 1;        // asked for and not acknowledged, on each connection
    double seconds = 2;               // then no more is asked for
    std::uint64_t most = UINT64_MAX;  // tasks in all
};
/// Submits as fast as it is acknowledged.
Rate run_submits(Queue& queue, const SubmitLoad& load);

/// One at a time, until `stop_fd` becomes readable.
Latencies run_submits_until(Queue& queue, int stop_fd);

struct LifeLoad {
    std::size_t workers = 4;
    std::uint32_t slots = 64;
    std::size_t in_flight = 256;     // submits that are not acknowledged
    std::size_t outstanding = 4096;  // tasks without a result
    double seconds = 2;
};
/// Submit, assignment, end with a result, result read: the workers in a process of their own. Rate
/// of results; latencies from the nth submit to the nth result, which come about in that order.
Expected<Rate> run_lives(const QueueMaker& make, const LifeLoad& load);

struct DispatchTimes {
    Latencies acknowledged;  // from the submit to its acknowledgement
    Latencies dispatched;    // to its arrival at an idle worker
    Latencies answered;      // to its result
};
/// One task at a time on a queue that has nothing else to do; a millisecond between them.
Expected<DispatchTimes> run_dispatches(const QueueMaker& make, std::uint64_t tasks);

/// Workers end what waits, in a process of their own, until `tasks` are ended.
Rate run_drain(Queue& queue, std::size_t workers, std::uint32_t slots, std::uint64_t tasks);

}  // namespace zq::cli
