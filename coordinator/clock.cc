#include "coordinator/clock.h"

#include <algorithm>

namespace zq::coordinator {
namespace {

constexpr Millis kBelievable = seconds(60);
constexpr Millis kLongestStop = days(30);
constexpr std::int64_t kSlewShare = 10;

Instant first_now(Instant wall, Instant last_journaled) {
    if (last_journaled.is_set() && wall > last_journaled + kLongestStop) return last_journaled;
    return std::max(wall, last_journaled);
}

bool is_believable(Millis ahead) {
    return ahead <= kBelievable && ahead >= Millis{} - kBelievable;
}

}  // namespace

TrustedClock::TrustedClock(ClockReading first, Instant last_journaled)
    : now_(first_now(first.wall, last_journaled)),
      last_boot_(first.boot),
      wall_ahead_(first.wall - now_),
      believes_wall_(is_believable(wall_ahead_)) {}

Instant TrustedClock::advance(ClockReading reading) {
    const Millis elapsed = std::max(reading.boot - last_boot_, Millis{});
    last_boot_ = std::max(reading.boot, last_boot_);
    now_ = now_ + elapsed;
    wall_ahead_ = reading.wall - now_;
    believes_wall_ = is_believable(wall_ahead_);
    slew_rest_ = slew_rest_ + elapsed;
    const Millis most = slew_rest_ / kSlewShare;
    slew_rest_ = slew_rest_ - most * kSlewShare;
    if (!believes_wall_) return now_;
    const Millis slew = std::clamp(wall_ahead_, Millis{} - most, most);
    now_ = now_ + slew;
    wall_ahead_ = wall_ahead_ - slew;
    return now_;
}

}  // namespace zq::coordinator
