// The two long jobs of an attempt: what happens before its command runs, and after.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/platform/digest.h"
#include "common/platform/log.h"
#include "worker/ending.h"
#include "worker/uploader.h"
#include "worker/workspace/briefing.h"
#include "worker/workspace/collect.h"
#include "worker/workspace/git_worktree.h"

namespace zq::worker {
namespace {

constexpr int kHashTries = 3;
constexpr std::size_t kLastWords = 300;
constexpr mode_t kReadOnly = 0400;

/// The last line that a command wrote to stderr, for a reason that people read.
std::string last_words(const std::string& path) {
    // The command may have put anything in its place: a link, a pipe that nobody writes to.
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (!file.is_open() || ::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    const off_t take = std::min<off_t>(info.st_size, 4096);
    std::string text(static_cast<std::size_t>(take), '\0');
    const ssize_t got = ::pread(file.fd(), text.data(), text.size(), info.st_size - take);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
        text.pop_back();
    }
    if (const auto line = text.rfind('\n'); line != std::string::npos) text = text.substr(line + 1);
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    if (text.size() > kLastWords) text = text.substr(text.size() - kLastWords);
    return bounded_text(std::move(text), kLastWords);
}

std::string joined(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    std::string text;
    for (const auto* list : {&a, &b}) {
        for (const std::string& note : *list) text += (text.empty() ? "" : "; ") + note;
    }
    return text;
}

bool is_not_ours(ErrorCode code) {
    return code == ErrorCode::STALE_LEASE || code == ErrorCode::NOT_FOUND ||
           code == ErrorCode::CONFLICT || code == ErrorCode::DENIED;
}

/// A file that is gone here is this machine's trouble, not the coordinator's NOT_FOUND.
Failure local(const Error& error) {
    return fail(ErrorCode::IO, error.message);
}

Result<void> write_briefing(const PrepareJob& job) {
    const Workspace& w = job.workspace;
    auto ok = write_file(w.task_file(), task_json(job.assign), 0600, Durability::kNone);
    if (!ok) return ok;
    return write_file(w.prompt_file(), prompt_text(job.assign, w), 0600, Durability::kNone);
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
    if (auto ok = fetch_inputs(lane, job); !ok) {
        if (is_abandoned(lane)) return Abandoned{lease};
        if (ok.error().code == ErrorCode::IO) return Prepared{lease, ok.error().message, {}};
        return Prepared{lease, {}, ok.error().message};
    }
    if (auto ok = write_briefing(job); !ok) return Prepared{lease, ok.error().message, {}};
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
        auto got = transfer(lane, [&](Transfer& t) {
            return t.fetch_file(task.id, 0, input.name, input.digest, path);
        });
        if (!got) {
            return fail(got.error().code,
                        "input " + input.name + " cannot be had: " + got.error().message);
        }
        ::chmod(path.c_str(), kReadOnly);
    }
    return {};
}

News Uploader::conclude(Lane& lane, const ConcludeJob& job) {
    const LeaseToken lease = job.held.lease;
    EndFacts facts;
    facts.end = job.end;
    facts.output = read_output(job.workspace.output_file());
    if (job.end.handled) {
        for (const auto& [key, value] : job.end.handled->output) facts.output.values[key] = value;
    }
    const auto patch = write_patch(job.workspace);
    const Collected collected = collect(job.workspace, job.expected, job.end.stdout_dropped);
    facts.unmet = unmet_expectation(job.expected, collected, facts.output);
    facts.last_words = last_words(job.workspace.stderr_file());
    facts.notes = joined(collected.notes, facts.output.notes);
    if (!facts.notes.empty()) {
        log_warn("something was left out", {{"task", job.held.task.text}, {"what", facts.notes}});
    }
    wire::Body body = report_of(job.held, options_.worker, facts);
    auto added = add_artifacts(lane, job, collected.files, report_part(body));
    if (is_abandoned(lane)) return Abandoned{lease};
    if (!added && is_not_ours(added.error().code)) return Disowned{lease};
    // A success whose evidence is not whole is none.
    const auto& evidence = added ? patch : added;
    if (!evidence && std::holds_alternative<wire::Complete>(body)) {
        wire::Fail unstored;
        unstored.report = std::move(report_part(body));
        unstored.reason = bounded_text(evidence.error().message, limits::kReasonBytes);
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
