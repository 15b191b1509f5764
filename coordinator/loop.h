// The coordinator's one loop: waits, reads the sockets and the clocks, and takes turn after turn
// (turn.h). Here alone are clocks read and messages timed.
#pragma once

#include "coordinator/turn.h"

namespace zq::coordinator {

struct LoopParts {
    store::Journal& journal;
    Pipeline& pipeline;
    Control& control;
    Doors& doors;
    Mailbox<StoreRequest>& store_requests;
    TrustedClock& clock;
    int stop_fd = -1;  // readable: end in good order (a signalfd)
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
    void take_messages(Instant now);
    void take_store_requests(Instant now);
    void begin_stop();

    LoopParts parts_;
    Turn turn_;
    std::vector<PollItem> items_;
};

}  // namespace zq::coordinator
