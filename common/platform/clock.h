// The machine's clocks, read in one place. `boottime` runs on through suspends and never steps;
// `wall` is what people see and may step. Everything that decides is told the time instead.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/base/time.h"

namespace zq {

/// CLOCK_BOOTTIME: milliseconds since the machine started, suspends included.
Millis boottime();
/// CLOCK_REALTIME.
Instant wall_time();

/// `2026-11-20T12:31:07.042Z`; empty for the "none" value.
std::string to_rfc3339(Instant t);
/// A time in UTC, down to the part that is given: `2026-11-20`, `2026-11-20T12:31Z`,
/// `2026-11-20T12:31:07.042Z`. Errors: INVALID, with `field`.
Result<Instant> parse_rfc3339(const std::string& text, const std::string& field);

}  // namespace zq
