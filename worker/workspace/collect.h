// What an attempt left: the files that become its artifacts, and which of them is the result. Reads
// names and sizes; contents are the uploader's.
#pragma once

#include <string>
#include <vector>

#include "common/base/task_spec.h"
#include "worker/workspace/output_file.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

struct FoundFile {
    std::string name;  // of the artifact
    std::string path;
    std::uint64_t size = 0;
    std::string media;
};

struct Collected {
    std::vector<FoundFile> files;
    std::vector<std::string> notes;  // what was left out, one sentence each
};

/// What stdout can be taken for.
struct StdoutFacts {
    std::uint64_t dropped = 0;  // bytes of it that are missing
    bool is_records = false;    // an adapter has read it: it is written for programs
    bool verified = false;      // a check ran after the command: its log is an artifact
};

/// True if there is a `result` or `result.*` in `out/`.
bool has_result(const Workspace& workspace);

/// Every regular file below `out/` under its path there, the two logs, and, where there is no
/// `result` or `result.*`, what was written to stdout as the result; but one that is not whole, or
/// that an adapter has read, is no result. Links are never followed.
Collected collect(const Workspace& workspace, const ExpectedOutput& expected,
                  const StdoutFacts& from);

/// What the task's contract expects and is not there or not so; empty: it is met. Files of 0 bytes
/// do not count as there. A result of more than 16 MiB whose text is to be checked does not meet
/// it.
std::string unmet_expectation(const ExpectedOutput& expected, const Collected& collected,
                              const Output& output);

}  // namespace zq::worker
