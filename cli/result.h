// Printing what a task brought: its result's bytes, verified while they are read. Shared by
// `result` and `run`.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/session.h"
#include "common/base/task_spec.h"

namespace zq::cli {

/// Prints the result of an attempt (0: the one that counts). The exit code is the task's.
Ending print_result(const Context& context, Session& session, const std::string& id,
                    std::uint32_t attempt);

/// Writes the bytes of an artifact, or of a checkpoint where its number is given, to stdout:
/// escaped on a terminal unless `--raw` is given. Errors: DIGEST_MISMATCH, NOT_FOUND, ….
Expected<void> print_artifact(const Context& context, Session& session, const TaskId& task,
                              std::uint32_t attempt, const ArtifactRef& artifact,
                              std::uint32_t checkpoint = 0);

/// Reads an artifact through and compares its digest. Errors: DIGEST_MISMATCH, ….
Expected<void> verify_artifact(Session& session, const TaskId& task, std::uint32_t attempt,
                               const ArtifactRef& artifact);

/// Writes an artifact, or a checkpoint where its number is given, to a file; its parent folders
/// too.
Expected<void> save_artifact(Session& session, const TaskId& task, std::uint32_t attempt,
                             const ArtifactRef& artifact, const std::string& path,
                             std::uint32_t checkpoint = 0);

}  // namespace zq::cli
