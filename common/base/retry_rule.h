// What follows from a failed attempt: the usual of its class, or what the submitter's rules say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/report_words.h"
#include "common/base/time.h"

namespace zq {

enum class RetryAction : std::uint8_t {
    kRetry,  // uses an attempt; the next one after the backoff, dead when none is left
    kWait,   // uses no attempt; the next one after a wait
    kHold,   // uses an attempt; a person says whether there is another
    kDead,   // no further attempt
};
/// `retry`, `wait`, `hold`, `dead`.
std::string_view to_string(RetryAction action);
bool from_text(std::string_view text, RetryAction& out);

/// The usual of a class: `rate_limited` waits; `permanent`, `context_overflow` and `refusal` are
/// dead; all others are retried.
RetryAction usual_action(FailureClass failure);

/// Of a failure with this exit code, or of this class: exactly one is set.
struct RetryRule {
    std::optional<std::int64_t> exit_code;
    std::optional<FailureClass> failure;
    RetryAction action = RetryAction::kRetry;
    Millis wait{};  // kRetry: instead of the backoff; kWait: instead of its usual; 0: neither

    friend bool operator==(const RetryRule&, const RetryRule&) = default;
};

/// `exit:75=wait:10m`, `refusal=retry`, `timed_out=hold`; the error names `field`.
Result<RetryRule> parse_retry_rule(std::string_view text, std::string field);
/// The spelling that parse_retry_rule reads.
std::string to_string(const RetryRule& rule);
/// Bounds, and that the wait goes with its action; the error names `field`.
Result<void> validate(const std::vector<RetryRule>& rules, const std::string& field);

/// The first rule about that exit code; else the first about that class; null if there is none.
const RetryRule* rule_for(const std::vector<RetryRule>& rules, FailureClass failure,
                          const std::optional<std::int64_t>& exit_code);

/// What becomes of a task whose lease is lost, or whose worker was restarted: whether it may have
/// done half of its work cannot be known.
enum class OnLost : std::uint8_t {
    kRetry,  // queued again; dead (poison) after `max_lost`
    kHold,   // a person says whether it runs again; its holder may still come back first
};
/// `retry`, `hold`.
std::string_view to_string(OnLost on);
bool from_text(std::string_view text, OnLost& out);

}  // namespace zq
