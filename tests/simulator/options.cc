#include "tests/simulator/options.h"

#include "tests/simulator/rng.h"

namespace zq::sim {
namespace {

/// Tells "none" from "as the seed says".
constexpr FaultSet kNoFaults = FaultSet{1} << kFaults;

}  // namespace

FaultSet faults_of(const RunOptions& options) {
    if (options.faults != 0) return options.faults & kAllFaults;
    Rng rng = Rng(options.seed).fork("faults of the run");
    // Few kinds at a time go deep, many at a time go wide: each seed draws how likely a kind is.
    const std::uint64_t share = 150 + rng.below(600);
    FaultSet faults = bit(rng.per_mille(500) ? Fault::kCoordinatorKill : Fault::kCoordinatorPower);
    for (std::size_t i = 0; i < kFaults; ++i) {
        if (rng.per_mille(share)) faults |= FaultSet{1} << i;
    }
    return faults;
}

std::string to_text(FaultSet faults) {
    std::string text;
    for (std::size_t i = 0; i < kFaults; ++i) {
        if ((faults >> i & 1U) == 0) continue;
        if (!text.empty()) text += ',';
        text += kFaultNames[i];
    }
    return text.empty() ? "none" : text;
}

Result<FaultSet> parse_faults(std::string_view text) {
    if (text == "none") return kNoFaults;
    if (text == "all") return kAllFaults;
    FaultSet faults = 0;
    while (!text.empty()) {
        const std::string_view name = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), name.size() + 1));
        std::size_t i = 0;
        while (i < kFaults && kFaultNames[i] != name) ++i;
        if (i == kFaults) {
            return fail(ErrorCode::INVALID, "no fault is called " + std::string(name), "faults");
        }
        faults |= FaultSet{1} << i;
    }
    return faults;
}

std::string command_line(const RunOptions& options) {
    const RunOptions usual;
    std::string line = "zq-sim --seed " + std::to_string(options.seed);
    if (options.tasks != usual.tasks) line += " --tasks " + std::to_string(options.tasks);
    if (options.workers != usual.workers) line += " --workers " + std::to_string(options.workers);
    if (options.clients != usual.clients) line += " --clients " + std::to_string(options.clients);
    if (options.fault_seconds != usual.fault_seconds) {
        line += " --fault-seconds " + std::to_string(options.fault_seconds);
    }
    if (options.faults != 0) line += " --faults " + to_text(options.faults);
    return line;
}

}  // namespace zq::sim
