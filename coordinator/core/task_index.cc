#include "coordinator/core/task_index.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "coordinator/core/dependencies.h"

namespace zq::core {
namespace {

RoleKey role_of(const Task& task) {
    return {task.key.ns, task.role};
}

bool can_expire(const Task& task) {
    return task.expires_at.is_set() && task.attempts == 0 &&
           (task.state == TaskState::kQueued || task.state == TaskState::kScheduled ||
            task.state == TaskState::kInputRequired);
}

bool is_due_later(const Task& task) {
    return task.state == TaskState::kScheduled || task.state == TaskState::kRetryWait;
}

/// A running task's deadline is its attempt's; one whose result waits has kept it.
bool has_deadline(const Task& task) {
    return task.deadline_at.is_set() && !task.lease && task.state != TaskState::kInReview;
}

bool waits(const Task& task) {
    return is_due_later(task) || is_parked(task.state) || task.state == TaskState::kBlocked;
}

bool is_leased(const Task& task) {
    return task.state == TaskState::kRunning || task.state == TaskState::kCancelling;
}

Timer ready_timer(const Task& task) {
    return {task.due_at, task.submitted_seq, TimerKind::kReady, task.key};
}

Timer expire_timer(const Task& task) {
    return {task.expires_at, task.submitted_seq, TimerKind::kExpire, task.key};
}

Timer deadline_timer(const Task& task) {
    return {task.deadline_at, task.submitted_seq, TimerKind::kDeadline, task.key};
}

/// A wait that has come to something and was not acted on yet: at once.
Timer resolve_timer(const Task& task) {
    return {task.submitted_at, task.submitted_seq, TimerKind::kResolve, task.key};
}

bool is_to_resolve(const Task& task) {
    return task.state == TaskState::kBlocked &&
           outcome_of(task.after, task.upstream) != WaitOutcome::kWaits;
}

template <class Use>
void for_each_awaited(const Task& task, Use use) {
    if (task.state != TaskState::kBlocked) return;
    for (std::size_t i = 0; i < task.after.tasks.size(); ++i) {
        if (task.upstream.at(i) == kUpstreamWaits) use(TaskKey{task.key.ns, task.after.tasks[i]});
    }
}

void drop_dependant(State& state, const TaskKey& awaited, const Task& task) {
    auto at = state.index.dependants.find(awaited);
    ZQ_CHECK(at != state.index.dependants.end());
    at->second.erase({task.submitted_seq, task.key});
    if (at->second.empty()) state.index.dependants.erase(at);
}

Timer answer_timer(const Task& task, const Question& question) {
    return {question.until, task.submitted_seq, TimerKind::kNoAnswer, task.key};
}

void index_question(State& state, const Task& task) {
    const Question* open = open_question(task);
    if (open == nullptr) return;
    state.index.asking.emplace(open->asked_at, task.key);
    if (open->until.is_set()) state.index.timers.insert(answer_timer(task, *open));
}

void unindex_question(State& state, const Task& task) {
    const Question* open = open_question(task);
    if (open == nullptr) return;
    state.index.asking.erase({open->asked_at, task.key});
    if (open->until.is_set()) state.index.timers.erase(answer_timer(task, *open));
}

void index_lease(State& state, const Task& task) {
    ZQ_CHECK(task.lease.has_value());
    const Lease& lease = *task.lease;
    state.index.leases.emplace(lease.token.number, task.key);
    if (!lease.holder.by_hand) {
        state.index.by_holder[lease.holder.state_id].insert(lease.token.number);
    }
}

void unindex_lease(State& state, const Task& task) {
    const Lease& lease = *task.lease;
    state.index.leases.erase(lease.token.number);
    auto at = state.index.by_holder.find(lease.holder.state_id);
    if (at == state.index.by_holder.end()) return;
    at->second.erase(lease.token.number);
    if (at->second.empty()) state.index.by_holder.erase(at);
}

/// One more or one less of them runs, or is ready.
void index_limit_key(State& state, const Task& task, std::int64_t change) {
    const bool ready = task.state == TaskState::kQueued;
    if (task.limit_key.empty() || (!ready && !is_leased(task))) return;
    const std::pair key(task.key.ns, task.limit_key);
    LimitKeyIndex& index = state.index.limit_keys[key];
    if (ready) {
        std::uint64_t& count = index.ready[task.role];
        count += static_cast<std::uint64_t>(change);
        if (count == 0) index.ready.erase(task.role);
    } else {
        index.running += static_cast<std::uint64_t>(change);
    }
    if (index.running == 0 && index.ready.empty()) state.index.limit_keys.erase(key);
}

}  // namespace

void want_match(State& state, const RoleKey& role) {
    auto idle = state.now.idle.find(role);
    if (idle == state.now.idle.end() || idle->second.empty()) return;
    auto tasks = state.index.roles.find(role);
    if (tasks == state.index.roles.end() || tasks->second.ready.empty()) return;
    state.now.to_match.insert(role);
}

void note_freed(State& state, const Task& task) {
    want_match(state, role_of(task));
    if (!task.limit_key.empty()) want_match_of_key(state, task.key.ns, task.limit_key);
}

void want_match_of_key(State& state, const Namespace& ns, const std::string& limit_key) {
    auto at = state.index.limit_keys.find({ns, limit_key});
    if (at == state.index.limit_keys.end()) return;
    for (const auto& [role, count] : at->second.ready) want_match(state, {ns, role});
}

void index_task(State& state, const Task& task, const SharedKey& key) {
    const RoleKey role_key = role_of(task);
    RoleIndex& role = state.index.roles[role_key];
    ++role.states.at(static_cast<std::size_t>(task.state));
    if (task.state == TaskState::kQueued) {
        // Events are the clock here; a restored task has waited longer (recover.cc).
        if (role.ready.insert(task, key)) {
            state.now.turns[{role_key, submitter_of(task)}] = {state.durable.last_at, 0};
        }
        want_match(state, role_key);
    }
    role.bytes += task.bytes;
    index_limit_key(state, task, +1);
    if (waits(task)) ++role.waiting;
    if (is_due_later(task)) {
        const bool lost = mutant(Mutant::kLostTimer) && task.state == TaskState::kRetryWait;
        if (!lost) state.index.timers.insert(ready_timer(task));
    }
    if (is_leased(task)) {
        ++role.running;
        index_lease(state, task);
    }
    if (has_deadline(task)) state.index.timers.insert(deadline_timer(task));
    if (is_to_resolve(task)) state.index.timers.insert(resolve_timer(task));
    for_each_awaited(task, [&](const TaskKey& awaited) {
        state.index.dependants[awaited].emplace(task.submitted_seq, task.key);
    });
    if (task.lost_lease) state.index.lost.emplace(task.lost_lease->token.number, task.key);
    if (can_expire(task)) state.index.timers.insert(expire_timer(task));
    index_question(state, task);
}

void unindex_task(State& state, const Task& task, const SharedKey& key) {
    auto at = state.index.roles.find(role_of(task));
    ZQ_CHECK(at != state.index.roles.end());
    RoleIndex& role = at->second;
    --role.states.at(static_cast<std::size_t>(task.state));
    if (task.state == TaskState::kQueued && role.ready.erase(task, key)) {
        state.now.turns.erase({role_of(task), submitter_of(task)});
    }
    role.bytes -= task.bytes;
    index_limit_key(state, task, -1);
    if (waits(task)) --role.waiting;
    if (is_due_later(task)) state.index.timers.erase(ready_timer(task));
    if (is_leased(task)) {
        --role.running;
        unindex_lease(state, task);
    }
    if (has_deadline(task)) state.index.timers.erase(deadline_timer(task));
    if (is_to_resolve(task)) state.index.timers.erase(resolve_timer(task));
    for_each_awaited(task, [&](const TaskKey& awaited) { drop_dependant(state, awaited, task); });
    if (task.lost_lease) state.index.lost.erase(task.lost_lease->token.number);
    if (can_expire(task)) state.index.timers.erase(expire_timer(task));
    unindex_question(state, task);
    if (role.ready.empty() && role.waiting == 0 && role.running == 0) state.index.roles.erase(at);
}

void index_open(State& state, const Task& task) {
    if (!task.idempotency_key.empty()) {
        state.index.by_idempotency_key.emplace(std::pair(task.key.ns, task.idempotency_key),
                                               task.key);
    }
    if (!task.unique_key.empty()) {
        state.index.by_unique_key.emplace(std::pair(task.key.ns, task.unique_key), task.key);
    }
    if (!task.group.empty()) ++state.index.open_in_group[{task.key.ns, task.group}];
    state.index.bytes += task.bytes;
    ++state.index.open_by_submitter[task.submitter];
    for (const TaskId& id : task.after.tasks) ++state.index.needed[{task.key.ns, id}];
}

void unindex_open(State& state, const Task& task) {
    if (!task.idempotency_key.empty()) {
        state.index.by_idempotency_key.erase({task.key.ns, task.idempotency_key});
    }
    for (const TaskId& id : task.after.tasks) {
        auto at = state.index.needed.find({task.key.ns, id});
        ZQ_CHECK(at != state.index.needed.end());
        if (--at->second == 0) state.index.needed.erase(at);
    }
    if (!task.unique_key.empty()) state.index.by_unique_key.erase({task.key.ns, task.unique_key});
    state.index.bytes -= task.bytes;
    auto of_submitter = state.index.open_by_submitter.find(task.submitter);
    ZQ_CHECK(of_submitter != state.index.open_by_submitter.end());
    if (--of_submitter->second == 0) state.index.open_by_submitter.erase(of_submitter);
    if (task.group.empty()) return;
    auto at = state.index.open_in_group.find({task.key.ns, task.group});
    ZQ_CHECK(at != state.index.open_in_group.end());
    if (--at->second == 0) state.index.open_in_group.erase(at);
}

void note_upstream(State& state, Task& task, const TaskId& ended, bool well) {
    const std::size_t place = place_of(task.after, ended);
    ZQ_CHECK(task.state == TaskState::kBlocked && place < task.upstream.size());
    ZQ_CHECK(task.upstream[place] == kUpstreamWaits);
    const bool was_to_resolve = is_to_resolve(task);
    drop_dependant(state, {task.key.ns, ended}, task);
    task.upstream[place] = well ? kUpstreamWell : kUpstreamWrong;
    if (is_to_resolve(task) && !was_to_resolve) state.index.timers.insert(resolve_timer(task));
}

void index_control(State& state, const ControlKey& key, const Control& control) {
    if (only_held(control)) state.index.held.insert({control.held_until, key});
}

void unindex_control(State& state, const ControlKey& key, const Control& control) {
    if (only_held(control)) state.index.held.erase({control.held_until, key});
}

void drop_clock(State& state, std::uint64_t token) {
    auto at = state.now.clocks.find(token);
    if (at == state.now.clocks.end()) return;
    state.now.deadlines.erase({at->second.deadline, token});
    state.now.overdue.erase({at->second.ends_by, token});
    state.now.clocks.erase(at);
}

}  // namespace zq::core
