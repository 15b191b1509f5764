// The conversation about live logs (protocol.md, LOG and READ_LOG): takes pieces from the holder of
// a lease, and gives them to whoever reads on, at once or when there are more. Used by the
// artifacts thread alone.
#pragma once

#include <map>
#include <vector>

#include "coordinator/edge/peers.h"
#include "coordinator/log_book.h"
#include "coordinator/store/reader.h"

namespace zq::coordinator {

/// What is to be said to a reader that waited.
struct LogAnswer {
    edge::Route route;
    wire::LogPage page;
};

class LogDesk {
  public:
    explicit LogDesk(store::Reader& reader, LogBounds bounds = {})
        : reader_(reader), book_(bounds) {}

    /// Errors: NOT_FOUND, STALE_LEASE (the attempt is over, or another identity's), IO.
    Result<wire::Logged> write(const Identity& identity, wire::Log log);
    /// The answer, or nothing: then it comes out of `answers`. `now` as in `answers`. Errors:
    /// NOT_FOUND, BUSY (too many wait), IO.
    Result<std::optional<wire::LogPage>> read(edge::Route route, const wire::ReadLog& query,
                                              Millis now);
    /// Answers of readers that have something to read by now, or whose wait is over at `now`, a
    /// time of a clock that never steps.
    std::vector<LogAnswer> answers(Millis now);
    /// When `answers` is due though nothing is written.
    std::optional<Millis> next_deadline() const;

  private:
    struct Waiting {
        edge::Route route;
        wire::ReadLog query;
        Millis until;
    };
    /// Who may write a log: found once, since an attempt's lease never changes.
    struct Writer {
        Identity identity;
        LeaseToken lease;
        friend bool operator==(const Writer&, const Writer&) = default;
    };
    struct Source {
        LogKey key;
        bool running = false;
    };
    Result<Source> source_of(const TaskId& task, std::uint32_t attempt);
    Result<void> check_writer(const LogKey& key, const Writer& writer);
    wire::LogPage page_of(const LogKey& key, const wire::ReadLog& query) const;
    void answer(const LogKey& key, Waiting& reader);

    store::Reader& reader_;
    LogBook book_;
    std::map<LogKey, Writer> writers_;
    std::multimap<LogKey, Waiting> waiting_;
    std::vector<LogAnswer> ready_;
};

}  // namespace zq::coordinator
