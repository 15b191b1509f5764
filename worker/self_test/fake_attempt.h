// One attempt of a task that nobody submitted, run as a worker runs one: same folder, same
// environment, same supervision, same reading of what is left; no coordinator and no report sent.
// Waits until it is over.
#pragma once

#include <string>

#include "worker/evidence.h"
#include "worker/options.h"

namespace zq::worker {

/// What is done to the command while it runs.
enum class Ordeal : std::uint8_t { kNone, kCancel, kHang };

struct Scenario {
    std::string name;  // the command finds it in ZQ_TEST
    Ordeal ordeal = Ordeal::kNone;
    std::string instructions;
};

struct FakeOutcome {
    wire::Body report;  // that a worker would send
    AttemptEnd end;
    Collected collected;
    std::uint64_t output_bytes = 0;
    Millis longest_silence{};  // without output and without a change in its folder
    bool suffered = false;     // it still ran when its ordeal began
    Millis after_ordeal{};     // how long it lived from then on
    std::size_t left = 0;      // processes of it that are still alive
};

/// `folder` is a state folder of its own, and stays. Errors: IO (it cannot be prepared or started).
Result<FakeOutcome> run_fake_attempt(const WorkerOptions& options, const Scenario& scenario,
                                     const std::string& folder);

}  // namespace zq::worker
