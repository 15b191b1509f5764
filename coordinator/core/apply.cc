#include "coordinator/core/apply.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "coordinator/core/apply_parts.h"

namespace zq::core {
namespace {

/// What its attempt asked waits no longer for an answer.
void withdraw_question(Task& task, Instant at) {
    if (open_question(task) == nullptr) return;
    task.questions.back().state = QuestionState::kWithdrawn;
    task.questions.back().closed_at = at;
}

/// For whoever asks why the task is dead.
std::string rejection_text(const Question& question) {
    if (question.state != QuestionState::kAnswered) return "nobody approved it in time";
    const std::string by = "rejected by " + question.answered_by.text;
    return question.answer.empty() ? by : by + ": " + question.answer;
}

/// One of the same id makes room for it, and at the bound the oldest.
void add_question(Task& task, const Question& question) {
    std::erase_if(task.questions, [&](const Question& old) { return old.id == question.id; });
    task.questions.push_back(question);
    if (task.questions.size() > limits::kQuestionsKept) {
        task.questions.erase(task.questions.begin());
    }
}

void apply_body(State& state, const Event& event, const EpochStarted& body) {
    state.durable.journal = body.journal;
    state.durable.epoch = event.epoch;
    if (mutant(Mutant::kTokenResetAtRestart)) return;
    state.durable.last_token = static_cast<std::uint64_t>(event.epoch) << 32;
}

void apply_body(State& state, const Event& event, const TaskSubmitted& body) {
    const TaskSpec& spec = *body.spec;
    Task task;
    task.key = event.task;
    task.role = spec.role;
    task.type = spec.type;
    task.from = spec.from;
    task.submitter = event.identity;
    task.group = spec.group;
    task.reply_to = spec.reply_to;
    task.trace_id = spec.trace_id;
    task.idempotency_key = spec.idempotency_key;
    task.unique_key = spec.unique_key;
    task.limit_key = spec.limit_key;
    task.needs = spec.needs;
    std::sort(task.needs.begin(), task.needs.end());
    task.needs.erase(std::unique(task.needs.begin(), task.needs.end()), task.needs.end());
    task.bytes = body.bytes;
    if (body.labelled) task.labels = spec.labels;
    task.request = body.request;
    task.expected = spec.expected.artifacts;
    task.expected_format = spec.expected.format;
    task.has_rules = spec.expected.has_rules();
    task.inputs = static_cast<std::uint32_t>(spec.inputs.size());
    task.priority = spec.priority;
    task.backoff = spec.backoff;
    task.max_attempts = spec.max_attempts;
    task.max_lost = spec.max_lost;
    task.run_timeout = spec.run_timeout;
    task.budget = spec.budget;
    task.retry_rules = spec.retry_rules;
    task.on_lost = spec.on_lost;
    task.approval = spec.approval;
    task.after = spec.after;
    std::sort(task.after.tasks.begin(), task.after.tasks.end());
    task.upstream = body.upstream;
    if (body.state == TaskState::kBlocked) task.ttl = spec.ttl;
    task.state = body.state;
    task.rank = body.rank;
    task.submitted_at = event.at;
    task.due_at = body.due_at;
    task.expires_at = body.expires_at;
    task.deadline_at = body.deadline_at;
    task.submitted_seq = event.seq;
    task.changed_seq = event.seq;
    const Task& kept = state.durable.open.insert(std::move(task));
    const SharedKey key = state.durable.open.shared_key(event.task);
    index_task(state, kept, key);
    index_open(state, kept);
    state.index.changed_tasks.insert(key);
    for (const ArtifactRef& input : spec.inputs) note_used(state, input.digest, event.seq);
}

void apply_body(State& state, const Event& event, const TaskReady& body) {
    change_task(state, event, [&](Task& task) {
        task.state = TaskState::kQueued;
        task.rank = body.rank;
        task.due_at = {};
    });
}

void apply_body(State& state, const Event& event, const TaskAssigned& body) {
    const Lease& lease = body.lease;
    ZQ_CHECK(lease.token.journal == state.durable.journal);
    ZQ_CHECK(lease.token.number > state.durable.last_token);
    state.durable.last_token = lease.token.number;
    change_task(state, event, [&](Task& task) {
        task.state = TaskState::kRunning;
        task.lease = lease;
        task.lost_lease.reset();
        task.lost_lease_charged = false;
        task.attempts = lease.attempt;
        task.started_at = event.at;
        task.worker = lease.holder.worker;
    });
}

void apply_body(State& state, const Event& event, const LeaseResumed& body) {
    change_task(state, event, [&](Task& task) {
        ZQ_CHECK(task.lost_lease && task.lost_lease->token == body.token);
        withdraw_question(task, event.at);  // one that holds it
        task.state = TaskState::kRunning;
        task.lease = task.lost_lease;
        task.lost_lease.reset();
        task.lost_lease_charged = false;
        if (!mutant(Mutant::kLossNotTakenBack)) task.losses = body.losses;
    });
}

void apply_body(State& state, const Event& event, const ProgressNoted& body) {
    change_task(state, event, [](Task&) {});
    ProgressView& view = state.now.progress[event.task];
    view = {body.percent, body.step, body.message, event.at, event.at};
}

void apply_body(State& state, const Event& event, const AttemptEnded& body) {
    const Attempt& ended = body.attempt;
    const Next& next = body.next;
    drop_clock(state, ended.token.number);
    state.now.progress.erase(event.task);
    change_task(state, event, [&](Task& task) {
        ZQ_CHECK(task.lease && task.lease->token == ended.token);
        const bool may_resume =
            (next.state == TaskState::kQueued || next.state == TaskState::kInputRequired) &&
            (ended.outcome == Outcome::kLost || ended.outcome == Outcome::kUndelivered);
        if (may_resume) task.lost_lease = task.lease;
        task.lost_lease_charged = may_resume && next.losses > task.losses;
        task.lease.reset();
        if (!is_parked(next.state)) withdraw_question(task, event.at);
        task.state = next.state;
        task.dead_reason = next.dead_reason;
        if (next.state == TaskState::kQueued) task.rank = next.rank;
        task.due_at = next.due_at;
        task.failures = next.failures;
        task.losses = next.losses;
        task.deferrals = next.deferrals;
        task.waits = next.waits;
        if (!ended.summary.empty()) task.summary = ended.summary;
        task.reason = ended.reason;
        if (next.feedback) task.feedback = {ended.attempt, ended.reason};
        task.spending = {};
        if (task.budget.is_set()) task.spent = next.spent;
    });
    const auto key = std::pair(event.task, ended.attempt);
    Attempt& kept = state.index.attempts[key];
    kept = ended;
    kept.ended_seq = event.seq;
    state.index.changed_attempts.insert(key);
    for (const ArtifactRef& ref : ended.artifacts) note_used(state, ref.digest, event.seq);
}

void apply_body(State& state, const Event& event, const CancelRequested& body) {
    change_task(state, event, [&](Task& task) {
        task.state = TaskState::kCancelling;
        withdraw_question(task, event.at);
        task.reason = body.reason;
    });
}

void apply_body(State& state, const Event& event, const TaskCancelled& body) {
    change_task(state, event, [&](Task& task) {
        task.state = TaskState::kCancelled;
        withdraw_question(task, event.at);
        task.reason = body.reason;
        task.due_at = {};
    });
}

void apply_body(State& state, const Event& event, const TaskExpired& body) {
    change_task(state, event, [&](Task& task) {
        withdraw_question(task, event.at);
        task.due_at = {};
        task.state = body.state;
        if (body.state == TaskState::kDead) {
            task.dead_reason = DeadReason::kTimedOut;
            task.reason = "its deadline passed";
            return;
        }
        task.reason = body.deadline ? "its deadline passed before it started"
                                    : "its ttl passed before it started";
    });
}

void apply_body(State& state, const Event& event, const RoleServed& body) {
    state.durable.roles_served.insert({event.task.ns, body.role});
}

/// Which contents exist is the store's knowledge; the core hears of it in facts.
void apply_body(State& state, const Event& event, const ContentStored& body) {
    note_used(state, body.digest, event.seq);
}

void apply_body(State& state, const Event& event, const RequestRecorded& body) {
    RequestKey key{event.identity, body.client, body.request};
    restore(state, key, {event.task, body.token, event.at});
    // Memory of requests ends by the time of later ones, so that a replay forgets alike.
    auto& by_time = state.index.requests_by_time;
    while (!by_time.empty() && by_time.begin()->first.first + limits::kRequestMemory < event.at) {
        const RequestKey old = by_time.begin()->second;
        by_time.erase(by_time.begin());
        state.durable.requests.erase(old);
        auto count = state.index.requests_per_client.find({old.identity, old.client});
        if (--count->second == 0) state.index.requests_per_client.erase(count);
    }
}

void apply_body(State& state, const Event& event, const CheckpointSaved& body) {
    change_task(state, event, [&](Task& task) {
        std::erase_if(task.checkpoints,
                      [&](const CheckpointRef& kept) { return kept.number == body.dropped; });
        task.checkpoints.push_back(body.checkpoint);
    });
    note_used(state, body.checkpoint.ref.digest, event.seq);
}

void apply_body(State& state, const Event& event, const ContentsCondemned& body) {
    for (const CondemnedContent& content : body.contents) {
        state.index.condemned[content.digest] = event.seq;
    }
}

void apply_body(State& state, const Event& event, const ArtifactsRemoved&) {
    // Rows of ended tasks are the store's.
    state.index.artifacts_removed[event.task] = event.seq;
}

/// Texts are the store's; what follows from them has followed.
void apply_body(State&, const Event&, const TextsErased&) {}

void apply_body(State& state, const Event& event, const QuestionAsked& body) {
    change_task(state, event, [&](Task& task) {
        withdraw_question(task, event.at);
        add_question(task, body.question);
        const bool approval = body.question.kind == QuestionKind::kApproval;
        if (approval && task.state == TaskState::kQueued) task.state = TaskState::kInputRequired;
    });
}

void apply_body(State& state, const Event& event, const QuestionClosed& body) {
    change_task(state, event, [&](Task& task) {
        ZQ_CHECK(open_question(task) != nullptr && task.questions.back().id == body.question);
        Question& question = task.questions.back();
        question.state = body.state;
        question.choice = body.choice;
        question.answer = body.answer;
        question.closed_at = event.at;
        if (body.state == QuestionState::kAnswered) question.answered_by = event.identity;
        if (body.budget_from) task.budget_from = *body.budget_from;
        if (!is_parked(task.state)) return;
        const bool approval = question.kind == QuestionKind::kApproval;
        if (body.dead_reason != DeadReason::kNone) {
            task.state = TaskState::kDead;
            task.dead_reason = body.dead_reason;
            if (approval) task.reason = rejection_text(question);
            return;
        }
        if (approval) task.approved = true;
        task.state = body.next;
        if (body.next == TaskState::kQueued) task.rank = body.rank;
    });
}

void apply_body(State& state, const Event& event, const UsageNoted& body) {
    change_task(state, event, [&](Task& task) {
        ZQ_CHECK(task.lease && task.lease->token == body.token);
        task.spending = body.usage;
    });
}

void apply_body(State& state, const Event& event, const BudgetReached& body) {
    change_task(state, event, [&](Task& task) {
        task.lost_lease.reset();
        task.lost_lease_charged = false;
        task.due_at = {};
        if (!body.question) {
            task.state = TaskState::kDead;
            task.dead_reason = DeadReason::kBudget;
            task.reason = "its budget is used up: " +
                          budget_text(granted(task.budget, task.budget_from), body.spent);
            return;
        }
        task.state = TaskState::kInputRequired;
        add_question(task, *body.question);
    });
}

}  // namespace

void apply(State& state, const Event& event) {
    ZQ_CHECK(event.seq == state.durable.last_seq + 1);
    state.durable.last_seq = event.seq;
    state.durable.last_at = std::max(state.durable.last_at, event.at);
    std::visit([&](const auto& body) { apply_body(state, event, body); }, event.body);
}

Changes take_changes(State& state) {
    Changes changes;
    changes.tasks.reserve(state.index.changed_tasks.size());
    for (const SharedKey& key : state.index.changed_tasks) {
        if (state.durable.open.find(key) != nullptr) {
            changes.tasks.push_back(state.durable.open.record(key));
        } else {
            changes.tasks.push_back(state.index.ended.at(key.key()));
        }
    }
    for (const auto& key : state.index.changed_attempts) {
        changes.attempts.push_back(state.index.attempts.at(key));
    }
    state.index.changed_tasks.clear();
    state.index.changed_attempts.clear();
    return changes;
}

void forget_projected(State& state, Seq upto) {
    std::erase_if(state.index.ended,
                  [&](const auto& entry) { return entry.second->changed_seq <= upto; });
    std::erase_if(state.index.attempts,
                  [&](const auto& entry) { return entry.second.ended_seq <= upto; });
    const auto is_past = [&](const auto& entry) { return entry.second <= upto; };
    std::erase_if(state.index.used, is_past);
    std::erase_if(state.index.condemned, is_past);
    std::erase_if(state.index.removed, is_past);
    std::erase_if(state.index.artifacts_removed, is_past);
}

}  // namespace zq::core
