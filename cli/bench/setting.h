// What the benchmarks share: how often and where they run, and the coordinator of one repetition.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/bench/figures.h"
#include "cli/bench/loads.h"
#include "cli/bench/own_server.h"
#include "cli/bench/zq_queue.h"
#include "cli/command.h"

namespace zq::cli {

inline constexpr std::uint64_t kMostInFlight = 4'096;  // of one connection: what is taken in
inline constexpr std::uint64_t kMostConnections = 1'000;

struct Setting {
    std::uint64_t repetitions = 3;
    double seconds = 3;
    std::string connect;  // to one that runs; empty: one of its own
    OwnServerOptions server;
};
/// --repetitions, --time, --data, --curve, --connect, each where the command has it. From then on
/// Ctrl-C ends what is waited for. Errors: usage, also for flags that contradict each other.
Expected<Setting> read_setting(const Arguments& args);
Expected<std::uint64_t> number_or(const Arguments& args, std::string_view flag, std::uint64_t most,
                                  std::uint64_t absent);

/// The coordinator of one repetition.
struct Target {
    std::unique_ptr<OwnServer> own;  // null: one that runs already
    ZqQueueOptions queue;
    Profile profile;
    double cpu_before = 0;
};
/// Errors: IO, UNREACHABLE, and those of the profile.
Expected<Target> open_target(const Setting& setting);
/// Measures as often as is asked for, each time against a target of its own, and prints the
/// figures. Errors: those of `once`.
Ending repeat(const Setting& setting, const OutputOptions& output,
              const std::function<Expected<void>(Target&, Figures&)>& once);
/// Queues for the load loops; `with_results`: somebody reads them.
QueueMaker maker_of(const Target& target, bool with_results);
/// What the coordinator's process has used for each task, where it is one of ours.
void add_cpu(Figures& figures, const std::string& workload, const std::string& params,
             const Target& target, const Rate& rate);

inline constexpr Flag kRepetitionsFlag = {
    "repetitions", "N", "Each with a fresh coordinator; the median is told (default 3)"};
inline constexpr Flag kDataFlag = {
    "data", "DIR", "Where the coordinator's folder is made (default: the temporary folder)"};
inline constexpr Flag kCurveFlag = {"curve", "", "Encrypt the connections", Takes::kNothing};
inline constexpr Flag kConnectFlag = {
    "connect", "ADDRESS", "Measure one that runs; its tasks stay there (default: one of its own)"};
inline constexpr Uses kBenchUses{false, true, false};

}  // namespace zq::cli
