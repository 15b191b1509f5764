// The coordinator's one loop: waits, takes what has come, has it decided, hands the batch to the
// journal, lets go what is durable. Here alone are clocks read and messages timed.
#pragma once

#include "coordinator/clock.h"
#include "coordinator/control.h"
#include "coordinator/stall_watch.h"

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
    Result<void> pass(Instant now);
    void wait();
    Instant read_clock();
    void note_stalls();
    void take_messages(Instant now);
    void take_store_requests(Instant now);
    void decide_due(Instant now);
    void run(core::CommandBody body, Instant now);
    Millis timeout();
    bool has_work(Instant now) const;
    void begin_stop();
    bool may_end() const;

    LoopParts parts_;
    std::vector<PollItem> items_;
    StallWatch stalls_;
    Millis woke_{};          // boot clock, when the last wait ended
    Millis waited_from_{};   // and when it began
    Millis may_wait_{};      // as long as it was meant to take at most
    Millis commit_since_{};  // the oldest uncommitted batch was handed over; 0: none
    Millis end_at_{};        // while stopping
    Millis read_at_{};       // boot clock, at the last reading
    Millis slewed_{};        // what `now` gained on the boot clock and leases were not given back
    bool stopping_ = false;
    bool distrusted_ = false;
};

}  // namespace zq::coordinator
