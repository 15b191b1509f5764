// How the execution of an attempt ended, as far as the machine can tell. What follows from it is
// ending.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "worker/agent/agent.h"
#include "worker/handler.h"

namespace zq::worker {

/// Why we ended it ourselves.
enum class StopCause : std::uint8_t {
    kNone,
    kCancelled,
    kTimedOut,
    kDrained,
    kOverBudget,  // its task's budget is used up
    kStalled,     // no sign of life for the stall timeout
    kLingered,    // it had said its final word, and did not end
};

/// How the check after the command ended (--verify).
struct VerifyEnd {
    std::optional<int> exit_code;
    int signal = 0;           // that ended it, or 0
    bool timed_out = false;   // ended for its time limit
    std::string not_started;  // why it could not be started, or empty
};

struct AttemptEnd {
    StopCause stop = StopCause::kNone;
    std::optional<int> exit_code;      // of the command
    int signal = 0;                    // that ended the command, or 0
    bool oom = false;                  // something of it was killed for want of memory
    std::uint64_t stdout_dropped = 0;  // bytes that the cap of the log cost
    std::uint64_t stderr_dropped = 0;
    std::string not_started;               // why it could not be started, or empty
    std::string not_fetched;               // which input could not be had, or empty
    std::string drifted;                   // which input is not what was submitted, or empty
    std::optional<VerifyEnd> verified;     // where a check ran
    std::optional<AgentRecord> agent;      // what its tool said, where an adapter reads it
    std::optional<HandlerResult> handled;  // of a handler
    Millis duration{};
};

}  // namespace zq::worker
