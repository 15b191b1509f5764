// zq-sim and zq-sim-mutants: README.md says how to use them.
#include <cstdio>

#include "common/platform/log.h"
#include "tests/simulator/campaign.h"
#include "tests/simulator/mutants.h"

int main(int argc, char** argv) {
    using namespace zq::sim;
    static_cast<void>(zq::set_log_level("error"));
    auto arguments = parse_arguments(argc, argv);
    if (!arguments) {
        std::fprintf(stderr, "%s\n%s", arguments.error().message.c_str(), usage().c_str());
        return 2;
    }
    if (arguments->list_mutants) {
        for (const std::string& name : mutant_names()) std::printf("%s\n", name.c_str());
        return 0;
    }
    if (arguments->hunt) return hunt_mutants(*arguments);
    if (arguments->mutant && !choose_mutant(*arguments->mutant)) {
        std::fprintf(stderr, "%s is no mutant of this program (zq-sim-mutants has them)\n",
                     arguments->mutant->c_str());
        return 2;
    }
    return run_campaign(*arguments);
}
