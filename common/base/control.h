// What an operator says of a role, a limit key or a worker: pauses and limits, and their spellings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/limits.h"
#include "common/base/time.h"

namespace zq {

/// What a control is about.
enum class ControlKind : std::uint8_t { kRole, kLimitKey, kWorker };
/// `role`, `limit_key`, `worker`.
std::string_view to_string(ControlKind kind);
bool from_text(std::string_view text, ControlKind& out);

/// The limit key whose limits hold for every key, each where that has none of its own.
inline constexpr std::string_view kAnyLimitKey = "*";

/// A token bucket: so many starts per period, evenly, and at most `burst` at once after a rest.
/// A count of 0 says that there is no such limit.
struct Rate {
    std::uint32_t count = 0;
    Millis period{};
    std::uint32_t burst = 1;

    friend bool operator==(const Rate&, const Rate&) = default;
};

/// `60/m`, `10/s`, `600/h`, `5/30s`, with a burst `60/m:10`; or `none`. The error names `field`.
Result<Rate> parse_rate(std::string_view text, const std::string& field);
/// The spelling that parse_rate reads.
std::string to_string(const Rate& rate);

/// Bounds on the work of one role or one limit key. What is unset is as the configuration says;
/// 0 says that there is no such limit, whatever the configuration says.
struct Limits {
    std::optional<std::uint32_t> concurrency;  // tasks that run at a time
    std::optional<Rate> rate;                  // starts
    std::optional<std::uint64_t> max_open;     // open tasks; of a role
    std::optional<std::uint64_t> max_bytes;    // of their envelopes and inputs; of a role

    friend bool operator==(const Limits&, const Limits&) = default;
};
/// Those of `over` where they are set, else those of `under`.
Limits merged(const Limits& over, const Limits& under);
/// Every bound; the error's field begins with `field`.
Result<void> validate(const Limits& limits, const std::string& field);
/// `concurrency 4, rate 60/m`; empty where nothing is limited. For people.
std::string limits_text(const Limits& limits);

/// A worker's label, and what a task needs of one: `gpu`, `region=eu`.
bool is_valid_label(std::string_view text);
/// Sorted, each once; the error names `field`.
Result<std::vector<std::string>> parse_worker_labels(std::vector<std::string> labels,
                                                     const std::string& field);
/// True if a worker with these labels has all that is needed; both sorted.
bool has_labels(const std::vector<std::string>& labels, const std::vector<std::string>& needs);

}  // namespace zq
