// What clients ask for: submit, claim by hand, cancel; and contents that were stored.
#include "common/base/mutant.h"
#include "common/base/nearest.h"
#include "coordinator/core/decide_parts.h"
#include "coordinator/core/outcome.h"
#include "coordinator/core/remembered_requests.h"

namespace zq::core {
namespace {

/// The answer to a submit of a task that is there already.
Decision repeated(const Call& call, const SubmitTask& submit, const Task& existing,
                  std::string field) {
    if (existing.request != submit.request) {
        return reject(call, ErrorCode::CONFLICT,
                      "task " + existing.key.id.text +
                          " was submitted with another body under this " +
                          (field == "task.task_id" ? "id" : "idempotency key"),
                      std::move(field));
    }
    Decision decision;
    answer(decision, call, SubmitAnswer{existing.key.id, existing.state, true, true, {}});
    return decision;
}

const Task* find_by_key(const Call& call, const std::string& key) {
    if (key.empty()) return nullptr;
    auto at = call.state.index.by_idempotency_key.find({call.command.ns, key});
    if (at != call.state.index.by_idempotency_key.end()) return find_task(call.state, at->second);
    if (mutant(Mutant::kKeyForgottenAtEnd)) return nullptr;
    // Ended in this very batch, or long ago.
    for (const auto& [task_key, task] : call.state.index.ended) {
        if (task_key.ns == call.command.ns && task.idempotency_key == key) return &task;
    }
    const auto& by_key = call.command.facts.by_key;
    return by_key && !call.state.index.removed.contains(by_key->key) ? &*by_key : nullptr;
}

TaskSubmitted submitted_event(const Call& call, const SubmitTask& submit) {
    const TaskSpec& spec = submit.spec;
    TaskSubmitted event;
    event.spec = spec;
    event.request = submit.request;
    const bool later = spec.delay.count > 0;
    event.state = later ? TaskState::kScheduled : TaskState::kQueued;
    if (later) event.due_at = call.now() + spec.delay;
    event.rank = (call.now() + spec.delay).ms - spec.priority * call.policy.age_step.count;
    if (spec.ttl.count > 0) event.expires_at = call.now() + spec.ttl;
    event.labelled = !spec.labels.empty();
    return event;
}

SubmitAnswer submit_answer(const Call& call, const SubmitTask& submit, TaskState state) {
    SubmitAnswer result{submit.spec.id, state, false, true, {}};
    const auto& served = call.state.durable.roles_served;
    result.role_served = served.contains({call.command.ns, submit.spec.role});
    if (result.role_served) return result;
    std::vector<std::string> names;
    for (const RoleKey& role : served) {
        if (role.ns == call.command.ns) names.push_back(role.role.text);
    }
    result.nearest_role = nearest_word(submit.spec.role.text, names);
    return result;
}

/// The first ready task of the role that may still start; null if there is none. Messages are read
/// before timers fire, so that a task whose ttl has passed may still stand in the queue.
const Task* next_to_claim(const Call& call, const RoleName& role) {
    auto tasks = call.state.index.roles.find({call.command.ns, role});
    if (tasks == call.state.index.roles.end()) return nullptr;
    for (const ReadyKey& ready : tasks->second.ready) {
        const Task* task = find_task(call.state, ready.task);
        if (!has_expired(*task, call.now()) && !is_over_budget(*task)) return task;
    }
    return nullptr;
}

/// The task a claim is for; the code of the refusal where there is none.
Result<const Task*> task_to_claim(const Call& call, const ClaimTask& claim) {
    if (claim.task.empty()) {
        if (const Task* next = next_to_claim(call, claim.role)) return next;
        return fail(ErrorCode::NOTHING_TO_CLAIM,
                    "no task of role " + claim.role.text + " is ready");
    }
    const Task* task = look_up(call, claim.task);
    if (task == nullptr) return fail(ErrorCode::NOT_FOUND, "no task " + claim.task.text, "task_id");
    if (!claim.role.empty() && task->role != claim.role) {
        return fail(ErrorCode::CONFLICT, "its role is " + task->role.text, "to");
    }
    if (task->state == TaskState::kQueued && has_expired(*task, call.now())) {
        return fail(ErrorCode::CONFLICT, "the ttl of task " + claim.task.text + " has passed",
                    "task_id");
    }
    if (task->state == TaskState::kQueued && is_over_budget(*task)) {
        return fail(ErrorCode::CONFLICT, "the budget of task " + claim.task.text + " is used up",
                    "task_id");
    }
    if (task->state == TaskState::kQueued) return task;
    return fail(ErrorCode::CONFLICT,
                "task " + claim.task.text + " is " + std::string(to_string(task->state)),
                "task_id");
}

ClaimAnswer claim_answer(const Task& task, const Lease& lease) {
    return {task.key,         spec_seq(task),         lease.token,  lease.attempt, lease.term,
            task.checkpoints, closed_questions(task), task.feedback};
}

/// A claim that was answered before gets the same answer while its lease lives.
Decision repeat_claim(const Call& call, const RequestRecord& record) {
    const Task* task = find_holder(call.state, record.token);
    if (task == nullptr) {
        return reject(
            call, ErrorCode::CONFLICT,
            "this request claimed task " + record.task.id.text + "; that lease has ended");
    }
    Decision decision;
    answer(decision, call, claim_answer(*task, *task->lease));
    return decision;
}

}  // namespace

std::optional<Error> no_room(const Call& call) {
    if (call.command.facts.storage_full) {
        return Error{ErrorCode::STORAGE_FULL,
                     "the coordinator's disk is nearly full; running work still ends",
                     {},
                     seconds(30)};
    }
    if (call.state.durable.open.size() >= call.policy.max_open_tasks) {
        return Error{ErrorCode::QUEUE_FULL,
                     std::to_string(call.policy.max_open_tasks) + " tasks are open",
                     {},
                     seconds(5)};
    }
    return std::nullopt;
}

Decision decide_submit(const Call& call, const SubmitTask& submit) {
    const TaskSpec& spec = submit.spec;
    if (const Task* same_id = look_up(call, spec.id)) {
        return repeated(call, submit, *same_id, "task.task_id");
    }
    if (const Task* same_key = find_by_key(call, spec.idempotency_key)) {
        return repeated(call, submit, *same_key, "task.idempotency_key");
    }
    if (call.command.facts.payload) {
        const Error& error = *call.command.facts.payload;
        return reject(call, error.code, error.message, error.field);
    }
    if (auto full = no_room(call)) {
        return reject(call, full->code, full->message, {}, full->retry_after);
    }
    if (!call.command.facts.missing.empty()) return reject_missing(call);

    Decision decision;
    TaskSubmitted event = submitted_event(call, submit);
    answer(decision, call, submit_answer(call, submit, event.state));
    if (submit.dry_run) return decision;
    for (const ArtifactRef& content : submit.contents) {
        decision.events.push_back(
            event_of(call, ContentStored{content.digest, content.size, true}));
    }
    decision.events.push_back(event_of(call, call.key(spec.id), std::move(event)));
    return decision;
}

Decision decide_claim(const Call& call, const ClaimTask& claim) {
    if (const RequestRecord* record = find_record(call)) return repeat_claim(call, *record);

    auto found = task_to_claim(call, claim);
    if (!found) {
        const Error& error = found.error();
        return reject(call, error.code, error.message, error.field);
    }
    if (auto full = request_bound(call)) {
        return reject(call, full->code, full->message, {}, full->retry_after);
    }
    const Task& task = **found;
    Decision decision;
    Lease lease = lease_by_hand(call, task, claim.from, claim.lease);
    decision.events.push_back(event_of(call, task.key, TaskAssigned{lease}));
    // Without a client instance a request id says nothing: such a claim is not remembered.
    if (!call.command.client.empty()) {
        decision.events.push_back(
            event_of(call, task.key,
                     RequestRecorded{call.command.client, call.command.request, lease.token}));
    }
    decision.notices.emplace_back(
        LeaseClockSet{lease.token.number, LeaseClock{call.now() + claim.lease, true, 0}});
    answer(decision, call, claim_answer(task, lease));
    return decision;
}

Decision decide_cancel(const Call& call, const CancelTask& cancel) {
    const Task* task = look_up(call, cancel.task);
    if (task == nullptr) {
        return reject(call, ErrorCode::NOT_FOUND, "no task " + cancel.task.text, "task_id");
    }
    Decision decision;
    switch (task->state) {
        case TaskState::kCompleted:
        case TaskState::kSkipped:
        case TaskState::kExpired:
        case TaskState::kDead:
            return reject(
                call, ErrorCode::CONFLICT,
                "task " + cancel.task.text + " has ended: " + std::string(to_string(task->state)),
                "task_id");
        case TaskState::kCancelled:
        case TaskState::kCancelling:
            answer(decision, call, AcceptedAnswer{cancel.task, task->state, task->attempts});
            return decision;
        case TaskState::kRunning: {
            decision.events.push_back(event_of(call, task->key, CancelRequested{cancel.reason}));
            answer(decision, call,
                   AcceptedAnswer{cancel.task, TaskState::kCancelling, task->attempts});
            auto clock = call.state.now.clocks.find(task->lease->token.number);
            if (clock != call.state.now.clocks.end() && clock->second.session != 0) {
                decision.effects.emplace_back(
                    Push{clock->second.session, LeaseWord{task->lease->token, Verdict::kCancel}});
            }
            return decision;
        }
        case TaskState::kScheduled:
        case TaskState::kBlocked:
        case TaskState::kInputRequired:
        case TaskState::kQueued:
        case TaskState::kRetryWait:
        case TaskState::kInReview:
            decision.events.push_back(event_of(call, task->key, TaskCancelled{cancel.reason}));
            answer(decision, call,
                   AcceptedAnswer{cancel.task, TaskState::kCancelled, task->attempts});
            return decision;
    }
    return decision;
}

Decision decide_store_content(const Call& call, const StoreContent& store) {
    Decision decision;
    decision.events.push_back(event_of(call, ContentStored{store.digest, store.size, false}));
    answer(decision, call, StoredAnswer{store.digest, store.size});
    return decision;
}

}  // namespace zq::core
