// What must hold of every state, whatever happened. Tests and the simulator ask after each step;
// the coordinator asks once after a recovery.
#pragma once

#include <string>
#include <vector>

#include "coordinator/core/state.h"

namespace zq::core {

/// The sentences that do not hold; empty for a sound state.
std::vector<std::string> broken_invariants(const State& state);

}  // namespace zq::core
