// A program of the machine's that the worker itself runs to its end and whose output it reads, such
// as git: short, bounded, and never the task's command. Waits; for threads that may.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/time.h"

namespace zq::worker {

struct ToolSpec {
    std::vector<std::string> command;  // not empty; looked up in PATH
    std::string stdout_file;           // where its output goes; empty: it is given back
    Millis patience = minutes(10);     // then it is killed
};

/// Its standard output (64 KiB at most), once it has exited with 0. Variables that would point git
/// to another repository are kept from it. Errors: NOT_FOUND (no such program), IO (what it said
/// last).
Result<std::string> run_tool(const ToolSpec& spec);

}  // namespace zq::worker
