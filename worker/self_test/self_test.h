// `zq-worker --test -- COMMAND`: the worker contract as a check-list. Runs the command on fake
// tasks and says of each point whether it was kept, broken, or not shown by this command. Says
// nothing that it did not see.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "worker/options.h"

namespace zq::worker {

enum class Verdict : std::uint8_t { kKept, kNotShown, kBroken };

struct Point {
    std::string name;
    Verdict verdict = Verdict::kKept;
    std::string what;  // was seen
};

/// Exit code when a point is broken; 0 otherwise.
inline constexpr int kExitProblems = 20;

/// All points, in the order of the contract. `folder` is where the attempts lie; `told` is called
/// with each point as soon as it is known.
std::vector<Point> check_contract(const WorkerOptions& options, const std::string& folder,
                                  const std::function<void(const Point&)>& told);

/// Prints the list to stdout; gives the exit code.
int run_self_test(const WorkerOptions& options);

}  // namespace zq::worker
