// Shows that the simulator looks: every known bug, switched on, must be caught.
#include <cinttypes>
#include <cstdio>

#include "tests/simulator/campaign.h"
#include "tests/simulator/mutants.h"

namespace zq::sim {
namespace {

/// The first seed that catches it; 0: none of them did.
std::uint64_t catching_seed(RunOptions options, std::uint64_t seeds) {
    for (std::uint64_t i = 0; i < seeds; ++i, ++options.seed) {
        if (fails(options)) return i + 1;
    }
    return 0;
}

}  // namespace

int hunt_mutants(const Arguments& arguments) {
    std::vector<std::string> names = mutant_names();
    if (arguments.mutant) names = {*arguments.mutant};
    int escaped = names.empty() ? 1 : 0;
    for (const std::string& name : names) {
        if (!choose_mutant(name)) {
            std::fprintf(stderr, "no mutant is called %s\n", name.c_str());
            return 2;
        }
        const std::uint64_t tries = catching_seed(arguments.run, arguments.seeds);
        if (tries == 0) {
            std::printf("ESCAPED  %s, in %" PRIu64 " seeds\n", name.c_str(), arguments.seeds);
            ++escaped;
        } else {
            std::printf("caught   %-32s by seed %" PRIu64 " of %" PRIu64 "\n", name.c_str(), tries,
                        arguments.seeds);
        }
        std::fflush(stdout);
    }
    return escaped == 0 ? 0 : 1;
}

}  // namespace zq::sim
