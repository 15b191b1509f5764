#include "coordinator/edge/cluster.h"

#include <algorithm>

#include "coordinator/core/gates.h"
#include "coordinator/edge/rows.h"

namespace zq::edge {
namespace {

/// How far the ready queue is searched for its oldest task, in all and in one lane: that is in
/// order of rank, so that the oldest of each priority stands first among its like.
constexpr std::size_t kOldestSearch = 1'000;
constexpr std::size_t kOldestOfLane = 100;

}  // namespace

Millis oldest_wait(const core::State& state, const core::Policy& policy,
                   const core::RoleIndex& role, Instant now) {
    Instant oldest = now;
    std::size_t seen = 0;
    for (const auto& [submitter, share] : role.ready.shares()) {
        for (const auto& [head, lane] : share.heads()) {
            std::size_t of_lane = 0;
            for (const core::ReadyKey& ready : share.tasks_of(lane)) {
                if (++of_lane > kOldestOfLane) break;
                if (++seen > kOldestSearch) return now - oldest;
                const core::Task* task = state.durable.open.find(ready.task);
                if (task == nullptr) continue;
                oldest =
                    std::min(oldest, Instant{ready.rank + task->priority * policy.age_step.count});
            }
        }
    }
    return now - oldest;
}

wire::WorkerRows list_workers(const core::State& state) {
    std::map<core::SessionId, std::uint32_t> running;
    for (const auto& [token, clock] : state.now.clocks) ++running[clock.session];
    wire::WorkerRows reply;
    RowBudget budget(kRowBytes);
    for (const auto& [id, session] : state.now.sessions) {
        wire::WorkerRow row;
        row.worker = session.worker;
        row.identity = session.identity;
        row.state_id = session.state_id;
        row.incarnation = session.incarnation;
        row.roles = session.roles;
        row.slots = session.slots;
        row.free = session.free;
        auto leases = running.find(id);
        if (leases != running.end()) row.running = leases->second;
        row.connected_at = session.connected_at;
        row.heard_at = session.heard_at;
        row.program = session.program;
        row.labels = session.labels;
        row.draining = core::is_drained(state, session);
        row.paused = core::is_resting(state, session) && !row.draining;
        if (!budget.take(row)) break;
        reply.rows.push_back(std::move(row));
    }
    return reply;
}

wire::LeaseRows list_leases(const core::State& state, const Peer& asker,
                            const wire::Leases& leases) {
    wire::LeaseRows reply;
    RowBudget budget(kRowBytes);
    for (const auto& [number, key] : state.index.leases) {
        const core::Task* task = core::find_task(state, key);
        if (task == nullptr || !task->lease) continue;
        if (!may_read(asker, *task)) continue;
        if (!leases.role.empty() && task->role != leases.role) continue;
        wire::LeaseRow row;
        row.task = key.id;
        row.role = task->role;
        row.attempt = task->lease->attempt;
        row.worker = task->lease->holder.worker;
        row.identity = task->lease->holder.identity;
        row.by_hand = task->lease->holder.by_hand;
        row.since = task->lease->since;
        row.state = task->state;
        auto clock = state.now.clocks.find(number);
        if (clock != state.now.clocks.end()) {
            row.confirmed = clock->second.confirmed;
            row.deadline = clock->second.deadline;
        }
        if (reply.rows.size() == limits::kListRows || !budget.take(row)) {
            reply.more = true;
            break;
        }
        reply.rows.push_back(std::move(row));
    }
    return reply;
}

wire::QuestionRows list_questions(const core::State& state, const Peer& asker,
                                  const wire::Questions& questions) {
    wire::QuestionRows reply;
    RowBudget budget(kRowBytes);
    for (const auto& [asked_at, key] : state.index.asking) {
        const core::Task* task = core::find_task(state, key);
        const Question* open = task == nullptr ? nullptr : core::open_question(*task);
        if (open == nullptr || !may_read(asker, *task)) continue;
        if (!questions.role.empty() && task->role != questions.role) continue;
        if (!questions.group.empty() && task->group != questions.group) continue;
        wire::QuestionRow row;
        row.task = key.id;
        row.state = task->state;
        row.role = task->role;
        row.type = task->type;
        row.from = task->from;
        row.group = task->group;
        row.worker = task->worker;
        row.question = *open;
        if (reply.rows.size() == questions.limit || !budget.take(row)) {
            reply.more = true;
            break;
        }
        reply.rows.push_back(std::move(row));
    }
    return reply;
}

Result<std::vector<wire::RoleRow>> list_roles(const core::State& state, const core::Policy& policy,
                                              store::Reader& reader, Instant now) {
    std::map<RoleKey, wire::RoleRow> roles;
    for (const RoleKey& key : state.durable.roles_served) roles[key];
    for (const auto& [key, role] : state.index.roles) {
        wire::RoleRow& row = roles[key];
        row.queued = role.ready.size();
        row.waiting = role.waiting;
        row.running = role.running;
        row.oldest = oldest_wait(state, policy, role, now);
        row.open_bytes = role.bytes;
    }
    for (const auto& [key, control] : state.durable.controls) {
        if (key.kind != ControlKind::kRole) continue;
        wire::RoleRow& row = roles[{key.ns, RoleName(key.name)}];
        row.paused = control.paused;
        row.closed = control.closed;
    }
    auto dead = reader.dead_counts();
    if (!dead) return Failure(dead.error());
    for (const auto& [key, number] : *dead) roles[key].dead = number;
    auto held = reader.held_totals();
    if (!held) return Failure(held.error());
    for (const store::HeldTotal& total : *held) {
        wire::RoleRow& row = roles[total.role];
        row.kept += total.tasks;
        row.kept_bytes += total.bytes;
        if (total.dead) row.dead_bytes = total.bytes;
    }
    for (const auto& [id, session] : state.now.sessions) {
        for (const RoleName& name : session.roles) {
            wire::RoleRow& row = roles[{session.ns, name}];
            ++row.workers;
            row.slots += session.slots;
        }
    }
    std::vector<wire::RoleRow> rows;
    RowBudget budget(kRowBytes);
    for (auto& [key, row] : roles) {
        row.role = key.role;
        row.limits = core::limits_of(state, policy, {key.ns, ControlKind::kRole, key.role.text});
        if (!budget.take(row)) break;
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace zq::edge
