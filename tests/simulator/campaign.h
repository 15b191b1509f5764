// Many runs: one seed after the other, each in a process of its own where it may end by a failed
// check, and what they add up to.
#pragma once

#include "tests/simulator/arguments.h"
#include "tests/simulator/run.h"

namespace zq::sim {

/// What all runs of a campaign add up to: the row of the ledger.
struct Totals {
    std::uint64_t seeds = 0;
    std::uint64_t steps = 0;
    std::uint64_t events = 0;
    std::uint64_t tasks = 0;
    std::uint64_t deaths = 0;
    std::uint64_t violations = 0;
    Coverage coverage;
};

/// Runs what the arguments say until a run fails; reports that one. Gives the exit code.
int run_campaign(const Arguments& arguments);

/// True if the run ends with a violation or a failed check. In a process of its own; silent.
bool fails(const RunOptions& options);

/// Looks for a smaller run that fails like this one does, and prints how to repeat it.
void shrink(RunOptions failing);

/// Of every mutant (or the one that is named): caught within so many seeds? Gives the exit code.
int hunt_mutants(const Arguments& arguments);

}  // namespace zq::sim
