#include "common/platform/clock.h"

#include <ctime>

#include <cstdio>

namespace zq {
namespace {

std::int64_t read_ms(clockid_t clock) {
    timespec t{};
    ::clock_gettime(clock, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace

Millis boottime() {
    return {read_ms(CLOCK_BOOTTIME)};
}
Instant wall_time() {
    return {read_ms(CLOCK_REALTIME)};
}

std::string to_rfc3339(Instant t) {
    if (!t.is_set()) return {};
    const std::time_t whole = static_cast<std::time_t>(t.ms / 1000);
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    char text[64];
    const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    char fraction[16];
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(t.ms % 1000));
    return std::string(text, size) + fraction;
}

}  // namespace zq
