// What one run is: its seed, its size, its faults. Two runs with the same options are the same run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"

namespace zq::sim {

/// Kinds of trouble. Each is planned by faults.cc.
enum class Fault : std::uint8_t {
    kCoordinatorKill,   // kill -9: what was written stays readable
    kCoordinatorPower,  // its machine loses power: what was not synced is gone, up to a batch
    kCoordinatorStop,   // ends in good order, and is started again
    kCoordinatorPause,  // SIGSTOP
    kSlowDisk,          // commits take seconds
    kDiskError,         // a commit fails, and nobody knows what became of it
    kDiskLow,           // below its low-water mark
    kWorkerKill,        // the supervisor alone: its children live on until the next start
    kWorkerPower,
    kWorkerPause,    // SIGSTOP of the supervisor alone
    kWorkerSuspend,  // the whole machine sleeps
    kWorkerDrain,    // SIGTERM, perhaps twice
    kClientKill,
    kPartition,  // both ways
    kOneWay,
    kCut,     // links break, and an end may not hear of it
    kDrop,    // single messages
    kRepeat,  // of what a peer may repeat
    kDelay,   // seconds
    kWallStep,
};
inline constexpr std::size_t kFaults = 20;
inline constexpr std::array<std::string_view, kFaults> kFaultNames = {"coordinator-kill",
                                                                      "coordinator-power",
                                                                      "coordinator-stop",
                                                                      "coordinator-pause",
                                                                      "slow-disk",
                                                                      "disk-error",
                                                                      "disk-low",
                                                                      "worker-kill",
                                                                      "worker-power",
                                                                      "worker-pause",
                                                                      "worker-suspend",
                                                                      "worker-drain",
                                                                      "client-kill",
                                                                      "partition",
                                                                      "one-way",
                                                                      "cut",
                                                                      "drop",
                                                                      "repeat",
                                                                      "delay",
                                                                      "wall-step"};

/// A bit for each Fault.
using FaultSet = std::uint32_t;
constexpr FaultSet bit(Fault fault) {
    return FaultSet{1} << static_cast<unsigned>(fault);
}
inline constexpr FaultSet kAllFaults = (FaultSet{1} << kFaults) - 1;

struct RunOptions {
    std::uint64_t seed = 1;
    std::uint32_t tasks = 200;
    std::uint32_t workers = 5;
    std::uint32_t clients = 3;
    std::int64_t fault_seconds = 400;  // of virtual time, before everything heals
    FaultSet faults = 0;               // 0: some, as the seed says; a coordinator's end among them

    friend bool operator==(const RunOptions&, const RunOptions&) = default;
};

/// The faults of a run, where the options leave them to the seed.
FaultSet faults_of(const RunOptions& options);

/// `cut,drop`; and back, with `none` and `all`. Errors: INVALID.
std::string to_text(FaultSet faults);
Result<FaultSet> parse_faults(std::string_view text);

/// The command line that runs exactly this.
std::string command_line(const RunOptions& options);

}  // namespace zq::sim
