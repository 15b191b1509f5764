// Shrinking: what can be taken out of a failing run so that it still fails. A smaller run is
// another run, so a few seeds are tried for each.
#include <cstdio>
#include <functional>
#include <vector>

#include "tests/simulator/campaign.h"

namespace zq::sim {
namespace {

constexpr std::uint64_t kSeedsTried = 20;

/// Takes over the candidate if it fails, under its own seed or one of the next.
bool take(RunOptions candidate, RunOptions& smallest) {
    if (candidate == smallest) return false;
    for (std::uint64_t i = 0; i < kSeedsTried; ++i, ++candidate.seed) {
        if (!fails(candidate)) continue;
        smallest = candidate;
        std::printf("smaller: %s\n", command_line(smallest).c_str());
        return true;
    }
    return false;
}

bool drop_faults(RunOptions& smallest) {
    bool dropped = false;
    for (std::size_t i = 0; i < kFaults; ++i) {
        const FaultSet without = smallest.faults & ~(FaultSet{1} << i);
        if (without == smallest.faults || (without & kAllFaults) == 0) continue;
        RunOptions candidate = smallest;
        candidate.faults = without;
        dropped = take(candidate, smallest) || dropped;
    }
    return dropped;
}

template <class Number>
bool lower(RunOptions& smallest, Number RunOptions::*what, Number least) {
    bool lowered = false;
    for (const Number to :
         {static_cast<Number>(smallest.*what / 4), static_cast<Number>(smallest.*what / 2),
          static_cast<Number>(smallest.*what - 1)}) {
        if (to < least || to >= smallest.*what) continue;
        RunOptions candidate = smallest;
        candidate.*what = to;
        if (!take(candidate, smallest)) continue;
        lowered = true;
        break;
    }
    return lowered;
}

}  // namespace

void shrink(RunOptions failing) {
    std::printf("\nshrinking %s\n", command_line(failing).c_str());
    failing.faults = faults_of(failing);
    bool smaller = true;
    while (smaller) {
        smaller = drop_faults(failing);
        smaller = lower(failing, &RunOptions::tasks, 1U) || smaller;
        smaller = lower(failing, &RunOptions::workers, 1U) || smaller;
        smaller = lower(failing, &RunOptions::clients, 1U) || smaller;
        smaller = lower(failing, &RunOptions::fault_seconds, std::int64_t{10}) || smaller;
    }
    std::printf("smallest that still fails: %s --trace\n", command_line(failing).c_str());
}

}  // namespace zq::sim
