// Carries what a command writes from two pipes into two capped logs, on a thread of its own: a
// command that writes without end slows neither heartbeats nor fills memory or disk. The loop's
// thread makes it, reads its counts, and ends it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "worker/agent/agent.h"
#include "worker/executor/capped_log.h"
#include "worker/executor/redactor.h"
#include "worker/live/live_log.h"

namespace zq::worker {

/// The write ends, for the command: closed by the parent once it has been started.
struct LogPipes {
    FileHandle out;
    FileHandle err;
};

/// Where it goes.
struct LogSinks {
    std::string stdout_file;
    std::string stderr_file;
    std::uint64_t cap = 0;                     // of each file
    std::vector<SecretValue> secrets;          // taken out, with what looks like one
    LiveLog* live = nullptr;                   // outlives the pump; null: nobody follows
    std::unique_ptr<AgentReader> reader = {};  // is given all of stdout; null: nobody reads it
};

class LogPump {
  public:
    struct Started {
        std::unique_ptr<LogPump> pump;
        LogPipes pipes;
    };
    /// Errors: IO, STORAGE_FULL.
    static Result<Started> start(LogSinks sinks);
    /// Ends the thread; what still stands in the pipes is read first.
    ~LogPump();
    LogPump(const LogPump&) = delete;
    LogPump& operator=(const LogPump&) = delete;

    /// Bytes read so far, of both.
    std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    /// True once the reader has read the record that ends a run.
    bool closing_record() const { return closing_record_.load(std::memory_order_relaxed); }
    /// Every writer is dead: read what still stands there, and do not wait for more.
    void finish();
    /// The logs are complete. It ends by itself when nobody can write any more.
    bool finished() const { return finished_.load(std::memory_order_acquire); }
    /// Readable from then on.
    int done_fd() const { return done_.fd(); }
    /// What the caps cost. Once it is finished.
    std::uint64_t stdout_dropped() const { return out_.log.dropped(); }
    std::uint64_t stderr_dropped() const { return err_.log.dropped(); }
    /// What the reader has read; unset: there is none. Once it is finished.
    std::optional<AgentRecord> agent() const;

  private:
    struct Stream {
        LogStream name;
        FileHandle pipe;
        CappedLog log;
        Redactor redactor;
    };
    LogPump(Stream out, Stream err, LiveLog* live, std::unique_ptr<AgentReader> reader);
    void run();
    /// Reads once; false when there is nothing now.
    bool read_some(Stream& stream);
    void pass_on(Stream& stream, std::string_view text);
    void drain(Stream& stream);

    Stream out_;  // the thread's until it is finished
    Stream err_;
    LiveLog* live_;
    std::unique_ptr<AgentReader> reader_;  // the thread's too
    FileHandle ask_;
    FileHandle done_;
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<bool> closing_record_{false};
    std::atomic<bool> finished_{false};
    std::string buffer_;
    std::thread thread_;
};

}  // namespace zq::worker
