#include "worker/executor/log_pump.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace zq::worker {
namespace {

constexpr int kPipeBytes = 1024 * 1024;  // fewer switches between writer and reader
constexpr std::size_t kReadBytes = 256 * 1024;
/// A writer that escaped every sweep may write for ever: after the end no more than this is read.
constexpr int kReadsAfterEnd = 16;

void signal_event(const FileHandle& event) {
    const std::uint64_t one = 1;
    (void)!::write(event.fd(), &one, sizeof one);
}

}  // namespace

Result<LogPump::Started> LogPump::start(LogSinks sinks) {
    auto out_log = CappedLog::open(sinks.stdout_file, sinks.cap);
    if (!out_log) return Failure(out_log.error());
    auto err_log = CappedLog::open(sinks.stderr_file, sinks.cap);
    if (!err_log) return Failure(err_log.error());
    std::array<std::array<int, 2>, 2> ends{{{-1, -1}, {-1, -1}}};
    for (auto& pair : ends) {
        if (::pipe2(pair.data(), O_CLOEXEC) != 0) {
            for (int fd : ends[0]) (void)FileHandle(fd);
            return fail(ErrorCode::IO, std::string("cannot make a pipe: ") + std::strerror(errno));
        }
        (void)::fcntl(pair[0], F_SETFL, O_NONBLOCK);
        (void)::fcntl(pair[0], F_SETPIPE_SZ, kPipeBytes);
    }
    Started started;
    started.pipes = {FileHandle(ends[0][1]), FileHandle(ends[1][1])};
    try {
        Stream out{LogStream::kStdout, FileHandle(ends[0][0]), std::move(*out_log),
                   Redactor(sinks.secrets)};
        Stream err{LogStream::kStderr, FileHandle(ends[1][0]), std::move(*err_log),
                   Redactor(sinks.secrets)};
        started.pump.reset(
            new LogPump(std::move(out), std::move(err), sinks.live, std::move(sinks.reader)));
    } catch (const std::system_error& error) {
        return fail(ErrorCode::IO, std::string("cannot start a thread: ") + error.what());
    }
    return started;
}

LogPump::LogPump(Stream out, Stream err, LiveLog* live, std::unique_ptr<AgentReader> reader)
    : out_(std::move(out)),
      err_(std::move(err)),
      live_(live),
      reader_(std::move(reader)),
      ask_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      done_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      buffer_(kReadBytes, '\0'),
      thread_([this] { run(); }) {}

LogPump::~LogPump() {
    finish();
    thread_.join();
}

void LogPump::finish() {
    signal_event(ask_);
}

std::optional<AgentRecord> LogPump::agent() const {
    if (!reader_) return std::nullopt;
    return reader_->record();
}

void LogPump::run() {
    bool asked = false;
    while (!asked && (out_.pipe.is_open() || err_.pipe.is_open())) {
        // A closed stream has the descriptor -1, which poll passes over.
        std::array<pollfd, 3> items{
            {{out_.pipe.fd(), POLLIN, 0}, {err_.pipe.fd(), POLLIN, 0}, {ask_.fd(), POLLIN, 0}}};
        if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) break;
        if (items[0].revents != 0) read_some(out_);
        if (items[1].revents != 0) read_some(err_);
        asked = items[2].revents != 0;
    }
    drain(out_);
    drain(err_);
    if (reader_) reader_->end();
    out_.log.finish();
    err_.log.finish();
    finished_.store(true, std::memory_order_release);
    signal_event(done_);
}

bool LogPump::read_some(Stream& stream) {
    if (!stream.pipe.is_open()) return false;
    const ssize_t got = ::read(stream.pipe.fd(), buffer_.data(), buffer_.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0) {
        stream.pipe = FileHandle();
        return false;
    }
    bytes_.fetch_add(static_cast<std::uint64_t>(got), std::memory_order_relaxed);
    pass_on(stream, stream.redactor.take({buffer_.data(), static_cast<std::size_t>(got)}));
    return true;
}

void LogPump::pass_on(Stream& stream, std::string_view text) {
    if (text.empty()) return;
    stream.log.write(text);
    if (live_ != nullptr) live_->put(stream.name, text);
    if (reader_ && &stream == &out_) {
        reader_->take(text);
        closing_record_.store(reader_->record().closed, std::memory_order_relaxed);
    }
}

void LogPump::drain(Stream& stream) {
    for (int i = 0; i < kReadsAfterEnd && read_some(stream); ++i) {
    }
    pass_on(stream, stream.redactor.finish());
    stream.pipe = FileHandle();
}

}  // namespace zq::worker
