// Reads what a task's attempts printed: from the coordinator's memory, piece by piece, while it has
// all of it, and from the artifacts stdout.log and stderr.log where it has not. What is shown is
// the same; where bytes are missing, the printer says so.
#pragma once

#include <memory>
#include <vector>

#include "cli/log_printer.h"
#include "cli/session.h"

namespace zq::cli {

struct LogQuery {
    std::string task;           // id, or a unique prefix
    std::uint32_t attempt = 0;  // 0: the last one, and with `follow` those after it
    std::uint64_t after = 0;    // seq of the last piece that was seen
    bool follow = false;
};

class LogReader {
  public:
    LogReader(Session& session, LogPrinter printer, LogQuery query)
        : session_(session), printer_(std::move(printer)), query_(std::move(query)) {}

    /// Shows it. With `follow`, returns when the attempt, or the task, has ended.
    Expected<void> read();

  private:
    Expected<wire::TaskReply> await_attempt(std::uint32_t number);
    Expected<wire::TaskReply> await_end(std::uint32_t number);
    Expected<void> await_change(const wire::TaskReply& task);
    Expected<void> read_attempt(const wire::TaskReply& task, std::uint32_t number);
    Expected<void> read_running(const TaskId& task, std::uint32_t number);
    Expected<void> read_ended(const TaskId& task, const wire::AttemptRow& attempt);
    Expected<void> read_artifacts(const TaskId& task, const wire::AttemptRow& attempt);
    Expected<void> read_artifact(const TaskId& task, std::uint32_t attempt, LogStream stream,
                                 const ArtifactRef& artifact);
    Expected<wire::LogPage> next_page(const TaskId& task, std::uint32_t number, Millis wait);
    void show(const wire::LogPiece& piece);

    Session& session_;
    std::unique_ptr<Session> artifacts_;
    LogPrinter printer_;
    LogQuery query_;  // `after` moves on with what was shown
    std::uint64_t events_after_ = 0;
};

}  // namespace zq::cli
