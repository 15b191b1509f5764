// Content by reference: a file that lies where its URI says, and was recorded with its digest.
// Reads it on this machine, and never takes other content for it.
#pragma once

#include <string>

#include "common/base/task_spec.h"

namespace zq {

/// The path of `file:///ABSOLUTE/PATH` (no host, nothing escaped). Errors: INVALID.
Result<std::string> path_of_file_uri(const std::string& uri);

/// The file still is what was recorded. Errors: DIGEST_MISMATCH (it has drifted: the message says
/// so, and tells nothing of what is there now), NOT_FOUND, IO, INVALID.
Result<void> check_reference(const ArtifactRef& ref);

/// Copies it to `path`, and checks what was copied. Nothing is left at `path` after an error; the
/// folder must be there. Errors: as `check_reference`, and STORAGE_FULL.
Result<void> copy_reference(const ArtifactRef& ref, const std::string& path);

}  // namespace zq
