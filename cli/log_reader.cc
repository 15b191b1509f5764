#include "cli/log_reader.h"

#include <algorithm>

#include "cli/output.h"
#include "common/base/drop_mark.h"

namespace zq::cli {
namespace {

/// An attempt that is lost tells no end, so the wait is short.
constexpr Millis kWait = seconds(5);

/// Live logs are read on the artifacts socket.
Expected<std::unique_ptr<Session>> open_artifacts(Session& session) {
    auto endpoint = session.artifacts_endpoint();
    if (!endpoint) return tl::unexpected(endpoint.error());
    if (endpoint->empty()) {
        return problem(ErrorCode::UNREACHABLE, "the coordinator names no artifacts socket");
    }
    Profile profile = session.profile();
    profile.endpoints = {*endpoint};
    return Session::open(ClientOptions{std::move(profile)});
}

const wire::AttemptRow* attempt_of(const wire::TaskReply& task, std::uint32_t number) {
    for (const wire::AttemptRow& attempt : task.attempts) {
        if (attempt.attempt == number) return &attempt;
    }
    return nullptr;
}

std::string name_of_log(LogStream stream) {
    return std::string(to_string(stream)) + ".log";
}

bool has_logs(const wire::AttemptRow& attempt) {
    return std::any_of(attempt.artifacts.begin(), attempt.artifacts.end(), [](const auto& ref) {
        return ref.name == name_of_log(LogStream::kStdout) ||
               ref.name == name_of_log(LogStream::kStderr);
    });
}

/// The bytes of a capped log at their places in the stream: what its mark stands for is left out.
class UncappedLog {
  public:
    UncappedLog(LogPrinter& printer, LogStream stream, std::uint64_t size)
        : printer_(printer), stream_(stream), size_(size) {}

    void take(std::string_view bytes) {
        held_ += bytes;
        std::size_t from = 0;
        while (auto mark = find_drop_mark(held_, from)) {
            from = mark->begin + 1;
            const std::size_t length = mark->end - mark->begin;
            if (!is_place_of_mark(position_ + mark->begin, length, size_)) continue;
            show(mark->begin);
            held_.erase(0, length);
            position_ += length;
            offset_ += mark->dropped;
            from = 0;
        }
        // Its end may be the beginning of a mark.
        if (held_.size() > kDropMarkBytes) show(held_.size() - kDropMarkBytes);
    }
    void finish() { show(held_.size()); }

  private:
    void show(std::size_t count) {
        printer_.take(stream_, offset_, std::string_view(held_).substr(0, count), 0);
        held_.erase(0, count);
        position_ += count;
        offset_ += count;
    }

    LogPrinter& printer_;
    LogStream stream_;
    std::uint64_t size_;
    std::uint64_t position_ = 0;  // in the file, of what is held
    std::uint64_t offset_ = 0;    // in the stream
    std::string held_;
};

}  // namespace

Expected<void> LogReader::read() {
    const bool all = query_.attempt == 0;
    auto task = await_attempt(std::max(query_.attempt, 1U));
    if (!task) return tl::unexpected(task.error());
    query_.task = task->row.id.text;
    std::uint32_t number = all ? task->row.attempts : query_.attempt;
    while (true) {
        if (auto ok = read_attempt(*task, number); !ok) return ok;
        printer_.flush();
        if (!all || !query_.follow) return {};
        task = await_attempt(number + 1);
        if (!task) return tl::unexpected(task.error());
        if (task->row.attempts == number) return {};
        number = task->row.attempts;
        query_.after = 0;
        note("[zq: attempt " + std::to_string(number) + "]");
    }
}

/// Returns when the task has changed since `task`, or after a while.
Expected<void> LogReader::await_change(const wire::TaskReply& task) {
    const wire::Events query{std::max(events_after_, task.row.changed_seq), 100, kPollSlice,
                             task.row.id};
    auto events = session_.call<wire::EventRows>(query, kPollSlice);
    if (!events) return tl::unexpected(events.error());
    events_after_ = std::max(events_after_, events->last);
    return {};
}

/// The task once its attempt `number` has begun, or, of a later one, the task has ended without it.
Expected<wire::TaskReply> LogReader::await_attempt(std::uint32_t number) {
    while (true) {
        auto task = get_task(session_, query_.task);
        if (!task || task->row.attempts >= number) return task;
        const bool ended = is_final(task->row.state);
        if (ended && number > 1 && query_.attempt == 0) return task;
        if (ended || !query_.follow) {
            const std::string id = task->row.id.text;
            return problem(ErrorCode::NOT_FOUND,
                           task->row.attempts == 0
                               ? "nothing of " + id + " has run: it is " +
                                     std::string(to_string(task->row.state))
                               : id + " has " + std::to_string(task->row.attempts) + " attempts",
                           ended ? "zq show " + id + " tells how it ended" : "-f waits for it");
        }
        if (auto ok = await_change(*task); !ok) return tl::unexpected(ok.error());
    }
}

/// The task once its attempt `number` has ended.
Expected<wire::TaskReply> LogReader::await_end(std::uint32_t number) {
    while (true) {
        auto task = get_task(session_, query_.task);
        if (!task) return task;
        const wire::AttemptRow* attempt = attempt_of(*task, number);
        if (attempt == nullptr || attempt->outcome != "running") return task;
        if (auto ok = await_change(*task); !ok) return tl::unexpected(ok.error());
    }
}

Expected<void> LogReader::read_attempt(const wire::TaskReply& task, std::uint32_t number) {
    const wire::AttemptRow* attempt = attempt_of(task, number);
    if (attempt == nullptr) {
        return problem(ErrorCode::NOT_FOUND, "attempt " + std::to_string(number) + " is not kept");
    }
    printer_.begin(task.row.id, number, query_.after > 0);
    if (attempt->outcome == "running") return read_running(task.row.id, number);
    return read_ended(task.row.id, *attempt);
}

Expected<void> LogReader::read_running(const TaskId& task, std::uint32_t number) {
    Millis wait{};  // first what is there
    while (true) {
        auto page = next_page(task, number, wait);
        if (!page) return tl::unexpected(page.error());
        for (const wire::LogPiece& piece : page->pieces) show(piece);
        if (page->complete) return {};
        if (!page->pieces.empty()) continue;
        printer_.flush();
        if (!query_.follow) return {};
        if (!page->open) break;
        wait = kWait;
    }
    // What the coordinator's memory did not have to its end, the artifacts have.
    auto ended = await_end(number);
    if (!ended) return tl::unexpected(ended.error());
    const wire::AttemptRow* attempt = attempt_of(*ended, number);
    if (attempt == nullptr) return {};
    return read_artifacts(task, *attempt);
}

/// In the order of printing where the coordinator still has all of it; else stream by stream.
Expected<void> LogReader::read_ended(const TaskId& task, const wire::AttemptRow& attempt) {
    std::vector<wire::LogPiece> pieces;
    const std::uint64_t asked = query_.after;
    bool complete = false;
    while (true) {
        auto page = next_page(task, attempt.attempt, {});
        if (!page) return tl::unexpected(page.error());
        complete = page->complete;
        if (page->pieces.empty()) break;
        query_.after = page->pieces.back().seq;
        pieces.insert(pieces.end(), std::make_move_iterator(page->pieces.begin()),
                      std::make_move_iterator(page->pieces.end()));
        if (complete) break;
    }
    // Pieces that were dropped leave their numbers out.
    const bool whole = complete && query_.after - asked == pieces.size();
    query_.after = asked;
    if (whole || !has_logs(attempt)) {
        for (const wire::LogPiece& piece : pieces) show(piece);
        return {};
    }
    if (asked > 0) {
        note("[zq: where piece " + std::to_string(asked) +
             " was is not known any more: this is all of it]");
        printer_.begin(task, attempt.attempt, false);
    }
    return read_artifacts(task, attempt);
}

void LogReader::show(const wire::LogPiece& piece) {
    printer_.take(piece.stream, piece.offset, piece.data.data, piece.seq);
    query_.after = piece.seq;
}

Expected<wire::LogPage> LogReader::next_page(const TaskId& task, std::uint32_t number,
                                             Millis wait) {
    if (!artifacts_) {
        auto opened = open_artifacts(session_);
        if (!opened) return tl::unexpected(opened.error());
        artifacts_ = std::move(*opened);
    }
    auto page =
        artifacts_->call<wire::LogPage>(wire::ReadLog{task, number, query_.after, wait}, wait);
    if (page || query_.after == 0) return page;
    Problem error = page.error();
    error.hint = "zq logs " + task.text + " --attempt " + std::to_string(number) + " --after " +
                 std::to_string(query_.after) + " -f goes on from here";
    return tl::unexpected(std::move(error));
}

Expected<void> LogReader::read_artifacts(const TaskId& task, const wire::AttemptRow& attempt) {
    for (const LogStream stream : {LogStream::kStdout, LogStream::kStderr}) {
        if (!printer_.shows(stream)) continue;
        for (const ArtifactRef& artifact : attempt.artifacts) {
            if (artifact.name != name_of_log(stream)) continue;
            if (auto ok = read_artifact(task, attempt.attempt, stream, artifact); !ok) return ok;
        }
    }
    return {};
}

Expected<void> LogReader::read_artifact(const TaskId& task, std::uint32_t attempt, LogStream stream,
                                        const ArtifactRef& artifact) {
    auto transfer = session_.transfer();
    if (!transfer) return tl::unexpected(transfer.error());
    UncappedLog log(printer_, stream, artifact.size);
    auto ok = (*transfer)->fetch({task, attempt, artifact.name}, artifact.digest,
                                 [&](std::string_view bytes) {
                                     log.take(bytes);
                                     return Result<void>{};
                                 });
    if (!ok) return problem(ok.error());
    log.finish();
    return {};
}

}  // namespace zq::cli
