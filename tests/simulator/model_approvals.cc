// The model's half about approvals and keys: what may not start without a person's word, and what
// is known of keys.
#include "tests/simulator/model.h"

namespace zq::sim {

/// What was submitted is what the coordinator's rules make of it.
void Model::check_rules(const TaskSpec& spec) {
    const auto rule = role_approvals_.find(spec.role.text);
    if (rule != role_approvals_.end()) {
        const bool stricter = spec.approval.time == ApprovalTime::kBefore;
        expect(stricter || spec.approval.time == rule->second.approval.time,
               "a role's tasks have the approval that its rule asks for");
        expect(spec.approval.by_other || !rule->second.approval.by_other,
               "a rule's other approver is no matter of the submitter's");
    }
    if (!is_irreversible(spec)) return;
    expect(spec.approval.time != ApprovalTime::kUnset, "what cannot be undone is approved");
    expect(spec.on_lost == OnLost::kHold && spec.max_attempts == 1,
           "what cannot be undone is not repeated by itself");
}

bool Model::is_irreversible(const TaskSpec& spec) const {
    const auto rule = role_approvals_.find(spec.role.text);
    const auto label = spec.labels.find("side_effects");
    return (rule != role_approvals_.end() && rule->second.irreversible) ||
           (label != spec.labels.end() && label->second == "irreversible");
}

/// A task that is done again, perhaps in another role now.
void Model::put_under_rules(Task& task) {
    task.approved = false;
    Approval& approval = task.rules.approval;
    if (auto rule = role_approvals_.find(task.rules.role.text); rule != role_approvals_.end()) {
        const Approval& asked = rule->second.approval;
        if (asked.is_asked() && approval.time != ApprovalTime::kBefore) approval.time = asked.time;
        if (asked.is_asked() && asked.by_other) approval.by_other = true;
    }
    if (!is_irreversible(task.rules)) return;
    if (approval.time == ApprovalTime::kUnset) approval.time = ApprovalTime::kBefore;
    task.rules.on_lost = OnLost::kHold;
    task.rules.max_attempts = 1;
    RetryRule held;
    held.failure = FailureClass::kRateLimited;
    held.action = RetryAction::kHold;
    task.rules.retry_rules = {held};
}

void Model::ask_approval(Task& task, const Question& asked) {
    const bool before = task.state == TaskState::kQueued &&
                        task.rules.approval.time == ApprovalTime::kBefore && !task.approved;
    const bool after =
        task.state == TaskState::kRunning && task.rules.approval.time == ApprovalTime::kAfter;
    expect(before || after, "an approval is asked where one is needed");
    expect(asked.parked && asked.choices == std::vector<std::string>{"approve", "reject"},
           "an approval is approved or rejected");
    expect(before ? asked.digest == task.request : !asked.digest.is_zero(),
           "an approval is bound to what is approved");
    if (before) become(task, TaskState::kInputRequired);
}

void Model::close_approval(Task& task, const core::Event& event, const core::QuestionClosed& body) {
    const bool approved = body.choice == "approve";
    const bool answered = body.state == QuestionState::kAnswered;
    expect(!answered || !task.rules.approval.by_other || event.identity != task.submitter,
           "where another one is to approve, the submitter does not");
    expect(body.dead_reason == (approved ? DeadReason::kNone : DeadReason::kRejected),
           "what nobody approves is rejected");
    if (!approved) {
        become(task, TaskState::kDead);
        task.dead_reason = DeadReason::kRejected;
        return;
    }
    task.approved = true;
    const bool before = task.state == TaskState::kInputRequired;
    expect(before || task.state == TaskState::kInReview, "what is parked is approved");
    become(task, before ? TaskState::kQueued : TaskState::kCompleted);
}

void Model::apply(const core::Event&, const core::AccessChanged& body) {
    const auto known = access_.find(body.fingerprint);
    const bool same = known == access_.end() ? !body.access : body.access == known->second;
    expect(!same, "what is known of a key is said when it changes");
    access_.erase(body.fingerprint);
    if (body.access) access_.emplace(body.fingerprint, *body.access);
}

}  // namespace zq::sim
