// A load in a process of its own, and what it measured brought back.
#pragma once

#include <functional>

#include "cli/bench/loads.h"

namespace zq::cli {

/// Errors: those of the load, as its process's message; that it was interrupted.
Expected<Rate> rate_of(const std::function<Expected<Rate>()>& load);
Expected<DispatchTimes> times_of(const std::function<Expected<DispatchTimes>()>& load);

}  // namespace zq::cli
