#include "coordinator/retention_due.h"

#include <algorithm>

namespace zq::coordinator {
namespace {

constexpr Millis kSoonest = seconds(1);
constexpr Millis kLatest = hours(1);
constexpr Millis kLatestByBytes = minutes(1);
constexpr std::int64_t kPassesPerAge = 8;

using core::RetentionDue;

/// Since the task ended; what an earlier end let go says nothing of this one.
bool was_removed(const std::vector<store::Removal>& removals, const core::Task& task,
                 RetentionDue due) {
    if (due != RetentionDue::kLogs && due != RetentionDue::kArtifacts) return false;
    const auto kind = due == RetentionDue::kLogs ? RemovedKind::kLogs : RemovedKind::kArtifacts;
    return store::removed_since(removals, kind, task.changed_seq);
}

/// With its inputs.
bool goes_whole(TaskState state, RetentionDue due) {
    return due == RetentionDue::kTask || (due == RetentionDue::kBytes && is_dead(state));
}

}  // namespace

Millis retention_interval(const core::Policy& policy) {
    Millis shortest = policy.unreferenced;
    Millis latest = kLatest;
    const auto note = [&](const core::Retention& retention) {
        for (const Millis age :
             {retention.finished, retention.dead, retention.logs, retention.artifacts}) {
            if (age.count > 0) shortest = std::min(shortest, age);
        }
        if (retention.finished_bytes + retention.dead_bytes > 0) latest = kLatestByBytes;
    };
    note(policy.retention);
    for (const auto& [role, retention] : policy.role_retention) note(retention);
    return std::clamp(Millis{shortest.count / kPassesPerAge}, kSoonest, latest);
}

Millis age_of(const core::Retention& retention, TaskState state, RetentionDue due) {
    switch (due) {
        case RetentionDue::kTask:
            return is_dead(state) ? retention.dead : retention.finished;
        case RetentionDue::kLogs:
            return is_dead(state) ? Millis{} : retention.logs;
        case RetentionDue::kArtifacts:
            return is_dead(state) ? Millis{} : retention.artifacts;
        case RetentionDue::kBytes:
            return {};
    }
    return {};
}

std::uint64_t bound_of(const core::Retention& retention, bool dead) {
    return dead ? retention.dead_bytes : retention.finished_bytes;
}

Result<std::optional<core::EndedTask>> ended_task(store::Reader& reader, const core::Task& task,
                                                  RetentionDue due) {
    auto removals = reader.removals(task.submitted_seq);
    if (!removals) return Failure(removals.error());
    if (was_removed(*removals, task, due)) return std::optional<core::EndedTask>{};
    auto attempts = reader.attempts(task.key);
    if (!attempts) return Failure(attempts.error());
    std::vector<ArtifactRef> inputs;
    if (goes_whole(task.state, due) && task.inputs > 0) {
        auto spec = reader.spec(task.submitted_seq);
        if (!spec) return Failure(spec.error());
        if (*spec) inputs = std::move((*spec)->inputs);
    }
    core::EndedTask ended = store::ended_task(task, inputs, *attempts, *removals);
    ended.due = due;
    return std::optional(std::move(ended));
}

void leave_out_aged(core::EndedTask& task, const core::Retention& retention, Instant begun) {
    const auto is_over = [&](RetentionDue due) {
        const Millis age = age_of(retention, task.state, due);
        return age.count > 0 && task.ended_at + age <= begun;
    };
    const bool whole = is_over(RetentionDue::kTask);
    if (whole || is_over(RetentionDue::kLogs)) {
        task.logs.clear();
        task.log_bytes = 0;
    }
    if (whole || is_over(RetentionDue::kArtifacts)) {
        task.artifacts.clear();
        task.artifact_bytes = 0;
    }
}

}  // namespace zq::coordinator
