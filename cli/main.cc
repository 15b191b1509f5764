// The `zq` program: hands its words to program.h.
#include <csignal>
#include <string>
#include <vector>

#include "cli/program.h"
#include "common/platform/process_limits.h"

int main(int argc, char** argv) {
    // A key of ours lies in this memory.
    zq::hide_memory();
    // A reader that went away is seen at the write.
    std::signal(SIGPIPE, SIG_IGN);
    return zq::cli::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
