// What a running command prints, as it prints it (protocol.md, LOG): from its worker to the
// coordinator, and on to whoever follows. On the artifacts socket, so that no log delays a
// heartbeat. Kept in memory and bounded; the whole log is an artifact of the attempt once it ends.
#pragma once

#include "common/base/report_words.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// A piece of one stream. `seq` counts the pieces of an attempt, from 1, over both streams; where
/// one is missing, `offset` tells how much of its stream went by.
struct LogPiece {
    std::uint64_t seq = 0;
    LogStream stream = LogStream::kStdout;
    std::uint64_t offset = 0;  // in its stream, of the first byte
    Bytes data;                // 1 to kLogPieceBytes
    friend bool operator==(const LogPiece&, const LogPiece&) = default;
};
template <class V, Of<LogPiece> T>
void describe(V& v, T& m) {
    v("seq", m.seq);
    v("stream", m.stream);
    v("offset", m.offset);
    v("data", m.data);
}

/// From the holder of a lease: what was printed since the last LOG. Answered by LOGGED.
struct Log {
    static constexpr std::string_view kType = "LOG";
    TaskId task;
    std::uint32_t attempt = 0;
    LeaseToken lease;
    std::vector<LogPiece> pieces;  // by seq, growing
    bool last = false;             // the command has ended: nothing is printed after these
    friend bool operator==(const Log&, const Log&) = default;
};
template <class V, Of<Log> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("attempt", m.attempt);
    v("lease", m.lease);
    v.optional("pieces", m.pieces);
    v.optional("last", m.last);
}

/// Everything before `next` is here, or has gone by.
struct Logged {
    static constexpr std::string_view kType = "LOGGED";
    std::uint64_t next = 1;
    friend bool operator==(const Logged&, const Logged&) = default;
};
template <class V, Of<Logged> T>
void describe(V& v, T& m) {
    v("next", m.next);
}

/// A long poll: pieces after `after` of an attempt.
struct ReadLog {
    static constexpr std::string_view kType = "READ_LOG";
    TaskId task;
    std::uint32_t attempt = 0;
    std::uint64_t after = 0;  // seq of the last piece that was seen
    Millis wait{};
    friend bool operator==(const ReadLog&, const ReadLog&) = default;
};
template <class V, Of<ReadLog> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("attempt", m.attempt);
    v.optional("after", m.after);
    v.optional("wait_ms", m.wait);
}

struct LogPage {
    static constexpr std::string_view kType = "LOG_PAGE";
    std::vector<LogPiece> pieces;
    bool open = false;      // the attempt runs
    bool complete = false;  // nothing comes after these
    friend bool operator==(const LogPage&, const LogPage&) = default;
};
template <class V, Of<LogPage> T>
void describe(V& v, T& m) {
    v.optional("pieces", m.pieces);
    v.optional("open", m.open);
    v.optional("complete", m.complete);
}

}  // namespace zq::wire
