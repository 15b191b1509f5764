// Retention: what may go because of its age, or because its role holds too much. What is asked
// about was found in committed rows; here it is held against the policy and against what is decided
// but not committed.
// Nothing that anything refers to is ever condemned.
#include <algorithm>

#include "coordinator/core/content_time.h"
#include "coordinator/core/decide_parts.h"

namespace zq::core {
namespace {

/// Since when a content must have been unused to go: its time is over, and no lease that runs, or
/// may come back, is older than its upload: whoever works may still name it.
Instant unused_before(const Call& call, Instant begun) {
    const Millis time = call.policy.unreferenced;
    Instant before = begun - time;
    for (const auto* leases : {&call.state.index.leases, &call.state.index.lost}) {
        for (const auto& [number, key] : *leases) {
            const Task& task = *find_task(call.state, key);
            const Lease& lease = task.lease ? *task.lease : *task.lost_lease;
            before = std::min(before, lease.since - kept_without_renewal(time));
        }
    }
    return before;
}

std::optional<Event> condemn(const Call& call, const Retain& retain) {
    ContentsCondemned condemned;
    condemned.removed_upto = retain.removed_upto;
    if (retain.contents.empty()) return std::nullopt;
    const Instant before = unused_before(call, retain.begun);
    for (const UnusedContent& content : retain.contents) {
        if (content.since >= before) continue;
        const auto& index = call.state.index;
        if (index.condemned.contains(content.digest) || index.used.contains(content.digest)) {
            continue;
        }
        condemned.contents.push_back({content.digest, content.size, content.inlined});
    }
    if (condemned.contents.empty()) return std::nullopt;
    return system_event({call.command.ns, {}}, std::move(condemned));
}

bool is_over(Instant ended_at, Millis age, Instant begun) {
    return age.count > 0 && ended_at + age <= begun;
}

void remove_whole(const EndedTask& task, RetentionRule rule, Decision& decision) {
    decision.events.push_back(
        system_event(task.key, TaskRemoved{task.submitted_seq,
                                           held_contents(task),
                                           task.log_bytes + task.artifact_bytes,
                                           {},
                                           rule}));
}

void remove(const EndedTask& task, RemovedKind kind, RetentionRule rule, Decision& decision) {
    const bool logs = kind == RemovedKind::kLogs;
    ArtifactsRemoved removed;
    removed.submitted_seq = task.submitted_seq;
    removed.kind = kind;
    removed.released = logs ? task.logs : task.artifacts;
    removed.bytes = logs ? task.log_bytes : task.artifact_bytes;
    removed.rule = rule;
    if (removed.released.empty()) return;
    decision.events.push_back(system_event(task.key, std::move(removed)));
}

/// Open again, submitted anew, or removed in this very batch: its rows say nothing. Or the input of
/// an open task.
bool has_gone_on(const Call& call, const EndedTask& task) {
    return !is_final(task.state) || find_task(call.state, task.key) != nullptr ||
           call.state.index.removed.contains(task.key) ||
           call.state.index.needed.contains(task.key);
}

void let_go_by_age(const Call& call, const EndedTask& task, Instant begun, Decision& decision) {
    const Retention& retention = retention_of(call.policy, task.role);
    const bool dead = is_dead(task.state);
    // What is dead may be replayed: it keeps all it has for as long as it is there.
    if (task.due == RetentionDue::kTask) {
        if (!is_over(task.ended_at, dead ? retention.dead : retention.finished, begun)) return;
        remove_whole(task, RetentionRule::kAge, decision);
    } else if (task.due == RetentionDue::kLogs) {
        if (dead || !is_over(task.ended_at, retention.logs, begun)) return;
        remove(task, RemovedKind::kLogs, RetentionRule::kAge, decision);
    } else {
        if (dead || !is_over(task.ended_at, retention.artifacts, begun)) return;
        remove(task, RemovedKind::kArtifacts, RetentionRule::kAge, decision);
    }
}

/// `held`: what tasks of its role hold before it goes.
void let_go_by_bytes(const Call& call, const EndedTask& task, std::uint64_t held,
                     Decision& decision) {
    const Retention& retention = retention_of(call.policy, task.role);
    const std::uint64_t bound =
        is_dead(task.state) ? retention.dead_bytes : retention.finished_bytes;
    if (bound == 0 || held <= bound) return;
    if (is_dead(task.state)) return remove_whole(task, RetentionRule::kBytes, decision);
    remove(task, RemovedKind::kLogs, RetentionRule::kBytes, decision);
    remove(task, RemovedKind::kArtifacts, RetentionRule::kBytes, decision);
}

}  // namespace

Decision decide_retain(const Call& call, const Retain& retain) {
    Decision decision;
    std::uint64_t held = retain.held;
    for (const EndedTask& task : retain.tasks) {
        if (decision.events.size() >= limits::kTickItems) break;
        const bool by_bytes = task.due == RetentionDue::kBytes;
        if (!has_gone_on(call, task)) {
            if (by_bytes) {
                let_go_by_bytes(call, task, held, decision);
            } else {
                let_go_by_age(call, task, retain.begun, decision);
            }
        }
        // What has gone on is held by no ended task.
        if (by_bytes) held -= std::min(held, task.log_bytes + task.artifact_bytes);
    }
    if (auto event = condemn(call, retain)) decision.events.push_back(std::move(*event));
    return decision;
}

}  // namespace zq::core
