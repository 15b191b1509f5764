// The time the coordinator decides by (`now`), made from what the machine's clocks say. It never
// goes back, not even over a restart, and follows the wall clock only slowly, so that no ttl, delay
// or backoff is cut short by a clock that was set. Leases do not depend on it being right, only on
// it going on. Pure: the readings come in.
#pragma once

#include "common/base/time.h"

namespace zq::coordinator {

/// What the machine's clocks say at one moment.
struct ClockReading {
    Millis boot;  // CLOCK_BOOTTIME
    Instant wall;
};

class TrustedClock {
  public:
    /// Starts at the later of the wall clock and `last_journaled` (none: 0); but at the latter if
    /// the wall clock is more than 30 days ahead of it.
    TrustedClock(ClockReading first, Instant last_journaled);

    /// Goes on with the boot clock, slewed towards the wall clock by at most a tenth. While the two
    /// are more than 60 s apart the wall clock is not believed at all.
    Instant advance(ClockReading reading);

    /// The last value of `advance`.
    Instant now() const { return now_; }
    /// False while the wall clock is not believed.
    bool believes_wall() const { return believes_wall_; }
    /// How far the wall clock was ahead at the last reading.
    Millis wall_ahead() const { return wall_ahead_; }

  private:
    Instant now_;
    Millis last_boot_;
    Millis slew_rest_;  // elapsed time whose tenth was less than a millisecond
    Millis wall_ahead_;
    bool believes_wall_ = true;
};

}  // namespace zq::coordinator
