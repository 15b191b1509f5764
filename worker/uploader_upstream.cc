// What the tasks that this one waited for have left is laid into the attempt's folder, before its
// command runs.
#include <sys/stat.h>

#include <filesystem>

#include "common/platform/json.h"
#include "worker/uploader.h"

namespace zq::worker {
namespace {

constexpr mode_t kReadOnly = 0400;

/// Who has done it, by what, and what it left.
Json provenance_of(const wire::UpstreamRow& row) {
    Json record = Json::object();
    record.set("worker", Json::text(row.worker.text));
    record.set("identity", Json::text(row.identity.text));
    if (!row.command.is_zero()) record.set("command_digest", Json::text(to_hex(row.command)));
    Json outputs = Json::object();
    for (const ArtifactRef& ref : row.artifacts) {
        outputs.set(ref.name, Json::text(to_hex(ref.digest)));
    }
    record.set("outputs", std::move(outputs));
    return record;
}

/// What became of it, for the command: state, reason and summary, and names of its artifacts.
Result<void> write_upstream(const Workspace& w, const wire::UpstreamRow& row) {
    Json record = Json::object();
    record.set("id", Json::text(row.id.text));
    record.set("state", Json::text(std::string(to_string(row.state))));
    if (row.dead_reason != DeadReason::kNone) {
        record.set("dead_reason", Json::text(std::string(to_string(row.dead_reason))));
    }
    record.set("attempt", Json::number(std::uint64_t{row.attempt}));
    record.set("summary", Json::text(row.summary));
    record.set("reason", Json::text(row.reason));
    record.set("provenance", provenance_of(row));
    return write_file(w.upstream_folder(row.id.text) + "/task.json", record.dump() + "\n", 0600,
                      Durability::kNone);
}

}  // namespace

Result<void> Uploader::fetch_upstream(Lane& lane, const PrepareJob& job,
                                      std::vector<wire::UpstreamRow>& upstream) {
    const TaskId& task = job.assign.task.id;
    if (job.assign.task.after.tasks.empty()) return {};
    auto asked = transfer(lane, [&](Transfer& t) -> Result<void> {
        auto rows = t.upstream(task);
        if (!rows) return Failure(rows.error());
        upstream = std::move(*rows);
        return {};
    });
    if (!asked) return asked;
    for (const wire::UpstreamRow& row : upstream) {
        if (!is_valid_name(row.id.text)) return fail(ErrorCode::INVALID, "not a task id", "deps");
        const std::string folder = job.workspace.upstream_folder(row.id.text);
        if (auto ok = make_folders(folder, 0700); !ok) return ok;
        if (auto ok = write_upstream(job.workspace, row); !ok) return ok;
        for (const ArtifactRef& artifact : row.artifacts) {
            if (auto ok = validate(artifact, artifact.name); !ok) return ok;
            const std::string path = job.workspace.upstream_file(row.id.text, artifact.name);
            const auto parent = std::filesystem::path(path).parent_path().string();
            if (auto ok = make_folders(parent, 0700); !ok) return ok;
            const ContentPlace place{row.id, row.attempt, artifact.name, 0, task, job.assign.lease};
            auto got = transfer(
                lane, [&](Transfer& t) { return t.fetch_file(place, artifact.digest, path); });
            if (!got) {
                return fail(got.error().code, artifact.name + " of task " + row.id.text +
                                                  " cannot be had: " + got.error().message);
            }
            ::chmod(path.c_str(), kReadOnly);
        }
    }
    return {};
}

}  // namespace zq::worker
