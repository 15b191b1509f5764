// `zq bench`: how fast this machine's zq is, against a coordinator of its own.
#include <array>

#include "cli/bench/figures.h"
#include "cli/bench/loads.h"
#include "cli/bench/reports.h"
#include "cli/bench/setting.h"
#include "cli/command_table.h"

namespace zq::cli {
namespace {

void add_rate(Figures& figures, const std::string& workload, const std::string& params,
              const Rate& rate, const std::string& unit) {
    figures.add(workload, params, "rate", rate.per_second(), unit);
    figures.add(workload, params, "p50", rate.latencies.quantile(0.5), "us");
    figures.add(workload, params, "p99", rate.latencies.quantile(0.99), "us");
    figures.add(workload, params, "p99.9", rate.latencies.quantile(0.999), "us");
}

Ending run_submit(const Context& context) {
    auto setting = read_setting(context.args);
    if (!setting) return tl::unexpected(setting.error());
    auto connections = number_or(context.args, "connections", kMostConnections, 1);
    if (!connections) return tl::unexpected(connections.error());
    auto in_flight = number_or(context.args, "in-flight", kMostInFlight, 1);
    if (!in_flight) return tl::unexpected(in_flight.error());
    SubmitLoad load{*connections, *in_flight, setting->seconds};
    const std::string params =
        "conns=" + std::to_string(load.connections) + ",N=" + std::to_string(load.in_flight);
    return repeat(*setting, context.output,
                  [&](Target& target, Figures& figures) -> Expected<void> {
                      const QueueMaker make = maker_of(target, false);
                      const auto rate = rate_of([&] { return run_submits(*make(), load); });
                      if (!rate) return tl::unexpected(rate.error());
                      add_rate(figures, "submit", params, *rate, "task/s");
                      add_cpu(figures, "submit", params, target, *rate);
                      return {};
                  });
}

Ending run_end_to_end(const Context& context) {
    auto setting = read_setting(context.args);
    if (!setting) return tl::unexpected(setting.error());
    LifeLoad load;
    load.seconds = setting->seconds;
    auto workers = number_or(context.args, "workers", kMostConnections, load.workers);
    if (!workers) return tl::unexpected(workers.error());
    load.workers = *workers;
    auto slots = number_or(context.args, "slots", limits::kSlots, load.slots);
    if (!slots) return tl::unexpected(slots.error());
    load.slots = static_cast<std::uint32_t>(*slots);
    auto in_flight = number_or(context.args, "in-flight", kMostInFlight, load.in_flight);
    if (!in_flight) return tl::unexpected(in_flight.error());
    load.in_flight = *in_flight;
    const std::string params = "workers=" + std::to_string(load.workers) +
                               ",slots=" + std::to_string(load.slots) +
                               ",N=" + std::to_string(load.in_flight);
    return repeat(*setting, context.output,
                  [&](Target& target, Figures& figures) -> Expected<void> {
                      const QueueMaker make = maker_of(target, true);
                      const auto rate = rate_of([&] { return run_lives(make, load); });
                      if (!rate) return tl::unexpected(rate.error());
                      add_rate(figures, "end-to-end", params, *rate, "task/s");
                      add_cpu(figures, "end-to-end", params, target, *rate);
                      return {};
                  });
}

Ending run_dispatch(const Context& context) {
    auto setting = read_setting(context.args);
    if (!setting) return tl::unexpected(setting.error());
    auto tasks = number_or(context.args, "tasks", 1'000'000, 1'000);
    if (!tasks) return tl::unexpected(tasks.error());
    return repeat(
        *setting, context.output, [&](Target& target, Figures& figures) -> Expected<void> {
            const QueueMaker make = maker_of(target, true);
            const auto times = times_of([&] { return run_dispatches(make, *tasks); });
            if (!times) return tl::unexpected(times.error());
            const std::pair<const char*, const Latencies*> spans[] = {
                {"acknowledged", &times->acknowledged},
                {"dispatched", &times->dispatched},
                {"answered", &times->answered}};
            for (const auto& [name, latencies] : spans) {
                for (const auto& [suffix, share] : {std::pair{"_p50", 0.5}, {"_p99", 0.99}}) {
                    figures.add("dispatch", "idle", std::string(name) + suffix,
                                latencies->quantile(share), "us");
                }
            }
            return {};
        });
}

constexpr auto kSubmitFlags = std::to_array<Flag>({
    {"connections", "N", "At once (default 1)"},
    {"in-flight", "N", "Submits that are not acknowledged, on each connection (default 1)"},
    {"time", "T", "How long it submits (default 3s)"},
    kRepetitionsFlag,
    kDataFlag,
    kCurveFlag,
    kConnectFlag,
});

constexpr auto kEndToEndFlags = std::to_array<Flag>({
    {"workers", "N", "Connections that work (default 4)"},
    {"slots", "N", "Tasks at once of each (default 64)"},
    {"in-flight", "N", "Submits that are not acknowledged (default 256)"},
    {"time", "T", "How long it submits (default 3s)"},
    kRepetitionsFlag,
    kDataFlag,
    kCurveFlag,
    kConnectFlag,
});

constexpr auto kDispatchFlags = std::to_array<Flag>({
    {"tasks", "N", "One after the other (default 1000)"},
    kRepetitionsFlag,
    kDataFlag,
    kCurveFlag,
    kConnectFlag,
});

constexpr auto kCommands = std::to_array<Command>({
    {"bench submit", "Measure", "", "How many submits a second become durable", "", kSubmitFlags,
     kBenchUses, 0, 0, run_submit},
    {"bench end-to-end", "Measure", "",
     "How many tasks a second are submitted, assigned, ended and read", "", kEndToEndFlags,
     kBenchUses, 0, 0, run_end_to_end},
    {"bench dispatch", "Measure", "", "How soon an idle worker has a task", "", kDispatchFlags,
     kBenchUses, 0, 0, run_dispatch},
});

}  // namespace

std::span<const Command> bench_commands() {
    return kCommands;
}

}  // namespace zq::cli
