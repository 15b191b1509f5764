// One attempt under way: a command's process, or a handler's thread. Used by the loop's thread
// alone; nothing here waits.
#pragma once

#include <optional>

#include "worker/attempt_end.h"

namespace zq::worker {

/// What the output of a command shows at one moment.
struct Signs {
    std::uint64_t output_bytes = 0;  // written to stdout and stderr so far
    bool final_record = false;       // the adapter has read the record that ends a run
};

class Execution {
  public:
    Execution() = default;
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;
    virtual ~Execution() = default;

    virtual void freeze() = 0;
    virtual void thaw() = 0;
    /// Asks it to end, and makes it end after the grace. A frozen one is killed: it may not run.
    virtual void stop(StopCause cause, Millis now) = 0;
    /// Kills it and all its descendants at once.
    virtual void kill() = 0;
    /// Moves on what is under way. Gives the end once nothing of it is left; then it is over.
    virtual std::optional<AttemptEnd> step(Millis now) = 0;
    /// When `step` has something to do without `wake_fd` being readable.
    virtual Millis deadline() const = 0;
    /// Readable when `step` has something to do before its deadline.
    virtual int wake_fd() const = 0;
    /// What its output shows so far.
    virtual Signs signs() const { return {}; }
};

}  // namespace zq::worker
