// One turn of the coordinator's loop but for its waiting and reading: clocks noted, commits taken,
// what is due decided, the batch handed over, what is durable let go. It is told what the clocks
// say and knows no sockets, so that the simulator runs the very same turns.
//
//     turn.begin_service(clocks);
//     loop: turn.begin_wait(boot); (wait for turn.longest_wait() at most)
//           now = turn.wake(clocks); if (turn.may_read()) (hand messages to Control);
//           turn.finish(now, whether nothing else waits to be read);
#pragma once

#include "coordinator/clock.h"
#include "coordinator/control.h"
#include "coordinator/stall_watch.h"

namespace zq::coordinator {

struct TurnParts {
    store::Journal& journal;
    Pipeline& pipeline;
    Control& control;
    TrustedClock& clock;
};

class Turn {
  public:
    explicit Turn(const TurnParts& parts) : parts_(parts) {}

    /// The sockets are read from now on.
    void begin_service(ClockReading reading);

    /// The wait begins at this moment of the boot clock.
    void begin_wait(Millis boot);
    /// How long the wait that has begun may take.
    Millis longest_wait() const { return may_wait_; }

    /// The wait is over: takes the time and the commits. Gives the time for everything in this
    /// turn. Errors: IO (nothing may be said any more: the process must end and a restart replays).
    Result<Instant> wake(ClockReading reading);
    /// Whether messages may be handed to Control in this turn: not while too much is uncommitted.
    bool may_read() const { return may_read_; }
    /// `alone`: nothing else waits to be read, so that a commit may be waited for. Errors: as
    /// `wake`.
    Result<void> finish(Instant now, bool alone);

    /// Refuses what comes from now on; `may_end` says when the last answers have left.
    void stop(Millis boot);
    bool is_stopping() const { return stopping_; }
    bool may_end(Millis boot) const;

  private:
    Instant read_clock(ClockReading reading);
    Result<void> take_commits(Instant now);
    void note_stalls(Millis woke);
    void note_storage();
    void decide_due(Instant now);
    void run(core::CommandBody body, Instant now);
    bool has_work(Instant now) const;
    Millis timeout() const;

    TurnParts parts_;
    StallWatch stalls_;
    Millis woke_{};          // boot clock, when the last wait ended
    Millis waited_from_{};   // and when it began
    Millis may_wait_{};      // as long as it was meant to take at most
    Millis commit_since_{};  // the oldest uncommitted batch was handed over; 0: none
    Millis end_at_{};        // while stopping
    Millis read_at_{};       // boot clock, at the last reading
    Millis slewed_{};        // what `now` gained on the boot clock and leases were not given back
    bool may_read_ = false;
    bool storage_low_ = false;
    bool waits_for_room_ = false;
    bool stopping_ = false;
    bool distrusted_ = false;
};

}  // namespace zq::coordinator
