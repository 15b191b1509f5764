#include "cli/removed.h"

#include <algorithm>

#include "cli/records.h"

namespace zq::cli {
namespace {

/// The removal that took what the attempt left; null if none did.
const wire::RemovedRow* find(const wire::TaskReply& task, std::uint32_t attempt, RemovedKind kind) {
    const auto at = std::find_if(
        task.removed.begin(), task.removed.end(),
        [&](const wire::RemovedRow& row) { return row.kind == kind && attempt <= row.attempt; });
    return at == task.removed.end() ? nullptr : &*at;
}

Json mark(Json record, const wire::RemovedRow* row) {
    if (row == nullptr) return record;
    record.set("removed_at", to_json(row->at));
    if (!row->rule.empty()) record.set("removed_rule", Json::text(row->rule));
    return record;
}

}  // namespace

const wire::RemovedRow* removal_of(const wire::TaskReply& task, std::uint32_t attempt,
                                   const std::string& name) {
    return attempt == 0 ? nullptr : find(task, attempt, removed_kind_of(name));
}

const wire::RemovedRow* checkpoint_removal(const wire::TaskReply& task,
                                           const CheckpointRef& checkpoint) {
    return find(task, checkpoint.attempt, RemovedKind::kArtifacts);
}

std::string removed_text(const wire::RemovedRow& row, const std::string& time) {
    std::string text = "removed " + time;
    if (row.rule == to_string(RetentionRule::kAge)) text += ", past its age";
    if (row.rule == to_string(RetentionRule::kBytes)) text += ", its role held too many bytes";
    return text;
}

Json marked_record(const wire::TaskReply& task, std::uint32_t attempt,
                   const ArtifactRef& artifact) {
    return mark(artifact_record(task.row.id, attempt, artifact),
                removal_of(task, attempt, artifact.name));
}

Json marked_record(const wire::TaskReply& task, const CheckpointRef& checkpoint) {
    return mark(checkpoint_record(task.row.id, checkpoint), checkpoint_removal(task, checkpoint));
}

Json removed_records(const wire::TaskReply& task) {
    Json removed = Json::array();
    for (const wire::RemovedRow& row : task.removed) removed.push(to_json(row));
    return removed;
}

Expected<void> refuse_removed(const wire::TaskReply& task, const std::string& name,
                              const wire::RemovedRow* row) {
    if (row == nullptr) return {};
    return problem(ErrorCode::NOT_FOUND,
                   name + " of " + task.row.id.text + " is not kept any more: " +
                       removed_text(*row, to_rfc3339(row->at)) + " (retention)",
                   "`zq show " + task.row.id.text +
                       "` still tells its size and digest; [retention] in the coordinator's"
                       " settings says what is kept");
}

}  // namespace zq::cli
