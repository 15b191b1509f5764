#include "common/base/retry_rule.h"

#include <algorithm>
#include <charconv>

#include "common/base/limits.h"
#include "common/base/task_spec.h"
#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kActions = std::to_array<std::string_view>({"retry", "wait", "hold", "dead"});
constexpr auto kOnLost = std::to_array<std::string_view>({"retry", "hold"});
constexpr std::string_view kExit = "exit:";
constexpr const char* kSpelling =
    "write exit:CODE=ACTION or CLASS=ACTION; an action is retry, retry:D, wait, wait:D, hold or "
    "dead";

Result<void> read_about(std::string_view text, RetryRule& rule, const std::string& field) {
    if (!text.starts_with(kExit)) {
        FailureClass failure{};
        if (from_text(text, failure)) {
            rule.failure = failure;
            return {};
        }
        return fail(ErrorCode::INVALID,
                    "'" + std::string(text) + "' is no failure class and no exit:CODE", field);
    }
    text.remove_prefix(kExit.size());
    int code = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (status != std::errc{} || end != text.data() + text.size() || code < 1 || code > 255) {
        return fail(ErrorCode::INVALID, "an exit code is 1 to 255", field);
    }
    rule.exit_code = code;
    return {};
}

bool takes_wait(RetryAction action) {
    return action == RetryAction::kRetry || action == RetryAction::kWait;
}

}  // namespace

std::string_view to_string(RetryAction action) {
    return word_of(kActions, action);
}
bool from_text(std::string_view text, RetryAction& out) {
    return value_of(kActions, text, out);
}
std::string_view to_string(OnLost on) {
    return word_of(kOnLost, on);
}
bool from_text(std::string_view text, OnLost& out) {
    return value_of(kOnLost, text, out);
}

RetryAction usual_action(FailureClass failure) {
    switch (failure) {
        case FailureClass::kPermanent:
        case FailureClass::kContextOverflow:
        case FailureClass::kRefusal:
            return RetryAction::kDead;
        case FailureClass::kRateLimited:
            return RetryAction::kWait;
        case FailureClass::kError:
        case FailureClass::kContract:
        case FailureClass::kCrashed:
        case FailureClass::kTimedOut:
        case FailureClass::kTransient:
            break;
    }
    return RetryAction::kRetry;
}

Result<RetryRule> parse_retry_rule(std::string_view text, std::string field) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) {
        return fail(ErrorCode::INVALID, kSpelling, std::move(field));
    }
    RetryRule rule;
    if (auto ok = read_about(text.substr(0, equals), rule, field); !ok) return Failure(ok.error());
    std::string_view action = text.substr(equals + 1);
    const auto colon = action.find(':');
    if (colon != std::string_view::npos) {
        auto wait = parse_duration(action.substr(colon + 1), field);
        if (!wait) return Failure(wait.error());
        rule.wait = *wait;
        action = action.substr(0, colon);
    }
    if (!from_text(action, rule.action) ||
        (colon != std::string_view::npos && !takes_wait(rule.action))) {
        return fail(ErrorCode::INVALID, kSpelling, std::move(field));
    }
    return rule;
}

std::string to_string(const RetryRule& rule) {
    std::string text = rule.exit_code
                           ? std::string(kExit) + std::to_string(*rule.exit_code)
                           : std::string(to_string(rule.failure.value_or(FailureClass::kError)));
    text += "=" + std::string(to_string(rule.action));
    if (rule.wait.count > 0) text += ":" + to_string(rule.wait);
    return text;
}

Result<void> validate(const std::vector<RetryRule>& rules, const std::string& field) {
    if (rules.size() > limits::kRetryRules) {
        return fail(ErrorCode::TOO_LARGE, "at most " + std::to_string(limits::kRetryRules), field);
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const RetryRule& rule = rules[i];
        const std::string at = field + "[" + std::to_string(i) + "]";
        if (rule.exit_code.has_value() == rule.failure.has_value()) {
            return fail(ErrorCode::INVALID, "a rule is about an exit code or about a class", at);
        }
        if (rule.exit_code && (*rule.exit_code < 1 || *rule.exit_code > 255)) {
            return fail(ErrorCode::INVALID, "an exit code is 1 to 255", at + ".exit_code");
        }
        if (rule.wait.count < 0 || rule.wait > limits::kLongest) {
            return fail(ErrorCode::INVALID, "a duration is 0 to " + to_string(limits::kLongest),
                        at + ".wait_ms");
        }
        if (rule.wait.count > 0 && !takes_wait(rule.action)) {
            return fail(ErrorCode::INVALID, "goes with the actions retry and wait",
                        at + ".wait_ms");
        }
    }
    return {};
}

const RetryRule* rule_for(const std::vector<RetryRule>& rules, FailureClass failure,
                          const std::optional<std::int64_t>& exit_code) {
    const auto by_code = std::find_if(rules.begin(), rules.end(), [&](const RetryRule& rule) {
        return rule.exit_code && rule.exit_code == exit_code;
    });
    if (by_code != rules.end()) return &*by_code;
    const auto by_class = std::find_if(rules.begin(), rules.end(), [&](const RetryRule& rule) {
        return rule.failure && *rule.failure == failure;
    });
    return by_class == rules.end() ? nullptr : &*by_class;
}

}  // namespace zq
