// The two long jobs of an attempt: what happens before its command runs, and after.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "common/platform/digest.h"
#include "common/platform/log.h"
#include "common/platform/reference.h"
#include "worker/evidence.h"
#include "worker/scrub.h"
#include "worker/task_secrets.h"
#include "worker/uploader.h"
#include "worker/workspace/briefing.h"
#include "worker/workspace/git_worktree.h"

namespace zq::worker {
namespace {

constexpr int kHashTries = 3;
constexpr mode_t kReadOnly = 0400;
constexpr const char* kDrifted = "drifted";  // as the field of an error about a reference

bool is_not_ours(ErrorCode code) {
    return code == ErrorCode::STALE_LEASE || code == ErrorCode::NOT_FOUND ||
           code == ErrorCode::CONFLICT || code == ErrorCode::DENIED;
}

/// A file that is gone here is this machine's trouble, not the coordinator's NOT_FOUND.
Failure local(const Error& error) {
    return fail(ErrorCode::IO, error.message);
}

Result<void> write_briefing(const PrepareJob& job, const std::vector<wire::UpstreamRow>& upstream) {
    const Workspace& w = job.workspace;
    auto ok = write_file(w.task_file(), task_json(job.assign), 0600, Durability::kNone);
    if (!ok) return ok;
    if (!job.assign.questions.empty()) {
        ok = write_file(w.answers_file(), answers_json(job.assign), 0600, Durability::kNone);
        if (!ok) return ok;
    }
    if (const std::string feedback = feedback_text(job.assign); !feedback.empty()) {
        ok = write_file(w.feedback_file(), feedback, 0600, Durability::kNone);
        if (!ok) return ok;
    }
    return write_file(w.prompt_file(), prompt_text(job.assign, upstream, w), 0600,
                      Durability::kNone);
}

}  // namespace

News Uploader::prepare(Lane& lane, const PrepareJob& job) {
    const LeaseToken lease = job.assign.lease;
    // Names become paths here: what the coordinator checked is checked again.
    if (auto ok = validate(job.assign.task); !ok) {
        return Prepared{
            lease, {}, "the task is not valid: " + ok.error().field + ": " + ok.error().message};
    }
    if (auto ok = make_workspace(job.workspace); !ok)
        return Prepared{lease, ok.error().message, {}};
    std::vector<SecretValue> secrets;
    if (const auto names = named_secrets(job.assign.task); !names.empty()) {
        auto values = read_secrets(options_.secrets_folder, names);
        // Another worker may have it: a failed attempt, no fault of this one.
        if (!values) return Prepared{lease, {}, values.error().message};
        if (auto ok = lay_secrets(job.workspace, *values); !ok) {
            return Prepared{lease, ok.error().message, {}};
        }
        secrets = hidden_values(*values);
    }
    News news = fill(lane, job);
    if (auto* prepared = std::get_if<Prepared>(&news)) prepared->secrets = std::move(secrets);
    return news;
}

/// Everything in the folder but the secrets.
News Uploader::fill(Lane& lane, const PrepareJob& job) {
    const LeaseToken lease = job.assign.lease;
    if (auto ok = fetch_inputs(lane, job); !ok) {
        if (is_abandoned(lane)) return Abandoned{lease};
        if (ok.error().code == ErrorCode::IO) return Prepared{lease, ok.error().message, {}};
        if (ok.error().field == kDrifted) return Prepared{lease, {}, {}, ok.error().message};
        return Prepared{lease, {}, ok.error().message};
    }
    if (auto ok = fetch_checkpoints(lane, job); !ok) {
        if (is_abandoned(lane)) return Abandoned{lease};
        return Prepared{lease, ok.error().message, {}};
    }
    std::vector<wire::UpstreamRow> upstream;
    if (auto ok = fetch_upstream(lane, job, upstream); !ok) {
        if (is_abandoned(lane)) return Abandoned{lease};
        if (ok.error().code == ErrorCode::IO) return Prepared{lease, ok.error().message, {}};
        return Prepared{lease, {}, ok.error().message};
    }
    if (auto ok = write_briefing(job, upstream); !ok)
        return Prepared{lease, ok.error().message, {}};
    if (!options_.git_worktree.empty()) {
        auto ok = add_worktree(options_.git_worktree, job.workspace);
        if (!ok) return Prepared{lease, ok.error().message, {}};
    }
    return Prepared{lease, {}, {}};
}

Result<void> Uploader::fetch_inputs(Lane& lane, const PrepareJob& job) {
    const TaskSpec& task = job.assign.task;
    for (const ArtifactRef& input : task.inputs) {
        const std::string path = job.workspace.context_file(input.name);
        const auto parent = std::filesystem::path(path).parent_path().string();
        if (auto ok = make_folders(parent, 0700); !ok) return ok;
        auto got = fetch_input(lane, task.id, input, path);
        if (!got) {
            return fail(got.error().code,
                        "input " + input.name + " cannot be had: " + got.error().message,
                        got.error().field);
        }
        ::chmod(path.c_str(), kReadOnly);
    }
    return {};
}

Result<void> Uploader::fetch_input(Lane& lane, const TaskId& task, const ArtifactRef& input,
                                   const std::string& path) {
    if (!input.by_reference) {
        return transfer(lane, [&](Transfer& t) {
            return t.fetch_file({task, 0, input.name, 0}, input.digest, path);
        });
    }
    auto got = copy_reference(input, path);
    if (got) return got;
    Error error = got.error();
    if (error.code == ErrorCode::DIGEST_MISMATCH) error.field = kDrifted;
    // Another worker's machine may have the file: a failed attempt, no fault of this one.
    if (error.code == ErrorCode::IO) error.code = ErrorCode::NOT_FOUND;
    return Failure(error);
}

/// The newest of each name. One that cannot be had costs the work it stood for, not the task.
Result<void> Uploader::fetch_checkpoints(Lane& lane, const PrepareJob& job) {
    std::map<std::string, CheckpointRef> newest;
    for (const CheckpointRef& saved : job.assign.checkpoints) {
        if (validate(saved.ref, saved.ref.name)) newest[saved.ref.name] = saved;
    }
    for (const auto& [name, saved] : newest) {
        const std::string path = job.workspace.checkpoint_file(name);
        const Digest& digest = saved.ref.digest;
        const auto parent = std::filesystem::path(path).parent_path().string();
        if (auto ok = make_folders(parent, 0700); !ok) return ok;
        const ContentPlace place{job.assign.task.id, saved.attempt, name, saved.number};
        auto got = transfer(lane, [&](Transfer& t) { return t.fetch_file(place, digest, path); });
        if (is_abandoned(lane)) return fail(ErrorCode::SHUTTING_DOWN, "abandoned");
        if (!got) {
            log_warn("a checkpoint cannot be had", {{"task", job.assign.task.id.text},
                                                    {"checkpoint", name},
                                                    {"reason", got.error().message}});
            continue;
        }
        ::chmod(path.c_str(), 0600);
    }
    return {};
}

News Uploader::conclude(Lane& lane, const ConcludeJob& job) {
    const LeaseToken lease = job.held.lease;
    scrub_workspace(job.secrets, job.workspace);
    Evidence evidence = gather_evidence(job.workspace, job.expected, job.end);
    if (!job.secrets.empty()) {
        // The patch, and a result that was read from what it printed.
        scrub_folder(job.secrets, job.workspace.out_folder());
        std::erase_if(evidence.collected.files, [&](const FoundFile& file) {
            return !value_in(job.secrets, file.name).empty();
        });
    }
    const EndFacts& facts = evidence.facts;
    if (!facts.notes.empty()) {
        log_warn("something was left out", {{"task", job.held.task.text}, {"what", facts.notes}});
    }
    wire::Body body = report_of(job.held, options_.worker, facts);
    report_part(body).command = options_.command;
    hide(job.secrets, body);
    auto added = add_artifacts(lane, job, evidence.collected.files, report_part(body));
    if (is_abandoned(lane)) return Abandoned{lease};
    if (!added && is_not_ours(added.error().code)) return Disowned{lease};
    // A success whose evidence is not whole is none.
    const auto& whole = added ? evidence.added : added;
    if (!whole && std::holds_alternative<wire::Complete>(body)) {
        wire::Fail unstored;
        unstored.report = std::move(report_part(body));
        unstored.reason = bounded_text(whole.error().message, limits::kReasonBytes);
        body = std::move(unstored);
    }
    if (!write_outbox(lane, lease, body)) return Abandoned{lease};
    return Concluded{lease, std::move(body)};
}

Result<void> Uploader::add_artifacts(Lane& lane, const ConcludeJob& job,
                                     const std::vector<FoundFile>& files, wire::Report& report) {
    std::set<Digest> stored;
    std::size_t inline_bytes = 0;
    Result<void> first_error;
    for (const FoundFile& file : files) {
        auto artifact = store(lane, job, file, stored, inline_bytes);
        if (artifact) {
            report.artifacts.push_back(std::move(*artifact));
            continue;
        }
        const Error& error = artifact.error();
        Failure failure = fail(error.code, file.name + " could not be stored: " + error.message);
        if (is_abandoned(lane) || is_not_ours(error.code)) return failure;
        log_warn(
            "an artifact could not be stored",
            {{"task", job.held.task.text}, {"artifact", file.name}, {"reason", error.message}});
        if (first_error) first_error = failure;
    }
    return first_error;
}

Result<wire::ReportArtifact> Uploader::store(Lane& lane, const ConcludeJob& job,
                                             const FoundFile& file, std::set<Digest>& stored,
                                             std::size_t& inline_bytes) {
    wire::ReportArtifact artifact;
    artifact.ref.name = file.name;
    artifact.ref.media = file.media;
    if (file.size <= limits::kInlineBytes &&
        inline_bytes + file.size <= limits::kInlineTotalBytes) {
        auto content = read_file(file.path, limits::kInlineBytes);
        if (!content) return local(content.error());
        inline_bytes += content->size();
        artifact.ref.digest = sha256(*content);
        artifact.ref.size = content->size();
        artifact.data = Bytes{std::move(*content)};
        return artifact;
    }
    for (int tries = 1;; ++tries) {
        auto hashed = sha256_file(file.path);
        if (!hashed) return local(hashed.error());
        artifact.ref.digest = hashed->digest;
        artifact.ref.size = hashed->size;
        if (stored.contains(hashed->digest)) return artifact;
        auto put = transfer(lane, [&](Transfer& t) {
            return t.put_file({hashed->digest, hashed->size, job.held.task, job.held.lease},
                              file.path);
        });
        if (put) {
            stored.insert(hashed->digest);
            return artifact;
        }
        if (put.error().code != ErrorCode::DIGEST_MISMATCH || tries == kHashTries) {
            return Failure(put.error());
        }
    }
}

}  // namespace zq::worker
