// What clients ask for: submit, claim by hand, cancel; and contents that were stored.
#include "common/base/mutant.h"
#include "common/base/nearest.h"
#include "coordinator/core/approval.h"
#include "coordinator/core/dependencies.h"
#include "coordinator/core/outcome.h"
#include "coordinator/core/remembered_requests.h"

namespace zq::core {
namespace {

/// The answer to a submit of a task that is there already.
Decision repeated(const Call& call, const SubmitTask& submit, const Task& existing,
                  std::string field) {
    if (existing.request != submit.request) {
        const std::string under = field == "task.task_id" ? "id" : "idempotency key";
        return reject(
            call, ErrorCode::CONFLICT,
            "task " + existing.key.id.text + " was submitted with another body under this " + under,
            std::move(field));
    }
    Decision decision;
    answer(decision, call, SubmitAnswer{existing.key.id, existing.state, true, true, {}});
    return decision;
}

const Task* find_by_id(const Call& call, const TaskId& id, const Earlier& earlier) {
    auto at = earlier.tasks.find(id);
    return at != earlier.tasks.end() ? &at->second : look_up(call, id);
}

/// The task of `earlier` that a key leads to; null if there is none.
const Task* find_in(const Earlier& earlier, const std::map<std::string, TaskId>& by_key,
                    const std::string& key) {
    auto at = by_key.find(key);
    return at == by_key.end() ? nullptr : &earlier.tasks.at(at->second);
}

const Task* find_by_key(const Call& call, const std::string& key, const Earlier& earlier) {
    if (key.empty()) return nullptr;
    if (const Task* task = find_in(earlier, earlier.by_idempotency_key, key)) return task;
    auto at = call.state.index.by_idempotency_key.find({call.command.ns, key});
    if (at != call.state.index.by_idempotency_key.end()) return find_task(call.state, at->second);
    if (mutant(Mutant::kKeyForgottenAtEnd)) return nullptr;
    // Ended in this very batch, or long ago.
    for (const auto& [task_key, task] : call.state.index.ended) {
        if (task_key.ns == call.command.ns && task->idempotency_key == key) return &*task;
    }
    const auto& by_key = call.command.facts.by_key;
    return by_key && !call.state.index.removed.contains(by_key->key) ? &*by_key : nullptr;
}

/// The answer to a submit whose unique key another unfinished task has.
Decision not_unique(const Call& call, const SubmitTask& submit, const Task& holder) {
    if (submit.spec->on_unique == OnUnique::kReject) {
        return reject(call, ErrorCode::CONFLICT,
                      "task " + holder.key.id.text + " has this unique key, and is " +
                          std::string(to_string(holder.state)),
                      "task.unique_key");
    }
    Decision decision;
    answer(decision, call, SubmitAnswer{holder.key.id, holder.state, true, true, {}});
    return decision;
}

TaskSubmitted submitted_event(const Call& call, const SubmitTask& submit) {
    TaskSubmitted event;
    event.spec = under_rules(submit.spec, call.policy);
    const TaskSpec& spec = *event.spec;
    event.request = submit.request;
    const Instant ready_at = std::max(call.now() + spec.delay, spec.not_before);
    const bool later = ready_at > call.now();
    event.state = later ? TaskState::kScheduled : TaskState::kQueued;
    if (later) event.due_at = ready_at;
    event.rank = ready_at.ms - spec.priority * call.policy.age_step.count;
    if (spec.ttl.count > 0) event.expires_at = call.now() + spec.ttl;
    if (spec.deadline.count > 0) event.deadline_at = call.now() + spec.deadline;
    event.labelled = !spec.labels.empty();
    event.bytes = size_of(spec);
    return event;
}

/// Blocks a task that waits for others, or says why it can't wait for them.
std::optional<Error> wait_for_others(const Call& call, After after, const Earlier& earlier,
                                     TaskSubmitted& event) {
    if (after.tasks.empty()) return std::nullopt;
    std::sort(after.tasks.begin(), after.tasks.end());
    if (auto error = read_upstream(call, after, earlier, event.upstream)) return error;
    for (const TaskId& id : after.tasks) {
        auto waiting = call.state.index.dependants.find(call.key(id));
        if (waiting == call.state.index.dependants.end()) continue;
        if (waiting->second.size() < limits::kAfter) continue;
        return Error{ErrorCode::TOO_LARGE,
                     std::to_string(limits::kAfter) + " tasks wait for " + id.text + " already",
                     "task.after.tasks",
                     {}};
    }
    if (outcome_of(after, event.upstream) == WaitOutcome::kMet) {
        event.upstream.clear();
        return std::nullopt;
    }
    event.state = TaskState::kBlocked;
    event.expires_at = {};  // it counts from when it is ready
    return std::nullopt;
}

/// Roles of one batch for which names like theirs are looked for.
constexpr std::size_t kNearestLookedFor = 8;

SubmitAnswer submit_answer(const Call& call, const SubmitTask& submit, TaskState state,
                           const Earlier& earlier) {
    SubmitAnswer result{submit.spec->id, state, false, true, {}};
    const auto& served = call.state.durable.roles_served;
    result.role_served = served.contains({call.command.ns, submit.spec->role});
    if (result.role_served || earlier.unserved.contains(submit.spec->role)) return result;
    if (earlier.unserved.size() >= kNearestLookedFor) return result;
    std::vector<std::string> names;
    for (const RoleKey& role : served) {
        if (role.ns == call.command.ns) names.push_back(role.role.text);
    }
    result.nearest_role = nearest_word(submit.spec->role.text, names);
    return result;
}

std::optional<Hold> hold_of(const Task& task, Gates& gates) {
    if (auto hold = gates.of_role({task.key.ns, task.role})) return hold;
    return gates.of_limit_key(task.key.ns, task.limit_key);
}

/// The ready task of the role whose turn it is, of those that may start and need nothing of a
/// worker. Messages are read before timers fire, so that a task whose ttl has passed may still
/// stand in the queue. `wake`: where there is none, when there may be one; unset: who knows.
Result<const Task*> next_to_claim(const Call& call, const RoleName& role, Gates& gates,
                                  Instant& wake) {
    std::string why = "no task of role " + role.text + " is ready";
    if (const auto hold = gates.of_role({call.command.ns, role})) {
        wake = hold->until;
        return fail(ErrorCode::NOTHING_TO_CLAIM,
                    "no task of role " + role.text + " may start: " + hold_text(*hold));
    }
    Turns turns(call.state, call.policy, {call.command.ns, role});
    while (const Task* task = turns.task()) {
        if (is_too_late(*task, call.now()) || is_over_budget(*task)) {
            turns.skip_task();
        } else if (auto hold = gates.of_limit_key(task->key.ns, task->limit_key)) {
            why = "no task of role " + role.text + " may start: " + hold_text(*hold);
            if (hold->until.is_set()) {
                wake = wake.is_set() ? std::min(wake, hold->until) : hold->until;
            }
            turns.skip_lane();
        } else if (!task->needs.empty()) {
            why = "the ready tasks of role " + role.text +
                  " need workers with labels: such a task is claimed by its id";
            turns.skip_lane();
        } else {
            return task;
        }
    }
    return fail(ErrorCode::NOTHING_TO_CLAIM, why);
}

/// The task a claim is for; the code of the refusal where there is none.
Result<const Task*> task_to_claim(const Call& call, const ClaimTask& claim, Gates& gates,
                                  Instant& wake) {
    if (claim.task.empty()) return next_to_claim(call, claim.role, gates, wake);
    const Task* task = look_up(call, claim.task);
    if (task == nullptr) return fail(ErrorCode::NOT_FOUND, "no task " + claim.task.text, "task_id");
    if (!claim.role.empty() && task->role != claim.role) {
        return fail(ErrorCode::CONFLICT, "its role is " + task->role.text, "to");
    }
    if (task->state == TaskState::kQueued && has_expired(*task, call.now())) {
        return fail(ErrorCode::CONFLICT, "the ttl of task " + claim.task.text + " has passed",
                    "task_id");
    }
    if (task->state == TaskState::kQueued && has_missed_deadline(*task, call.now())) {
        return fail(ErrorCode::CONFLICT, "the deadline of task " + claim.task.text + " has passed",
                    "task_id");
    }
    if (task->state == TaskState::kQueued && is_over_budget(*task)) {
        return fail(ErrorCode::CONFLICT, "the budget of task " + claim.task.text + " is used up",
                    "task_id");
    }
    if (task->state == TaskState::kQueued) {
        const auto hold = hold_of(*task, gates);
        if (!hold) return task;
        return fail(ErrorCode::CONFLICT,
                    "task " + claim.task.text + " may not start: " + hold_text(*hold), "task_id");
    }
    return fail(ErrorCode::CONFLICT,
                "task " + claim.task.text + " is " + std::string(to_string(task->state)),
                "task_id");
}

ClaimAnswer claim_answer(const Task& task, const Lease& lease) {
    return {task.key,
            spec_seq(task),
            lease.token,
            lease.attempt,
            lease.term,
            task.checkpoints,
            closed_questions(task),
            task.feedback,
            time_for_attempt(task, lease.since)};
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

const Task* find_by_unique_key(const Call& call, const std::string& key) {
    if (key.empty() || mutant(Mutant::kUniqueKeyIgnored)) return nullptr;
    auto at = call.state.index.by_unique_key.find({call.command.ns, key});
    return at == call.state.index.by_unique_key.end() ? nullptr : find_task(call.state, at->second);
}

Decision decide_submit(const Call& call, const SubmitTask& submit, const Earlier& earlier) {
    const TaskSpec& spec = *submit.spec;
    if (const Task* same_id = find_by_id(call, spec.id, earlier)) {
        return repeated(call, submit, *same_id, "task.task_id");
    }
    if (const Task* same_key = find_by_key(call, spec.idempotency_key, earlier)) {
        return repeated(call, submit, *same_key, "task.idempotency_key");
    }
    const Task* holder = find_in(earlier, earlier.by_unique_key, spec.unique_key);
    if (holder == nullptr) holder = find_by_unique_key(call, spec.unique_key);
    if (holder != nullptr) return not_unique(call, submit, *holder);
    if (call.command.facts.payload) {
        const Error& error = *call.command.facts.payload;
        return reject(call, error.code, error.message, error.field);
    }
    const Wanted wanted{spec.role, call.command.identity, size_of(spec)};
    if (auto full = no_room(call, wanted, earlier)) {
        return reject(call, full->code, full->message, full->field, full->retry_after);
    }
    if (!call.command.facts.missing.empty()) return reject_missing(call);
    TaskSubmitted event = submitted_event(call, submit);
    if (auto error = wait_for_others(call, spec.after, earlier, event)) {
        return reject(call, error->code, error->message, error->field);
    }

    Decision decision;
    const TaskState state = state_or_approval(event.state, event.spec->approval);
    answer(decision, call, submit_answer(call, submit, state, earlier));
    if (submit.dry_run) return decision;
    for (const ArtifactRef& content : submit.contents) {
        decision.events.push_back(
            event_of(call, ContentStored{content.digest, content.size, true, content.secrets}));
    }
    decision.events.push_back(event_of(call, call.key(spec.id), std::move(event)));
    return decision;
}

Decision decide_claim(const Call& call, const ClaimTask& claim) {
    if (const RequestRecord* record = find_record(call)) return repeat_claim(call, *record);

    Gates gates(call.state, call.policy, call.now());
    Instant wake;
    auto found = task_to_claim(call, claim, gates, wake);
    if (!found) {
        const Error& error = found.error();
        Decision decision = reject(call, error.code, error.message, error.field);
        if (wake.is_set()) {
            decision.notices.emplace_back(RoleWaits{{call.command.ns, claim.role}, wake});
        }
        return decision;
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
    decision.notices.emplace_back(LeaseClockSet{
        lease.token.number,
        LeaseClock{call.now() + claim.lease, true, 0, ends_by(task, call.now(), call.now())}});
    note_start(call, task, lease, gates, decision);
    answer(decision, call, claim_answer(task, lease));
    return decision;
}

Decision decide_store_content(const Call& call, const StoreContent& store) {
    Decision decision;
    decision.events.push_back(
        event_of(call, ContentStored{store.digest, store.size, store.inlined, store.secrets}));
    answer(decision, call, StoredAnswer{store.digest, store.size});
    return decision;
}

}  // namespace zq::core
