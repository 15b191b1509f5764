// The command line of zq-sim.
#pragma once

#include <optional>
#include <string>

#include "tests/simulator/options.h"

namespace zq::sim {

struct Arguments {
    RunOptions run;
    std::uint64_t seeds = 1;  // from run.seed on
    double minutes = 0;       // runs on for so long; 0: as many as `seeds`
    bool trace = false;       // print the trace
    bool shrink = false;      // of a run that fails, look for a smaller one
    bool coverage = false;    // print what was reached; what was not is a failure
    bool twice = false;       // run each seed again: the trace must be the same
    bool fresh = false;       // start from a seed that the clock gives
    bool list_mutants = false;
    bool hunt = false;  // of every mutant: it must be caught within `seeds`
    std::optional<std::string> mutant;
};

/// Errors: INVALID with what is wrong.
Result<Arguments> parse_arguments(int argc, char** argv);
std::string usage();

}  // namespace zq::sim
