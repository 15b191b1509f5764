// A queue as the load loops (loads.h) see it, so that one loop can drive zq and others: whoever
// submits, whoever works, and whoever reads results, each over a connection of its own. Nothing
// here waits; what cannot go on ends the process with a message (fatal).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/platform/socket.h"

namespace zq::cli {

/// Ends this process: `what` on stderr, exit code 1. For a client process of a load, which has
/// nobody to report to but the figures that then lack.
[[noreturn]] void fatal(const std::string& what);

std::int64_t now_ns();

/// Makes tasks, numbered from 0 by each connection for itself.
class Submitter {
  public:
    virtual ~Submitter() = default;
    virtual PollItem item() const = 0;
    virtual void submit() = 0;
    /// What was asked for leaves now.
    virtual void flush() = 0;
    /// Reads what has come; gives how many of those that were asked for are durable since the last
    /// call. They are acknowledged in order.
    virtual std::size_t acknowledged() = 0;
};

struct Work {
    std::string task;
    std::string token;  // of its queue
    std::uint32_t attempt = 0;
};

/// Takes tasks and ends them with a result of 80 bytes.
class Server {
  public:
    virtual ~Server() = default;
    virtual PollItem item() const = 0;
    /// Begins to take tasks, this many at a time.
    virtual void serve(std::uint32_t slots) = 0;
    virtual std::vector<Work> take() = 0;
    virtual void finish(const Work& work) = 0;
    virtual void flush() = 0;
    /// Ends that the queue has acknowledged as durable, so far.
    virtual std::uint64_t acknowledged() const = 0;
};

/// Reads results as they come.
class ResultReader {
  public:
    virtual ~ResultReader() = default;
    virtual PollItem item() const = 0;
    /// How many have come since the last call.
    virtual std::size_t take() = 0;
};

class Queue {
  public:
    virtual ~Queue() = default;
    virtual std::string name() const = 0;
    virtual std::unique_ptr<Submitter> submitter() = 0;
    virtual std::unique_ptr<Server> server() = 0;
    virtual std::unique_ptr<ResultReader> result_reader() = 0;
};

}  // namespace zq::cli
