// What the attempts of late have printed, in memory: what `zq logs -f` reads. Bounded for one
// attempt, where the head stays and the tail moves on, and in all, where the attempt that was
// silent longest goes first. Knows nothing of rights and time. The artifacts thread uses it.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <vector>

#include "common/wire/log_messages.h"

namespace zq::coordinator {

struct LogBounds {
    std::size_t attempt_bytes = limits::kLogKeptBytes;  // an eighth of them for the head
    std::size_t bytes = limits::kLogsKeptBytes;
};

/// Whose log it is: a lease is one attempt's for good. Its number tells apart what different tasks
/// of one id, one after the other, have printed.
struct LogKey {
    TaskId task;
    std::uint32_t attempt = 0;
    std::uint64_t lease = 0;
    friend auto operator<=>(const LogKey&, const LogKey&) = default;
};

class LogBook {
  public:
    explicit LogBook(LogBounds bounds = {}) : bounds_(bounds) {}

    /// Keeps what is newer than what is here; with `last`, nothing follows. Gives the seq that is
    /// wanted next.
    std::uint64_t write(const LogKey& key, std::vector<wire::LogPiece> pieces, bool last);
    struct Found {
        std::vector<wire::LogPiece> pieces;
        bool complete = false;  // nothing follows them
    };
    /// Pieces after `after`, in order, at least one and about `bytes` of them at most.
    Found read(const LogKey& key, std::uint64_t after, std::size_t bytes) const;
    bool contains(const LogKey& key) const { return logs_.contains(key); }
    std::size_t bytes() const { return bytes_; }

  private:
    using Pieces = std::deque<wire::LogPiece>;
    struct Entry {
        Pieces head;
        Pieces tail;
        std::size_t head_bytes = 0;
        std::size_t bytes = 0;
        std::uint64_t next = 1;
        bool complete = false;
        std::list<LogKey>::iterator turn;
    };
    Entry& entry_of(const LogKey& key);
    void add(Entry& entry, wire::LogPiece piece);
    void shrink();

    LogBounds bounds_;
    std::map<LogKey, Entry> logs_;
    std::list<LogKey> turns_;  // the one written last stands last
    std::size_t bytes_ = 0;
};

}  // namespace zq::coordinator
