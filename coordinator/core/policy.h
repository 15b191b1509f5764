// The numbers an operator sets that the core decides by. They never reach an event: events record
// what came of them.
#pragma once

#include <cstddef>

#include "common/base/limits.h"

namespace zq::core {

struct Policy {
    Millis lease = limits::kLeaseDefault;
    Millis heartbeat = limits::kHeartbeatDefault;
    std::size_t max_open_tasks = limits::kOpenTasks;
    Millis age_step = limits::kAgeStep;  // one step of priority outweighs this much waiting
};

}  // namespace zq::core
