#include "tests/simulator/campaign.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "common/platform/clock.h"
#include "common/platform/files.h"

namespace zq::sim {
namespace {

RunOptions g_options;  // of the run that is under way
Totals g_totals;

void print_ledger(std::uint64_t violations, Millis took) {
    std::printf("ledger: machinery=sim seeds=%" PRIu64 " steps=%" PRIu64 " tasks=%" PRIu64
                " events=%" PRIu64 " kills=%" PRIu64 " seconds=%" PRId64 " violations=%" PRIu64
                "\n",
                g_totals.seeds, g_totals.steps, g_totals.tasks, g_totals.events, g_totals.deaths,
                took.count / 1000, violations);
    std::fflush(stdout);
}

void print_failure(const std::string& what, const std::deque<std::string>& tail) {
    std::printf("\n--- the last lines of the trace ---\n");
    for (const std::string& line : tail) std::printf("%s\n", line.c_str());
    std::printf("\nVIOLATION in seed %" PRIu64 ": %s\nfaults: %s\nagain:  %s --trace\n",
                g_options.seed, what.c_str(), to_text(faults_of(g_options)).c_str(),
                command_line(g_options).c_str());
    std::fflush(stdout);
}

/// A failed check of ours ends the process: what led to it is told all the same.
extern "C" void tell_of_abort(int) {
    const Trace* trace = current_trace();
    print_failure("a check failed (above)",
                  trace == nullptr ? std::deque<std::string>{} : trace->tail());
    print_ledger(1, {});
    std::_Exit(1);
}

/// Adds a run up; true if it is sound.
bool add(const RunOptions& options, const Arguments& arguments) {
    g_options = options;
    RunResult result = run(options, arguments.trace ? Trace::Echo::kStdout : Trace::Echo::kNone);
    ++g_totals.seeds;
    g_totals.steps += result.steps;
    g_totals.events += result.events;
    g_totals.tasks += result.tasks;
    g_totals.deaths += result.deaths;
    g_totals.coverage.merge(result.coverage);
    if (!result.violation && arguments.twice &&
        run(options, Trace::Echo::kNone).trace_hash != result.trace_hash) {
        result.violation = "the same seed gave another trace";
    }
    if (!result.violation) return true;
    print_failure(*result.violation, result.tail);
    return false;
}

int report_coverage() {
    for (const auto& [name, times] : g_totals.coverage.table()) {
        std::printf("%12" PRIu64 "  %s\n", times, name.c_str());
    }
    const std::vector<std::string> gaps = g_totals.coverage.gaps();
    for (const std::string& gap : gaps) std::printf("NOT COVERED: %s\n", gap.c_str());
    return gaps.empty() ? 0 : 1;
}

}  // namespace

int run_campaign(const Arguments& arguments) {
    std::signal(SIGABRT, tell_of_abort);
    RunOptions options = arguments.run;
    if (arguments.fresh) options.seed = random_u64() >> 16U;
    std::printf("zq-sim from seed %" PRIu64 "\n", options.seed);
    std::fflush(stdout);
    const Millis began = boottime();
    const Millis lasts{static_cast<std::int64_t>(arguments.minutes * 60'000)};
    const auto goes_on = [&] {
        return lasts.count > 0 ? boottime() - began < lasts : g_totals.seeds < arguments.seeds;
    };
    bool sound = true;
    for (; sound && goes_on(); ++options.seed) sound = add(options, arguments);
    if (!sound && arguments.shrink) shrink(g_options);
    const int covered = sound && arguments.coverage ? report_coverage() : 0;
    print_ledger(sound ? 0 : 1, boottime() - began);
    return sound ? covered : 1;
}

bool fails(const RunOptions& options) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        std::freopen("/dev/null", "w", stderr);
        std::_Exit(run(options, Trace::Echo::kNone).violation ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace zq::sim
