// What one command has printed and the coordinator has not acknowledged, in pieces. Bounded: where
// it is printed faster than it is sent, its head stays, the middle goes, and the next piece's
// offset tells how much went by. Written by the command's pump, which never waits for the sender;
// read by the sender's thread.
#pragma once

#include <array>
#include <deque>
#include <mutex>
#include <string_view>
#include <vector>

#include "common/wire/log_messages.h"

namespace zq::worker {

class LiveLog {
  public:
    /// A quarter of `most_bytes` is for the head.
    explicit LiveLog(std::size_t most_bytes = 256 * 1024) : most_bytes_(most_bytes) {}

    void put(LogStream stream, std::string_view bytes);

    struct Batch {
        std::vector<wire::LogPiece> pieces;
        bool is_all = false;  // nothing waits but these
    };
    /// The oldest pieces, about `most_bytes` of them; they stay until they are acknowledged.
    Batch oldest(std::size_t most_bytes);
    /// Pieces before `next` have arrived.
    void acknowledge(std::uint64_t next);

  private:
    using Pieces = std::deque<wire::LogPiece>;
    void add_to_last(LogStream stream, std::string_view& bytes);
    void add_piece(LogStream stream, std::string_view bytes);
    void drop_first(Pieces& pieces);

    const std::size_t most_bytes_;
    mutable std::mutex mutex_;
    Pieces head_;
    Pieces tail_;
    std::size_t bytes_ = 0;       // of all pieces, with their bookkeeping
    std::size_t head_bytes_ = 0;  // ever put into the head
    std::uint64_t last_seq_ = 0;
    std::uint64_t shown_ = 0;  // seq of the last piece that was given out: it grows no more
    std::array<std::uint64_t, 2> offsets_{};
};

}  // namespace zq::worker
