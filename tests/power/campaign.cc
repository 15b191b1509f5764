#include "tests/power/campaign.h"

#include <cstdio>

#include "tests/power/artifact_run.h"
#include "tests/power/journal_run.h"

namespace zq::power {
namespace {

using std::chrono::steady_clock;

void print_failure(const Plan& plan, std::uint64_t seed, const RunReport& report) {
    std::printf("seed %llu: %zu violations\n", static_cast<unsigned long long>(seed),
                report.violations.size());
    for (const std::string& violation : report.violations) {
        std::printf("  %s\n", violation.c_str());
    }
    std::printf("%s  again: zq-power --workload %s --seed %llu --seeds 1\n", report.story.c_str(),
                plan.artifacts ? "artifacts" : "journal", static_cast<unsigned long long>(seed));
}

void add(const RunReport& report, Totals& totals) {
    ++totals.seeds;
    totals.cuts += report.cuts;
    totals.kills += report.kills;
    totals.failed_syncs += report.failed_syncs;
    totals.recoveries += report.recoveries;
    totals.interrupted += report.interrupted;
    totals.acknowledged += report.acknowledged;
    totals.calls += report.calls;
    totals.violations += report.violations.size();
}

/// The line that the ledger reads: integers only.
void print_totals(const Plan& plan, const Totals& totals) {
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf(
        "ledger: machinery=%s seeds=%llu cuts=%llu kills=%llu failed_syncs=%llu recoveries=%llu "
        "interrupted=%llu"
        " acknowledged=%llu calls=%llu seconds=%llu violations=%llu\n",
        plan.artifacts ? "artifact-power" : "power", number(totals.seeds), number(totals.cuts),
        number(totals.kills), number(totals.failed_syncs), number(totals.recoveries),
        number(totals.interrupted), number(totals.acknowledged), number(totals.calls),
        number(totals.seconds), number(totals.violations));
    std::fflush(stdout);
}

}  // namespace

Totals run_campaign(const Plan& plan) {
    constexpr std::uint64_t kFailuresShown = 5;
    Totals totals;
    std::uint64_t failures = 0;
    const auto start = steady_clock::now();
    for (std::uint64_t i = 0; i < plan.seeds; ++i) {
        if (plan.time.count() > 0 && steady_clock::now() - start >= plan.time) break;
        const std::uint64_t seed = plan.first_seed + i;
        const RunReport report = plan.artifacts ? ArtifactRun(seed).run() : JournalRun(seed).run();
        add(report, totals);
        if (report.violations.empty()) continue;
        if (++failures <= kFailuresShown) print_failure(plan, seed, report);
    }
    totals.seconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - start).count());
    print_totals(plan, totals);
    return totals;
}

}  // namespace zq::power
