// The model's half about ends: what must become of a task when an attempt of it is over.
#include <algorithm>

#include "common/platform/digest.h"
#include "tests/simulator/model.h"
#include "tests/simulator/workload.h"

namespace zq::sim {
namespace {

/// The rule about that exit code, else the one about that class.
const RetryRule* rule_about(const TaskSpec& spec, FailureClass failure,
                            std::optional<std::int64_t> code) {
    for (const RetryRule& rule : spec.retry_rules) {
        if (rule.exit_code && rule.exit_code == code) return &rule;
    }
    for (const RetryRule& rule : spec.retry_rules) {
        if (rule.failure == failure) return &rule;
    }
    return nullptr;
}

/// As its report said.
Millis retry_after(const core::Attempt& attempt) {
    const auto at = attempt.output.find("retry_after");
    return at == attempt.output.end() ? Millis{} : seconds(std::stoi(at->second));
}

}  // namespace

/// What is accepted has what was expected.
void Model::check_contract(const Task& task, const core::Attempt& attempt) {
    const ExpectedOutput& expected = task.spec.expected;
    std::vector<std::string> names;
    for (const ArtifactRef& artifact : attempt.artifacts) names.push_back(artifact.name);
    for (const std::string& name : expected.artifacts) {
        expect(meets_expectation(name, names), "a completion has the artifacts that are expected");
    }
    if (expected.headings.empty()) return;
    const TaskId& id = task.spec.id;
    const std::set<Digest> right = {sha256(result_text(id, attempt.attempt, Text::kRight)),
                                    sha256(text_by_hand(id, Text::kRight))};
    for (const ArtifactRef& artifact : attempt.artifacts) {
        expect(right.contains(artifact.digest), "a completion's text has what is expected");
        expect(artifact.size >= expected.rules.front().min_bytes,
               "a completion's artifacts have the size that is expected");
    }
    expect(meets_expectation("result", names), "a completion has the result that a rule expects");
}

void Model::end_failed(Task& task, const core::Event& event, const core::AttemptEnded& body,
                       FailureClass failure) {
    if (failure == FailureClass::kContract) {
        task.feedback = {body.attempt.attempt, body.attempt.reason};
        expect(!task.feedback.text.empty(), "what breaks the contract is told");
    }
    const RetryRule* rule = rule_about(task.rules, failure, body.attempt.exit_code);
    const bool for_good = failure == FailureClass::kPermanent || failure == FailureClass::kRefusal;
    const bool limited = failure == FailureClass::kRateLimited;
    const RetryAction action = rule != nullptr ? rule->action
                               : for_good      ? RetryAction::kDead
                               : limited       ? RetryAction::kWait
                                               : RetryAction::kRetry;
    const Millis asked = retry_after(body.attempt);
    const Millis wait = asked.count > 0 ? asked : rule != nullptr ? rule->wait : Millis{};
    if (action == RetryAction::kWait) {
        ++task.waits;
        become(task, TaskState::kRetryWait);
        task.due = body.next.due_at;
        expect(task.due >= event.at + seconds(1), "a limit is waited for");
        return expect(wait.count == 0 || task.due == event.at + wait,
                      "a wait is as long as it was said to be");
    }
    ++task.failures;
    if (action == RetryAction::kHold) return become(task, TaskState::kInputRequired);
    if (action == RetryAction::kDead || task.failures >= task.rules.max_attempts) {
        become(task, TaskState::kDead);
        const bool spent = task.failures >= task.rules.max_attempts && !for_good;
        task.dead_reason = failure == FailureClass::kContract   ? DeadReason::kContract
                           : failure == FailureClass::kTimedOut ? DeadReason::kTimedOut
                           : spent                              ? DeadReason::kAttemptsExhausted
                                                                : DeadReason::kPermanent;
        return;
    }
    task.due = body.next.due_at;
    if (wait.count > 0) {
        expect(task.due == event.at + wait, "a wait is as long as it was said to be");
        return become(task, TaskState::kRetryWait);
    }
    check_backoff(task, event, body.next);
    const bool waits = task.spec.backoff.kind != Backoff::Kind::kNone;
    become(task, waits ? TaskState::kRetryWait : TaskState::kQueued);
}

void Model::check_overdue(const Task& task, const core::Event& event,
                          const core::Attempt& attempt) {
    expect(attempt.failure == FailureClass::kTimedOut, "only its time ends an attempt unasked");
    const Millis timeout = task.spec.run_timeout;
    const bool late = timeout.count > 0 && event.at >= task.since + timeout;
    const bool missed = task.deadline.is_set() && event.at >= task.deadline;
    expect(late || missed, "an attempt has all of its time");
}

/// The n-th wait is twice the one before it, between half of it and all of it.
void Model::check_backoff(const Task& task, const core::Event& event, const core::Next& next) {
    const Backoff& backoff = task.spec.backoff;
    if (backoff.kind == Backoff::Kind::kNone) return;
    const Millis waited = next.due_at - event.at;
    if (backoff.kind == Backoff::Kind::kFixed) {
        return expect(waited == backoff.min, "a fixed backoff is waited for");
    }
    const std::uint32_t doublings = std::min<std::uint32_t>(task.failures - 1, 30);
    const Millis most = std::min(backoff.min * (std::int64_t{1} << doublings), backoff.max);
    expect(waited <= most && waited.count >= most.count / 2, "the backoff grows as it should");
}

void Model::end_released(Task& task, const core::Event& event, const core::AttemptEnded& body) {
    const auto cause = body.attempt.release.value_or(ReleaseCause::kReleased);
    if (cause == ReleaseCause::kInputRequired) return become(task, TaskState::kInputRequired);
    if (cause == ReleaseCause::kTryLater && task.deferrals >= limits::kDeferrals) {
        return end_failed(task, event, body, FailureClass::kError);
    }
    if (cause == ReleaseCause::kTryLater) ++task.deferrals;
    const bool waits = body.next.state == TaskState::kRetryWait;
    expect(waits || body.next.state == TaskState::kQueued, "what is given back waits or is queued");
    if (cause == ReleaseCause::kWorkerFault) {
        expect(waits && body.next.due_at >= event.at + seconds(1),
               "a worker's fault is not handed out again at once");
    }
    become(task, waits ? TaskState::kRetryWait : TaskState::kQueued);
    task.due = body.next.due_at;
}

void Model::end_silent(Task& task, const core::AttemptEnded& body) {
    const Outcome outcome = body.attempt.outcome;
    const bool lost = outcome == Outcome::kLost;
    expect(lost || outcome == Outcome::kUndelivered || outcome == Outcome::kReleased,
           "silence loses, does not deliver, or releases");
    if (lost) ++task.losses;
    if (lost && task.losses >= task.spec.max_lost) {
        become(task, TaskState::kDead);
        task.dead_reason = DeadReason::kPoison;
        return;
    }
    const bool held = task.rules.on_lost == OnLost::kHold;
    become(task, held ? TaskState::kInputRequired : TaskState::kQueued);
    if (outcome == Outcome::kReleased) return;
    task.lost = task.lease;
    task.charged = lost;
}

}  // namespace zq::sim
