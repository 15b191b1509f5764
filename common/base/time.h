// Time as the project speaks of it: two types, both in milliseconds, no clock. Clocks live in
// common/platform/clock.h; the core is told what time it is.
#pragma once

#include <compare>
#include <cstdint>

namespace zq {

/// A length of time in milliseconds. May be negative in arithmetic, never on the wire.
struct Millis {
    std::int64_t count = 0;

    friend constexpr auto operator<=>(Millis, Millis) = default;
    friend constexpr Millis operator+(Millis a, Millis b) { return {a.count + b.count}; }
    friend constexpr Millis operator-(Millis a, Millis b) { return {a.count - b.count}; }
    friend constexpr Millis operator*(Millis a, std::int64_t n) { return {a.count * n}; }
    friend constexpr Millis operator/(Millis a, std::int64_t n) { return {a.count / n}; }
};

constexpr Millis millis(std::int64_t n) {
    return {n};
}
constexpr Millis seconds(std::int64_t n) {
    return {n * 1000};
}
constexpr Millis minutes(std::int64_t n) {
    return {n * 60'000};
}
constexpr Millis hours(std::int64_t n) {
    return {n * 3'600'000};
}
constexpr Millis days(std::int64_t n) {
    return {n * 86'400'000};
}

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. 0 stands for "none" in optional fields.
struct Instant {
    std::int64_t ms = 0;

    friend constexpr auto operator<=>(Instant, Instant) = default;
    friend constexpr Instant operator+(Instant t, Millis d) { return {t.ms + d.count}; }
    friend constexpr Instant operator-(Instant t, Millis d) { return {t.ms - d.count}; }
    friend constexpr Millis operator-(Instant a, Instant b) { return {a.ms - b.ms}; }
    /// False for the "none" value.
    constexpr bool is_set() const { return ms != 0; }
};

/// Later than every moment a task can name; what a timer list without timers answers.
inline constexpr Instant kNever{INT64_MAX};

}  // namespace zq
