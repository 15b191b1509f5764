#include "coordinator/core/approval.h"

#include "common/base/mutant.h"
#include "coordinator/core/outcome.h"

namespace zq::core {
namespace {

/// What the configuration and the labels say of one task, the strictest of each.
ApprovalRule rule_of(const RoleName& role, const std::string& type,
                     const std::map<std::string, std::string>& labels, const Policy& policy) {
    ApprovalRule rule;
    rule.irreversible = is_irreversible(labels);
    const auto add = [&](const ApprovalRule& other) {
        rule.irreversible |= other.irreversible;
        if (other.approval.time == ApprovalTime::kUnset) return;
        // An approval before the start is the stricter one.
        const bool before = rule.approval.time == ApprovalTime::kBefore;
        if (!before) rule.approval.time = other.approval.time;
        rule.approval.by_other |= other.approval.by_other;
        const Millis timeout = other.approval.timeout;
        if (rule.approval.timeout.count == 0) rule.approval.timeout = timeout;
    };
    if (auto at = policy.role_approvals.find(role); at != policy.role_approvals.end()) {
        add(at->second);
    }
    if (auto at = policy.type_approvals.find(type); at != policy.type_approvals.end()) {
        add(at->second);
    }
    return rule;
}

/// A failure that uses no attempt, or may be repeated: a person says whether it is.
RetryRule held(FailureClass failure) {
    RetryRule rule;
    rule.failure = failure;
    rule.action = RetryAction::kHold;
    return rule;
}

/// Both envelopes and records have these fields.
template <class T>
void harden(T& task, const ApprovalRule& rule) {
    Approval& approval = task.approval;
    if (rule.approval.is_asked()) {
        if (approval.time != ApprovalTime::kBefore) approval.time = rule.approval.time;
        approval.by_other |= rule.approval.by_other;
        if (approval.timeout.count == 0) approval.timeout = rule.approval.timeout;
    }
    if (!rule.irreversible) return;
    if (approval.time == ApprovalTime::kUnset) approval.time = ApprovalTime::kBefore;
    task.on_lost = OnLost::kHold;
    task.max_attempts = 1;
    task.retry_rules = {held(FailureClass::kRateLimited)};
}

std::string question_text(const RoleName& role, const std::string& type, ApprovalTime time) {
    const std::string what = type.empty() ? "this task" : "this task (" + type + ")";
    if (time == ApprovalTime::kBefore) {
        return "May role " + role.text + " run " + what + "?";
    }
    return "Role " + role.text + " has done " + what + ": does its result count?";
}

/// What is to be asked because of an event; nullopt: nothing.
std::optional<Event> asked_by(const Call& call, const Event& event) {
    const EventBody& body = event.body;
    const auto ask = [&](const Task& task, std::uint32_t attempt, const Digest& digest) {
        Question question = approval_question(task, attempt, digest, call.now());
        return system_event(event.task, QuestionAsked{{}, std::move(question)});
    };
    if (const auto* e = std::get_if<TaskSubmitted>(&body)) {
        const bool wanted = e->spec->approval.time == ApprovalTime::kBefore;
        if (!wanted || e->state != TaskState::kQueued) return std::nullopt;
        Task task;  // as far as it is asked about
        task.role = e->spec->role;
        task.type = e->spec->type;
        task.approval = e->spec->approval;
        return ask(task, 0, e->request);
    }
    if (const auto* e = std::get_if<AttemptEnded>(&body)) {
        if (e->next.state != TaskState::kInReview) return std::nullopt;
        return ask(*find_task(call.state, event.task), e->attempt.attempt, e->attempt.report);
    }
    const auto* replayed = std::get_if<TaskReplayed>(&body);
    const auto* upstream = std::get_if<UpstreamEnded>(&body);
    const bool ready = std::holds_alternative<TaskReady>(body) ||
                       (upstream != nullptr && upstream->state == TaskState::kQueued);
    if (replayed == nullptr && !ready) return std::nullopt;
    const Task& task =
        replayed != nullptr ? replayed->revision->after : *find_task(call.state, event.task);
    // It is queued by this event.
    if (task.approval.time != ApprovalTime::kBefore || task.approved) return std::nullopt;
    return ask(task, task.attempts, task.request);
}

}  // namespace

Shared<TaskSpec> under_rules(Shared<TaskSpec> spec, const Policy& policy) {
    const ApprovalRule rule = rule_of(spec->role, spec->type, spec->labels, policy);
    if (rule.irreversible || rule.approval.is_asked()) harden(spec.edit(), rule);
    return spec;
}

void put_under_rules(Task& task, const Policy& policy) {
    task.approved = false;
    harden(task, rule_of(task.role, task.type, task.labels, policy));
}

TaskState state_or_approval(TaskState state, const Approval& approval) {
    if (state == TaskState::kQueued && approval.time == ApprovalTime::kBefore) {
        return TaskState::kInputRequired;
    }
    if (state == TaskState::kCompleted && approval.time == ApprovalTime::kAfter) {
        return TaskState::kInReview;
    }
    return state;
}

void ask_approvals(const Call& call, Decision& decision) {
    if (mutant(Mutant::kApprovalSkipped)) return;
    const auto& all = decision.events;
    const bool none = std::none_of(all.begin(), all.end(), [&](const Event& event) {
        return asked_by(call, event).has_value();
    });
    if (none) return;
    std::vector<Event> events;
    for (Event& event : decision.events) {
        auto asked = asked_by(call, event);
        // About a result before it is there: no place in the journal has one without its question.
        const bool first = asked && std::holds_alternative<AttemptEnded>(event.body);
        if (first) events.push_back(std::move(*asked));
        events.push_back(std::move(event));
        if (asked && !first) events.push_back(std::move(*asked));
    }
    decision.events = std::move(events);
}

bool lacks_approval(const Task& task) {
    return task.state == TaskState::kQueued && task.approval.time == ApprovalTime::kBefore &&
           !task.approved;
}

Question approval_question(const Task& task, std::uint32_t attempt, const Digest& digest,
                           Instant now) {
    const Approval& approval = task.approval;
    Question question;
    question.id = std::string(to_string(approval.time)) + "-" + std::to_string(attempt);
    question.text = question_text(task.role, task.type, approval.time);
    question.choices = {std::string(kApproveChoice), std::string(kRejectChoice)};
    question.kind = QuestionKind::kApproval;
    question.attempt = attempt;
    question.asked_at = now;
    if (approval.timeout.count > 0) question.until = now + approval.timeout;
    question.parked = true;
    question.digest = digest;
    return question;
}

std::optional<Error> approver_error(const Call& call, const Task& task, const AnswerPerson& said,
                                    const Question& question) {
    if (question.kind != QuestionKind::kApproval) return std::nullopt;
    if (said.digest != question.digest) {
        return Error{said.digest.is_zero() ? ErrorCode::INVALID : ErrorCode::CONFLICT,
                     "an approval names the digest of what is approved: that is " +
                         to_hex(question.digest) + " now",
                     "digest",
                     {}};
    }
    if (task.approval.by_other && call.command.identity == task.submitter) {
        return Error{ErrorCode::DENIED,
                     "task " + task.key.id.text + " is to be approved by another than " +
                         task.submitter.text + ", who submitted it",
                     {},
                     {}};
    }
    return std::nullopt;
}

void close_approval(const Task& task, QuestionClosed& closed) {
    if (closed.choice != kApproveChoice) {
        closed.dead_reason = DeadReason::kRejected;
    } else if (task.state == TaskState::kInReview) {
        closed.next = TaskState::kCompleted;
    }
}

}  // namespace zq::core
