// The program without its process: words in, exit code out. main.cc calls it, tests too.
#pragma once

#include <string>
#include <vector>

namespace zq::cli {

/// Runs one command line (without the program's own name). Prints to stdout and stderr.
int run_program(const std::vector<std::string>& words);

}  // namespace zq::cli
