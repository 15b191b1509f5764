// The flags of `zq submit` about the tasks that a new one waits for.
#pragma once

#include "cli/arguments.h"
#include "common/base/dependency.h"

namespace zq::cli {

/// --after, --after-any, --after-done, --after-count and --on-unmet. Errors: usage, naming the
/// flag; a file of ids that can't be read.
Expected<void> read_after(const Arguments& args, After& after);

}  // namespace zq::cli
