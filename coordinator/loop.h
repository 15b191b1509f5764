// The coordinator's one loop: waits, reads the sockets and the clocks, and takes turn after turn
// (turn.h). Here alone are clocks read and messages timed.
#pragma once

#include "common/platform/hang_up.h"
#include "common/platform/notify.h"
#include "coordinator/intake.h"
#include "coordinator/turn.h"

namespace zq::coordinator {

struct LoopParts {
    store::Journal& journal;
    Pipeline& pipeline;
    Control& control;
    Doors& doors;
    edge::Counters& counters;
    Mailbox<StoreRequest>& store_requests;
    TrustedClock& clock;
    Notifier& notifier;
    std::function<void(Instant)> reload;  // the settings are to be read again
    int signals = -1;                     // a signalfd: end in good order, or SIGHUP (hang_up.h)
    int keys_fd = -1;  // readable: keys' files have changed; -1: nothing to watch
    int fail_fd = -1;  // readable: something that must not end has ended; -1: nothing to watch
};

class Loop {
  public:
    explicit Loop(const LoopParts& parts);

    /// Serves until it is told to stop. Errors: IO (nothing may be said any more: the process must
    /// end and a restart replays).
    Result<void> run();

  private:
    void wait();
    void take_messages();
    void note_load();
    void serve_messages(Instant now);
    Lookups lookups() const;
    void take_store_requests(Instant now);
    void take_signals(Instant now);
    void begin_stop(std::uint32_t signal);

    LoopParts parts_;
    Turn turn_;
    HangUp hang_up_ = HangUp::watch();
    Intake intake_;
    std::size_t taken_ = 0;  // messages, in this turn
    bool loaded_ = false;    // the IO thread is held back
    Seq looked_up_at_ = 0;   // the last durable one when a busy peer's lookup was taken
    std::vector<PollItem> items_;
};

}  // namespace zq::coordinator
