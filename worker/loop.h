// The one loop of a worker: carries messages between socket and session, the session's actions to
// the attempts, and their news back. The only file with loop.cc that knows them all.
#pragma once

#include <csignal>
#include <memory>

#include "common/client/profile.h"
#include "common/platform/notify.h"
#include "worker/attempts.h"

namespace zq::worker {

struct WorkerParts {
    WorkerOptions options;
    Handlers handlers;
    Profile profile;
    std::optional<CurveKeys> curve;
    StateFolder state;
    Notifier notifier;  // of the service manager, where there is one
};

/// Works until the session ends or signals say so. Gives the program's exit code.
int run_loop(WorkerParts parts, const sigset_t& signals);

}  // namespace zq::worker
