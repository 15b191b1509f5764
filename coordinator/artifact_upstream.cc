// What became of the tasks that a task waited for, as its holder is told it (UPSTREAM).
#include <algorithm>

#include "coordinator/artifact_desk.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kUpstreamArtifacts = 1'000;  // about, of one answer to UPSTREAM

TaskKey key_of(const TaskId& id) {
    return {kDefaultNamespace, id};
}

Result<wire::UpstreamRow> upstream_row(store::Reader& reader, const TaskKey& key) {
    wire::UpstreamRow row;
    row.id = key.id;
    auto task = reader.task(key);
    if (!task) return Failure(task.error());
    if (!*task) return fail(ErrorCode::NOT_FOUND, "no task " + key.id.text, "task_id");
    row.state = (*task)->state;
    row.dead_reason = (*task)->dead_reason;
    row.attempt = (*task)->attempts;
    row.summary = (*task)->summary;
    row.reason = (*task)->reason;
    auto attempt = reader.attempt(key, row.attempt);
    if (!attempt) return Failure(attempt.error());
    row.ended_at = (*task)->ended_at;
    if (!*attempt) return row;
    row.worker = (*attempt)->holder.worker;
    row.identity = (*attempt)->holder.identity;
    row.command = (*attempt)->command;
    for (const ArtifactRef& artifact : (*attempt)->artifacts) {
        const bool log = removed_kind_of(artifact.name) == RemovedKind::kLogs;
        if (!log) row.artifacts.push_back(artifact);
    }
    return row;
}

}  // namespace

void ArtifactDesk::tell_upstream(const Caller& caller, const wire::Upstream& query) {
    auto rows = read_upstream(query);
    if (!rows) return refuse(caller.route, rows.error());
    reply(caller.route, std::move(*rows));
}

/// As many as fit into one answer.
Result<wire::UpstreamRows> ArtifactDesk::read_upstream(const wire::Upstream& query) {
    auto task = parts_.reader.task(key_of(query.task));
    if (!task) return Failure(task.error());
    if (!*task) return fail(ErrorCode::NOT_FOUND, "no task " + query.task.text, "task_id");
    const std::vector<TaskId>& all = (*task)->after.tasks;
    wire::UpstreamRows found;
    found.total = static_cast<std::uint32_t>(all.size());
    std::size_t artifacts = 0;
    for (std::size_t i = query.skip; i < all.size() && found.rows.size() < query.limit; ++i) {
        auto row = upstream_row(parts_.reader, key_of(all[i]));
        if (!row) return Failure(row.error());
        artifacts += 8 + row->artifacts.size();
        if (!found.rows.empty() && artifacts > kUpstreamArtifacts) break;
        found.rows.push_back(std::move(*row));
    }
    return found;
}

}  // namespace zq::coordinator
