// Names the rule that holds a task: why it does not run, or, where it does, who has it.
#pragma once

#include "common/wire/task_queries.h"
#include "coordinator/core/state.h"

namespace zq::edge {

/// `task` is open, or has ended. By what is in memory: sessions and queues of this moment.
wire::Why why_of(const core::State& state, const core::Task& task);

}  // namespace zq::edge
