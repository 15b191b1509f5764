// The job log of a batch: which lines of the file were acknowledged, and as which tasks. A run that
// finds one goes on after it. Its first line names the run that began it, so that a line's task has
// the same id however often it is sent.
//
//     {"job_log":"zq/job-log/v1","run":"00112233445566778899aabbccddeeff","at":"2026-…Z"}
//     {"line":1,"digest":"0123456789abcdef","id":"t-…","state":"queued"}
//     {"line":2,"error":{"code":"CONFLICT","message":"…","field":"task_id"}}
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "common/base/ids.h"
#include "common/base/time.h"
#include "common/platform/files.h"
#include "common/wire/batch_messages.h"

namespace zq::cli {

/// What the ids of one run are made of.
struct BatchRun {
    std::string name;  // 32 hex digits
    Instant at;

    static BatchRun make();
    /// The id of the task on a line that names none: the same in every run of the job log. Sorts by
    /// time, then by line.
    TaskId id_of(std::uint64_t line) const;
};

/// What a line says, for a later run to compare: of SHA-256, never 0.
std::uint64_t line_digest(const std::string& text);

class JobLog {
  public:
    /// Takes up the job log, or begins one with `fresh`, on disk before it returns. Errors: usage
    /// (a file that is no job log), CONFLICT (another process has it), IO.
    static Expected<std::unique_ptr<JobLog>> open(const std::string& path, const BatchRun& fresh);

    const BatchRun& run() const { return run_; }
    /// Digest of a line that was acknowledged; 0: it was not.
    std::uint64_t acknowledged(std::uint64_t line) const;

    void note(std::uint64_t line, std::uint64_t digest, const wire::BatchItem& item);
    void note_refused(std::uint64_t line, const Error& error);
    /// Writes what was noted. Errors: IO.
    Expected<void> flush();

  private:
    JobLog() = default;
    Expected<void> read(const std::string& path);
    Expected<void> take(const std::string& text, std::uint64_t number, const std::string& path);

    FileHandle file_;
    BatchRun run_;
    std::vector<std::uint64_t> digests_;  // by line
    std::string unwritten_;
};

}  // namespace zq::cli
