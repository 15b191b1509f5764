// What SIGHUP has a worker read again: the level of its log, and the files of what its commands get
// and of what is not to be seen in their logs. Attempts that run keep what they were started with.
#pragma once

#include "worker/options.h"

namespace zq::worker {

/// Reads what `options.from` names, also for the first time. Gives what is another one now: `log`,
/// `environment`, `secrets`. Errors: INVALID, NOT_FOUND, IO, each with its flag; nothing has
/// changed then.
Result<std::vector<std::string>> read_again(WorkerOptions& options);

}  // namespace zq::worker
