#include "tests/simulator/arguments.h"

#include <charconv>
#include <cstdlib>

namespace zq::sim {
namespace {

Result<std::uint64_t> number(std::string_view flag, std::string_view text) {
    std::uint64_t value = 0;
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && stop == text.data() + text.size()) return value;
    return fail(ErrorCode::INVALID, std::string(flag) + " takes a number", std::string(flag));
}

/// Flags that stand alone.
bool set_switch(Arguments& arguments, std::string_view flag) {
    const std::pair<std::string_view, bool*> switches[] = {
        {"--trace", &arguments.trace},       {"--shrink", &arguments.shrink},
        {"--coverage", &arguments.coverage}, {"--twice", &arguments.twice},
        {"--fresh", &arguments.fresh},       {"--list-mutants", &arguments.list_mutants},
        {"--hunt", &arguments.hunt}};
    for (const auto& [name, where] : switches) {
        if (name != flag) continue;
        *where = true;
        return true;
    }
    return false;
}

Result<void> set_value(Arguments& arguments, std::string_view flag, const char* value) {
    RunOptions& run = arguments.run;
    if (flag == "--mutant") {
        arguments.mutant = value;
        return {};
    }
    if (flag == "--minutes") {
        arguments.minutes = std::strtod(value, nullptr);
        return {};
    }
    if (flag == "--faults") {
        auto faults = parse_faults(value);
        if (!faults) return Failure(faults.error());
        run.faults = *faults;
        return {};
    }
    auto given = number(flag, value);
    if (!given) return Failure(given.error());
    if (flag == "--seed") {
        run.seed = *given;
    } else if (flag == "--seeds") {
        arguments.seeds = *given;
    } else if (flag == "--tasks") {
        run.tasks = static_cast<std::uint32_t>(*given);
    } else if (flag == "--workers") {
        run.workers = static_cast<std::uint32_t>(*given);
    } else if (flag == "--clients") {
        run.clients = static_cast<std::uint32_t>(*given);
    } else if (flag == "--fault-seconds") {
        run.fault_seconds = static_cast<std::int64_t>(*given);
    } else {
        return fail(ErrorCode::INVALID, "no flag " + std::string(flag));
    }
    return {};
}

}  // namespace

Result<Arguments> parse_arguments(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string_view flag = argv[i];
        if (set_switch(arguments, flag)) continue;
        if (i + 1 == argc)
            return fail(ErrorCode::INVALID, std::string(flag) + " is not understood");
        if (auto ok = set_value(arguments, flag, argv[++i]); !ok) return Failure(ok.error());
    }
    const RunOptions& run = arguments.run;
    if (run.clients == 0 || run.workers == 0 || run.fault_seconds < 1) {
        return fail(ErrorCode::INVALID, "a run needs a client, a worker and a second");
    }
    return arguments;
}

std::string usage() {
    return "zq-sim: the coordinator, workers and clients in one process, with every trouble there "
           "is\n"
           "  --seed S            one run (default 1); a seed is a run\n"
           "  --seeds N           N runs, from that seed on\n"
           "  --minutes M         as many as M minutes give\n"
           "  --fresh             from a seed that nobody has chosen (it is printed)\n"
           "  --trace             tell what happens\n"
           "  --twice             run each seed again: the trace must be the same\n"
           "  --shrink            look for the smallest run that still fails\n"
           "  --coverage          what was reached; what was not is a failure\n"
           "  --tasks N --workers N --clients N --fault-seconds N --faults A,B|none|all\n"
           "zq-sim-mutants, which has known bugs built in, also takes\n"
           "  --list-mutants      their names\n"
           "  --mutant NAME       runs with this one\n"
           "  --hunt              each must be caught within N seeds\n";
}

}  // namespace zq::sim
