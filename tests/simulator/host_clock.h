// The clocks of one machine: CLOCK_BOOTTIME, which runs a little fast or slow, and the wall clock,
// which runs with it until somebody sets it.
#pragma once

#include "common/base/time.h"

namespace zq::sim {

/// When every run begins, for those who look at the wall.
inline constexpr Instant kBeginning{1'800'000'000'000};

class HostClock {
  public:
    HostClock() = default;
    /// `drift`: millionths by which it runs fast; `booted`: how long the machine was up at 0.
    HostClock(std::int64_t drift, Millis booted) : drift_(drift), booted_(booted) {}

    Millis boot(Millis now) const { return booted_ + now + Millis{now.count * drift_ / 1'000'000}; }
    Instant wall(Millis now) const { return kBeginning + (boot(now) - booted_) + stepped_; }
    void step_wall(Millis by) { stepped_ = stepped_ + by; }

    /// The true time at which the boot clock shows at least `reading`.
    Millis when(Millis reading) const {
        const Millis since = reading - booted_;
        Millis now{since.count - since.count * drift_ / 1'000'000};
        while (boot(now) < reading) now = now + millis(1);
        return now;
    }

  private:
    std::int64_t drift_ = 0;
    Millis booted_ = hours(1);
    Millis stepped_{};
};

}  // namespace zq::sim
