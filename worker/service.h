// A worker among the services of its machine: which signals it takes, what SIGHUP means to it, and
// what it tells its service manager. Ends nothing; that is the loop's.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "common/platform/hang_up.h"
#include "common/platform/notify.h"
#include "common/platform/socket.h"
#include "worker/options.h"

namespace zq::worker {

/// SIGTERM, SIGINT and SIGHUP, blocked for every thread that is made after it: call it before the
/// first socket. They are read by the loop.
sigset_t block_signals();

class Service {
  public:
    /// `options` outlives it, and is changed where settings are read again.
    Service(Notifier& notifier, WorkerOptions& options) : notifier_(notifier), options_(options) {}

    /// Waits as zq::poll does, and says that the worker is alive in time.
    void poll(std::vector<PollItem>& items, Millis longest);
    /// The coordinator there has let it in: it is ready.
    void welcomed(const std::string& endpoint);
    /// True if the signal is no end: what may be read again was. A mistake in it leaves all as it
    /// is.
    bool read_again_on(std::uint32_t signal);
    void draining() const { notifier_.stopping("draining: what runs may end"); }

  private:
    Notifier& notifier_;
    WorkerOptions& options_;
    HangUp hang_up_ = HangUp::watch();
    std::string ready_;  // what was said when it became so; empty: not yet
};

}  // namespace zq::worker
