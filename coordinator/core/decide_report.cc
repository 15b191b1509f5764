// How an attempt ends by its holder's word (COMPLETE, SKIP, FAIL, RELEASE). Here stands the fence:
// nothing is accepted under a token that is not the current one.
#include "common/base/check.h"
#include "common/base/contract.h"
#include "common/base/mutant.h"
#include "coordinator/core/approval.h"
#include "coordinator/core/outcome.h"
#include "coordinator/core/remembered_requests.h"

namespace zq::core {
namespace {

std::string name_of(const EndAttempt& end) {
    return "task " + end.task.text;
}

/// A report that was answered before gets the same answer; another one is refused.
Decision answer_again(const Call& call, const EndAttempt& end, const Attempt& attempt) {
    if (attempt.report == end.report) {
        Decision decision;
        answer(decision, call, AcceptedAnswer{end.task, attempt.answer, attempt.attempt});
        return decision;
    }
    return reject(call, ErrorCode::CONFLICT,
                  "attempt " + std::to_string(attempt.attempt) + " of " + name_of(end) +
                      " has ended with another report");
}

/// The ended attempt that a report is about: in memory, or a fact.
const Attempt* ended_attempt(const Call& call, const Task& task, const EndAttempt& end) {
    if (!end.token.is_set()) {
        auto at = call.state.index.attempts.find({task.key, task.attempts});
        if (at != call.state.index.attempts.end()) return &at->second;
        return call.command.facts.attempt ? &*call.command.facts.attempt : nullptr;
    }
    for (auto at = call.state.index.attempts.lower_bound({task.key, 0});
         at != call.state.index.attempts.end() && at->first.first == task.key; ++at) {
        if (at->second.token == end.token) return &at->second;
    }
    const auto& fact = call.command.facts.attempt;
    return fact && fact->token == end.token ? &*fact : nullptr;
}

Attempt attempt_of(const Call& call, const EndAttempt& end, const Task& task, const Lease& lease) {
    Attempt attempt;
    attempt.task = task.key;
    attempt.attempt = lease.attempt;
    attempt.token = lease.token;
    attempt.holder = lease.holder;
    attempt.started_at = lease.since;
    attempt.ended_at = call.now();
    attempt.exit_code = end.exit_code;
    attempt.summary = end.summary;
    attempt.reason = end.reason;
    attempt.output = end.output;
    attempt.artifacts = end.artifacts;
    attempt.duration = end.duration;
    attempt.report = end.report;
    attempt.command = end.command;
    return attempt;
}

Outcome outcome_of(const EndAttempt& end) {
    switch (end.kind) {
        case EndAttempt::Kind::kComplete:
            return Outcome::kCompleted;
        case EndAttempt::Kind::kSkip:
            return Outcome::kSkipped;
        case EndAttempt::Kind::kFail:
            return Outcome::kFailed;
        case EndAttempt::Kind::kRelease:
            return Outcome::kReleased;
    }
    return Outcome::kFailed;
}

Next next_of(const Call& call, const EndAttempt& end, const Task& task) {
    const std::uint64_t seed = call.command.seed;
    switch (end.kind) {
        case EndAttempt::Kind::kComplete:
            return ended_as(task, state_or_approval(TaskState::kCompleted, task.approval));
        case EndAttempt::Kind::kSkip:
            return ended_as(task, TaskState::kSkipped);
        case EndAttempt::Kind::kFail:
            return after_failure(task, {end.failure, end.exit_code, end.delay}, call.now(), seed,
                                 call.policy);
        case EndAttempt::Kind::kRelease:
            return after_release(task, end.cause, end.delay, call.now(), seed, call.policy);
    }
    return {};
}

/// For the person who is asked about it.
std::string failure_text(const EndAttempt& end) {
    std::string text = "failed (" + std::string(to_string(end.failure));
    if (end.exit_code) text += ", exit code " + std::to_string(*end.exit_code);
    return text + ")" + (end.reason.empty() ? "" : ": " + end.reason);
}

/// Ends the attempt that `lease` stands for; `task` is the record with the lease in force.
void end_attempt(const Call& call, const EndAttempt& end, const Task& task, const Lease& lease,
                 Decision& decision) {
    for (const ArtifactRef& content : end.contents) {
        decision.events.push_back(
            event_of(call, ContentStored{content.digest, content.size, true, content.secrets}));
    }
    Attempt attempt = attempt_of(call, end, task, lease);
    Next next;
    if (task.state == TaskState::kCancelling) {
        attempt.outcome = Outcome::kCancelled;
        // Why it was cancelled says more than how its holder ended it.
        if (!task.reason.empty()) attempt.reason = task.reason;
        next = ended_as(task, TaskState::kCancelled);
    } else {
        attempt.outcome = outcome_of(end);
        next = next_of(call, end, task);
        if (end.kind == EndAttempt::Kind::kFail) attempt.failure = end.failure;
        if (end.kind == EndAttempt::Kind::kRelease) attempt.release = end.cause;
    }
    // A word without a lease holds nobody else.
    if (attempt.failure == FailureClass::kRateLimited && next.due_at.is_set() &&
        end.token.is_set()) {
        hold_limit_key(call, task, next.due_at, decision);
    }
    const bool parks = attempt.release == ReleaseCause::kInputRequired;
    if (next.state == TaskState::kInputRequired && !parks) {
        hold_task(call, task, lease, failure_text(end), decision);
    } else if (next.state == TaskState::kInputRequired) {
        ZQ_CHECK(end.question.has_value());
        Question question = question_of(call, *end.question, lease.attempt);
        question.parked = true;
        decision.events.push_back(
            event_of(call, task.key, QuestionAsked{lease.token, std::move(question)}));
    }
    const TaskState state =
        push_end(call, task, call.command.identity, std::move(attempt), next, decision);
    answer(decision, call, AcceptedAnswer{end.task, state, lease.attempt});
}

/// Why a report about a task it has the right to end is refused all the same.
std::optional<Decision> refusal(const Call& call, const EndAttempt& end, const Task& task) {
    if (!call.command.facts.missing.empty()) return reject_missing(call);
    if (end.kind != EndAttempt::Kind::kComplete || task.state == TaskState::kCancelling) {
        return std::nullopt;
    }
    std::vector<std::string> violations;
    std::string missing = contract_violation(task, end.artifacts, end.summary);
    if (!missing.empty()) violations.push_back(std::move(missing));
    if (!call.command.facts.unmet.empty()) violations.push_back(call.command.facts.unmet);
    if (violations.empty()) return std::nullopt;
    return reject(call, ErrorCode::CONTRACT, joined_violations(violations), "artifacts");
}

/// The answer to a report without a lease that was carried out before.
Decision repeat_unclaimed(const Call& call, const EndAttempt& end, const Task& task,
                          const RequestRecord& record) {
    EndAttempt named = end;
    named.token = record.token;
    const Attempt* attempt = record.task == task.key ? ended_attempt(call, task, named) : nullptr;
    if (attempt != nullptr) return answer_again(call, end, *attempt);
    return reject(call, ErrorCode::CONFLICT,
                  "this request was answered before, for another attempt");
}

/// Claims a queued task and ends it, in one commit. Remembered like a claim: repeated, it would
/// otherwise end the next attempt too.
Decision end_unclaimed(const Call& call, const EndAttempt& end, const Task& task) {
    if (const RequestRecord* record = find_record(call)) {
        return repeat_unclaimed(call, end, task, *record);
    }
    if (is_final(task.state)) {
        if (const Attempt* attempt = ended_attempt(call, task, end)) {
            if (attempt->report == end.report) return answer_again(call, end, *attempt);
        }
        return reject(call, ErrorCode::CONFLICT,
                      name_of(end) + " has ended: " + std::string(to_string(task.state)),
                      "task_id");
    }
    if (task.lease) {
        return reject(call, ErrorCode::CONFLICT,
                      name_of(end) + " is held by " + task.worker.text + "; its lease is needed",
                      "lease");
    }
    if (task.state != TaskState::kQueued) {
        return reject(call, ErrorCode::CONFLICT,
                      name_of(end) + " is " + std::string(to_string(task.state)) + ", not queued",
                      "task_id");
    }
    if (is_too_late(task, call.now())) {
        const std::string what = has_expired(task, call.now()) ? "the ttl of " : "the deadline of ";
        return reject(call, ErrorCode::CONFLICT, what + name_of(end) + " has passed", "task_id");
    }
    if (auto refused = refusal(call, end, task)) return *refused;
    if (auto full = request_bound(call)) {
        return reject(call, full->code, full->message, {}, full->retry_after);
    }
    Decision decision;
    const Lease lease = lease_by_hand(call, task, end.from, call.policy.lease);
    decision.events.push_back(event_of(call, task.key, TaskAssigned{lease}));
    if (!call.command.client.empty()) {
        decision.events.push_back(
            event_of(call, task.key,
                     RequestRecorded{call.command.client, call.command.request, lease.token}));
    }
    end_attempt(call, end, task, lease, decision);
    return decision;
}

/// The lost lease that this report may still end, since nobody else got the task; null if none.
const Task* resumable(const Call& call, const EndAttempt& end) {
    const Task* task = find_lost(call.state, end.token);
    if (task == nullptr || task->key != call.key(end.task)) return nullptr;
    return task->lost_lease->holder.identity == call.command.identity ? task : nullptr;
}

Decision end_lost(const Call& call, const EndAttempt& end, const Task& task) {
    Task resumed = task;
    resumed.lease = resumed.lost_lease;
    resumed.state = TaskState::kRunning;
    Event resume = resume_event(call, task);
    resumed.losses = std::get<LeaseResumed>(resume.body).losses;
    if (auto refused = refusal(call, end, resumed)) return *refused;
    Decision decision;
    decision.events.push_back(std::move(resume));
    end_attempt(call, end, resumed, *resumed.lease, decision);
    return decision;
}

}  // namespace

bool is_holder(const Call& call, const Task& task, const LeaseToken& token) {
    if (mutant(Mutant::kNoFencing)) return task.lease.has_value();
    return task.lease && task.lease->token == token &&
           task.lease->holder.identity == call.command.identity;
}

Decision decide_end(const Call& call, const EndAttempt& end) {
    const Task* task = look_up(call, end.task);
    if (task == nullptr) {
        return reject(call, ErrorCode::NOT_FOUND, "no " + name_of(end), "task_id");
    }
    if (!end.token.is_set()) return end_unclaimed(call, end, *task);
    if (is_holder(call, *task, end.token)) {
        if (auto refused = refusal(call, end, *task)) return *refused;
        Decision decision;
        end_attempt(call, end, *task, *task->lease, decision);
        return decision;
    }
    if (const Task* lost = resumable(call, end)) return end_lost(call, end, *lost);
    const Attempt* ended = ended_attempt(call, *task, end);
    if (ended != nullptr && !ended->report.is_zero()) return answer_again(call, end, *ended);
    return reject(call, ErrorCode::STALE_LEASE,
                  "that lease of " + name_of(end) + " is not the current one; the task is " +
                      std::string(to_string(task->state)),
                  "lease");
}

}  // namespace zq::core
