// Names the rule that holds a task: why it does not run, or, where it does, who has it.
#pragma once

#include "common/wire/task_queries.h"
#include "coordinator/core/policy.h"
#include "coordinator/core/state.h"

namespace zq::edge {

/// What is in memory now: sessions, queues, limits.
struct Moment {
    const core::State& state;
    const core::Policy& policy;
    Instant now;
};

/// `task` is open, or has ended.
wire::Why why_of(const Moment& moment, const core::Task& task);

}  // namespace zq::edge
