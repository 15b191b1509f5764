// One run: a fault phase, then a healing phase in which everything must come to its end.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "tests/simulator/coverage.h"
#include "tests/simulator/options.h"
#include "tests/simulator/trace.h"

namespace zq::sim {

struct RunResult {
    std::optional<std::string> violation;
    std::uint64_t steps = 0;
    std::uint64_t trace_hash = 0;
    std::uint64_t events = 0;  // durable ones
    std::uint64_t tasks = 0;
    std::uint64_t deaths = 0;  // of the coordinator
    Millis lasted{};           // of virtual time
    Coverage coverage;
    std::deque<std::string> tail;  // of the trace
};

RunResult run(const RunOptions& options, Trace::Echo echo);

/// The trace of the run that is under way, for the report of a check that failed in it.
const Trace* current_trace();

}  // namespace zq::sim
