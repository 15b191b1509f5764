// zq-power: runs of the journal and of the artifact store on a disk that loses its power.
//   zq-power [--seed S] [--seeds N] [--minutes M] [--workload journal|artifacts]
// A seed is a run: the same one does the same. Exit 1 if anything was lost.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/platform/log.h"
#include "tests/power/artifact_run.h"
#include "tests/power/campaign.h"
#include "tests/power/journal_run.h"

namespace {

using namespace zq::power;

[[noreturn]] void explain() {
    std::fprintf(stderr,
                 "usage: zq-power [--seed S] [--seeds N] [--minutes M]"
                 " [--workload journal|artifacts]\n"
                 "  --seed S      the first seed (default: 1)\n"
                 "  --seeds N     how many runs (default: 200; with --minutes: as many as fit)\n"
                 "  --minutes M   for how long\n");
    std::exit(2);
}

Plan read_arguments(int count, char** words) {
    Plan plan;
    bool counted = false;
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count) explain();
        const std::string name = words[i];
        const char* value = words[i + 1];
        if (name == "--workload") {
            plan.artifacts = std::strcmp(value, "artifacts") == 0;
            if (!plan.artifacts && std::strcmp(value, "journal") != 0) explain();
            continue;
        }
        char* end = nullptr;
        const std::uint64_t number = std::strtoull(value, &end, 10);
        if (*value == '\0' || *end != '\0') explain();
        if (name == "--seed") {
            plan.first_seed = number;
        } else if (name == "--seeds") {
            plan.seeds = number;
            counted = true;
        } else if (name == "--minutes") {
            plan.time = std::chrono::minutes(number);
        } else {
            explain();
        }
    }
    if (plan.time.count() > 0 && !counted) plan.seeds = UINT64_MAX;
    return plan;
}

}  // namespace

int main(int count, char** words) {
    // A disk that loses its power is no news here.
    (void)zq::set_log_level("off");
    const Totals totals = run_campaign(read_arguments(count, words));
    return totals.violations == 0 ? 0 : 1;
}
