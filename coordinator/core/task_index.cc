#include "coordinator/core/task_index.h"

#include "common/base/check.h"
#include "common/base/mutant.h"

namespace zq::core {
namespace {

RoleKey role_of(const Task& task) {
    return {task.key.ns, task.role};
}

bool can_expire(const Task& task) {
    return task.expires_at.is_set() && task.attempts == 0 &&
           (task.state == TaskState::kQueued || task.state == TaskState::kScheduled);
}

bool is_due_later(const Task& task) {
    return task.state == TaskState::kScheduled || task.state == TaskState::kRetryWait;
}

bool waits(const Task& task) {
    return is_due_later(task) || task.state == TaskState::kInputRequired;
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

ReadyKey ready_key(const Task& task) {
    return {task.rank, task.submitted_seq, task.key};
}

void want_match(State& state, const RoleKey& role) {
    auto idle = state.now.idle.find(role);
    if (idle != state.now.idle.end() && !idle->second.empty()) state.now.to_match.insert(role);
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

}  // namespace

void index_task(State& state, const Task& task) {
    RoleIndex& role = state.index.roles[role_of(task)];
    ++role.states.at(static_cast<std::size_t>(task.state));
    if (task.state == TaskState::kQueued) {
        role.ready.insert(ready_key(task));
        want_match(state, role_of(task));
    }
    if (waits(task)) ++role.waiting;
    if (is_due_later(task)) {
        const bool lost = mutant(Mutant::kLostTimer) && task.state == TaskState::kRetryWait;
        if (!lost) state.index.timers.insert(ready_timer(task));
    }
    if (is_leased(task)) {
        ++role.running;
        index_lease(state, task);
    }
    if (task.lost_lease) state.index.lost.emplace(task.lost_lease->token.number, task.key);
    if (can_expire(task)) state.index.timers.insert(expire_timer(task));
    index_question(state, task);
}

void unindex_task(State& state, const Task& task) {
    auto at = state.index.roles.find(role_of(task));
    ZQ_CHECK(at != state.index.roles.end());
    RoleIndex& role = at->second;
    --role.states.at(static_cast<std::size_t>(task.state));
    if (task.state == TaskState::kQueued) role.ready.erase(ready_key(task));
    if (waits(task)) --role.waiting;
    if (is_due_later(task)) state.index.timers.erase(ready_timer(task));
    if (is_leased(task)) {
        --role.running;
        unindex_lease(state, task);
    }
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
    if (!task.group.empty()) ++state.index.open_in_group[{task.key.ns, task.group}];
}

void unindex_open(State& state, const Task& task) {
    if (!task.idempotency_key.empty()) {
        state.index.by_idempotency_key.erase({task.key.ns, task.idempotency_key});
    }
    if (task.group.empty()) return;
    auto at = state.index.open_in_group.find({task.key.ns, task.group});
    ZQ_CHECK(at != state.index.open_in_group.end());
    if (--at->second == 0) state.index.open_in_group.erase(at);
}

void drop_clock(State& state, std::uint64_t token) {
    auto at = state.now.clocks.find(token);
    if (at == state.now.clocks.end()) return;
    state.now.deadlines.erase({at->second.deadline, token});
    state.now.clocks.erase(at);
}

}  // namespace zq::core
