// A task that is written in JSON (common/platform/json_task.h), made ready to be submitted: its
// context becomes an input, and what it leaves out gets this machine's defaults.
#pragma once

#include <string>

#include "cli/submit_spec.h"
#include "common/platform/json_task.h"

namespace zq::cli {

/// Most bytes of one task's JSON.
inline constexpr std::size_t kTaskJsonBytes = 4UL << 20;

/// Reads the one task that a file holds (`-`: stdin). Errors: usage (no such file), IO, INVALID
/// with the field as it is written.
Expected<JsonTask> read_task_file(const std::string& path);

/// Its envelope, and its context as an input. The id may still be empty. Errors: usage and IO where
/// its context cannot be read.
Expected<Submission> submission_of(const JsonTask& task);

}  // namespace zq::cli
