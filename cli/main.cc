// The `zq` program: hands its words to program.h.
#include <csignal>
#include <string>
#include <vector>

#include "cli/program.h"

int main(int argc, char** argv) {
    // A reader that went away is seen at the write.
    std::signal(SIGPIPE, SIG_IGN);
    return zq::cli::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
