#include "coordinator/core/outcome.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace zq::core {
namespace {

/// splitmix64: a seed's next number.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

Next with_counters(const Task& task) {
    Next next;
    next.failures = task.failures;
    next.losses = task.losses;
    next.deferrals = task.deferrals;
    next.waits = task.waits;
    return next;
}

/// `exhausted`: for want of a further attempt, and not by a rule.
DeadReason dead_reason_of(FailureClass failure, bool exhausted) {
    switch (failure) {
        case FailureClass::kError:
        case FailureClass::kCrashed:
        case FailureClass::kTransient:
        case FailureClass::kRateLimited:
            return exhausted ? DeadReason::kAttemptsExhausted : DeadReason::kPermanent;
        case FailureClass::kPermanent:
        case FailureClass::kContextOverflow:
        case FailureClass::kRefusal:
            return DeadReason::kPermanent;
        case FailureClass::kContract:
            return DeadReason::kContract;
        case FailureClass::kTimedOut:
            return DeadReason::kTimedOut;
    }
    return DeadReason::kAttemptsExhausted;
}

/// Queued at once, or after a wait.
void wait_or_queue(Next& next, const Task& task, Millis wait, Instant now, const Policy& policy) {
    if (wait.count > 0) {
        next.state = TaskState::kRetryWait;
        next.due_at = now + wait;
    } else {
        next.state = TaskState::kQueued;
        next.rank = rank_of(task, now, policy);
    }
}

bool is_named(const std::string& name, std::string_view stem, std::string_view extension) {
    return name == std::string(stem) + std::string(extension);
}

}  // namespace

std::int64_t rank_of(const Task& task, Instant ready_at, const Policy& policy) {
    return ready_at.ms - task.priority * policy.age_step.count;
}

Millis backoff_after(const Backoff& backoff, std::uint32_t failures, std::uint64_t seed) {
    if (backoff.kind == Backoff::Kind::kNone) return {};
    if (backoff.kind == Backoff::Kind::kFixed) return backoff.min;
    Millis wait = backoff.min;
    for (std::uint32_t i = 1; i < failures && wait < backoff.max; ++i) wait = wait * 2;
    wait = std::min(wait, backoff.max);
    const std::int64_t half = wait.count / 2;
    const auto span = static_cast<std::uint64_t>(wait.count - half) + 1;
    return Millis{half + static_cast<std::int64_t>(mix(seed) % span)};
}

Next after_failure(const Task& task, const Failed& failed, Instant now, std::uint64_t seed,
                   const Policy& policy) {
    const RetryRule* rule = rule_for(task.retry_rules, failed.failure, failed.exit_code);
    const RetryAction action = rule != nullptr ? rule->action : usual_action(failed.failure);
    const Millis said = failed.retry_after.count > 0 ? failed.retry_after
                        : rule != nullptr            ? rule->wait
                                                     : Millis{};
    Next next = with_counters(task);
    next.feedback = failed.failure == FailureClass::kContract;
    if (action == RetryAction::kWait) {
        ++next.waits;
        const Millis wait = said.count > 0 ? said : backoff_after(task.backoff, next.waits, seed);
        wait_or_queue(next, task, std::max(wait, limits::kRateLimitMin), now, policy);
        return next;
    }
    if (!mutant(Mutant::kAttemptsNotCounted)) ++next.failures;
    if (action == RetryAction::kHold) {
        next.state = TaskState::kInputRequired;
        return next;
    }
    const bool exhausted = next.failures >= task.max_attempts;
    if (action == RetryAction::kDead || exhausted) {
        next.state = TaskState::kDead;
        next.dead_reason = dead_reason_of(failed.failure, exhausted);
        return next;
    }
    const Millis wait = said.count > 0 ? said : backoff_after(task.backoff, next.failures, seed);
    wait_or_queue(next, task, wait, now, policy);
    return next;
}

Next after_release(const Task& task, ReleaseCause cause, Millis delay, Instant now,
                   std::uint64_t seed, const Policy& policy) {
    if (cause == ReleaseCause::kInputRequired) return ended_as(task, TaskState::kInputRequired);
    if (cause == ReleaseCause::kTryLater && task.deferrals >= limits::kDeferrals) {
        return after_failure(task, {FailureClass::kError, std::nullopt, {}}, now, seed, policy);
    }
    Next next = with_counters(task);
    if (cause == ReleaseCause::kTryLater) {
        ++next.deferrals;
        if (delay.count == 0) delay = backoff_after(task.backoff, next.deferrals, seed);
    }
    // A command that could not be started would be handed out again at once, for ever.
    if (cause == ReleaseCause::kWorkerFault && delay.count == 0) delay = seconds(1);
    if (delay.count > 0) {
        wait_or_queue(next, task, delay, now, policy);
    } else {
        next.state = TaskState::kQueued;
        next.rank = task.rank;
    }
    return next;
}

Question hold_question(const Lease& lease, const std::string& how, Instant now) {
    Question question;
    question.id = "hold-" + std::to_string(lease.attempt);
    question.text = "Attempt " + std::to_string(lease.attempt) + " at " + lease.holder.worker.text +
                    " " + how + ". Its work may be half done. Shall it be run again?";
    if (question.text.size() > limits::kQuestionBytes) question.text.resize(limits::kQuestionBytes);
    question.choices = {std::string(kRetryChoice), std::string(kStopChoice)};
    question.kind = QuestionKind::kHold;
    question.attempt = lease.attempt;
    question.asked_at = now;
    question.parked = true;
    return question;
}

Next after_silence(const Task& task, Outcome outcome) {
    const bool cancelling =
        task.state == TaskState::kCancelling && !mutant(Mutant::kCancelForgotten);
    if (cancelling) return ended_as(task, TaskState::kCancelled);
    Next next = with_counters(task);
    next.state = TaskState::kQueued;
    next.rank = task.rank;
    if (task.on_lost == OnLost::kHold) {
        next.state = TaskState::kInputRequired;
        next.rank = 0;
    }
    if (outcome != Outcome::kLost) return next;
    if (mutant(Mutant::kLossCountsAsFailure)) ++next.failures;
    if (++next.losses >= task.max_lost) {
        next.state = TaskState::kDead;
        next.dead_reason = DeadReason::kPoison;
    }
    return next;
}

Next ended_as(const Task& task, TaskState state) {
    Next next = with_counters(task);
    next.state = state;
    return next;
}

std::string contract_violation(const Task& task, const std::vector<ArtifactRef>& artifacts,
                               const std::string& summary) {
    std::vector<std::string> names;
    names.reserve(artifacts.size());
    for (const ArtifactRef& artifact : artifacts) names.push_back(artifact.name);
    std::string missing;
    for (const std::string& expected : task.expected) {
        if (meets_expectation(expected, names)) continue;
        if (expected == "summary" && !summary.empty()) continue;
        missing += (missing.empty() ? "" : ", ") + expected;
    }
    if (!missing.empty()) return "expected artifacts are missing: " + missing;
    if (task.expected_format.empty()) return {};
    const bool json = task.expected_format == "json";
    const bool met = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return json ? is_named(name, "result", ".json")
                    : is_named(name, "result", ".md") || is_named(name, "result", ".markdown");
    });
    if (met) return {};
    return "the result must be " + task.expected_format + ": no artifact named " +
           (json ? "result.json" : "result.md");
}

}  // namespace zq::core
