// Many workers that are connected and say now and then that they are alive.
#pragma once

#include "cli/bench/queue.h"
#include "cli/bench/zq_queue.h"

namespace zq::cli {

struct Fleet {
    std::size_t workers = 1'000;
    bool busy = false;  // each holds a task, and renews its lease
    Millis heartbeat = seconds(5);
};

/// Connects them, spread evenly over an interval, and keeps them alive until `stop_fd` becomes
/// readable. Says on `ready_fd`, with one byte, when all are connected (and busy). Returns nothing
/// of note.
std::string run_fleet(ZqQueue& queue, const Fleet& fleet, int ready_fd, int stop_fd);

/// As many long polls, each of a client of its own, until `stop_fd` becomes readable.
std::string run_polls(ZqQueue& queue, std::size_t polls, int ready_fd, int stop_fd);

}  // namespace zq::cli
