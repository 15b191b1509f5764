// What a start does before its loop: finds what earlier starts left, ends their processes, and
// keeps what they still have to tell.
#pragma once

#include <string>
#include <vector>

#include "worker/options.h"
#include "worker/outbox.h"
#include "worker/state_folder.h"

namespace zq::worker {

struct Started {
    Outbox outbox;
    std::vector<StoredReport> stored;  // not acknowledged yet
    std::string sockets;               // the folder of the attempts' own
};

/// Errors: IO, STORAGE_FULL, and where something of an earlier start would not die.
Result<Started> start_from(const StateFolder& state, Keep keep);

/// What this start tells a coordinator of itself.
SessionOptions session_options(const WorkerOptions& options, const StateFolder& state);

}  // namespace zq::worker
