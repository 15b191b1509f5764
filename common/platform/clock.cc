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

Result<Instant> parse_rfc3339(const std::string& text, const std::string& field) {
    for (const char* form :
         {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
        std::tm parts{};
        const char* rest = ::strptime(text.c_str(), form, &parts);
        if (rest == nullptr) continue;
        std::int64_t ms = static_cast<std::int64_t>(::timegm(&parts)) * 1000;
        int digits = 0;
        if (*rest == '.') {
            for (++rest; *rest >= '0' && *rest <= '9'; ++rest, ++digits) {
                constexpr int kPlaces[] = {100, 10, 1};
                if (digits < 3) ms += kPlaces[digits] * (*rest - '0');
            }
        }
        if (*rest == 'Z') ++rest;
        if (*rest == '\0') return Instant{ms};
    }
    return fail(ErrorCode::INVALID,
                "'" + text + "' is no time in UTC such as 2026-11-20T12:31:07Z or 2026-11-20",
                field);
}

}  // namespace zq
