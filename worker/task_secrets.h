// Secrets that a task names and only its worker has: `secret://NAME` in instructions or payload
// stands for the file NAME in the folder of `--secrets`. The value goes into the attempt's folder
// (`.secrets/NAME`, read by its command) and nowhere else: what leaves the machine is without it
// (scrub.h). protocol.md, "Secrets".
#pragma once

#include <string>
#include <vector>

#include "common/base/task_spec.h"
#include "worker/executor/redactor.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// The names in a task's instructions and payload, each once, as they come.
std::vector<std::string> named_secrets(const TaskSpec& task);

/// A folder of secrets: others may neither read nor write it. Errors: INVALID, NOT_FOUND.
Result<void> check_secrets_folder(const std::string& folder);

/// Each name's file, whole. A file is a regular one (no link) of this user's, closed to others, of
/// 4 bytes to 64 KiB. `folder` may be empty: there are none. Errors, which name the secret and
/// neither its place nor its value: NOT_FOUND, INVALID.
Result<std::vector<SecretValue>> read_secrets(const std::string& folder,
                                              const std::vector<std::string>& names);

/// Lays them into the attempt's folder, closed to others. Errors: IO, STORAGE_FULL.
Result<void> lay_secrets(const Workspace& workspace, const std::vector<SecretValue>& secrets);
/// What still lies there: of an attempt whose worker was killed.
std::vector<SecretValue> laid_secrets(const Workspace& workspace);

/// What to take out of what an attempt prints, says and leaves: the values without the line end at
/// their end, and the long lines of those that have several.
std::vector<SecretValue> hidden_values(const std::vector<SecretValue>& secrets);

}  // namespace zq::worker
