#include "worker/live/live_log.h"

#include <algorithm>

namespace zq::worker {
namespace {

std::size_t size_of(const wire::LogPiece& piece) {
    return sizeof piece + piece.data.data.size();
}

}  // namespace

/// A piece that nobody has seen takes more of its own stream.
void LiveLog::add_to_last(LogStream stream, std::string_view& bytes) {
    Pieces& pieces = tail_.empty() ? head_ : tail_;
    if (pieces.empty()) return;
    wire::LogPiece& last = pieces.back();
    if (last.seq <= shown_ || last.stream != stream) return;
    const std::string_view part = bytes.substr(0, limits::kLogPieceBytes - last.data.data.size());
    last.data.data += part;
    bytes_ += part.size();
    if (tail_.empty()) head_bytes_ += part.size();
    offsets_.at(static_cast<std::size_t>(stream)) += part.size();
    bytes.remove_prefix(part.size());
}

void LiveLog::add_piece(LogStream stream, std::string_view bytes) {
    std::uint64_t& offset = offsets_.at(static_cast<std::size_t>(stream));
    wire::LogPiece piece;
    piece.seq = ++last_seq_;
    piece.stream = stream;
    piece.offset = offset;
    piece.data.data = bytes;
    offset += bytes.size();
    const std::size_t size = size_of(piece);
    bytes_ += size;
    if (tail_.empty() && head_bytes_ + size <= most_bytes_ / 4) {
        head_bytes_ += size;
        head_.push_back(std::move(piece));
    } else {
        tail_.push_back(std::move(piece));
    }
}

void LiveLog::put(LogStream stream, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    add_to_last(stream, bytes);
    while (!bytes.empty()) {
        const std::string_view part = bytes.substr(0, limits::kLogPieceBytes);
        add_piece(stream, part);
        bytes.remove_prefix(part.size());
    }
    while (bytes_ > most_bytes_ && tail_.size() > 1) drop_first(tail_);
}

LiveLog::Batch LiveLog::oldest(std::size_t most_bytes) {
    const std::lock_guard lock(mutex_);
    Batch batch;
    std::size_t bytes = 0;
    for (const Pieces* pieces : {&head_, &tail_}) {
        for (const wire::LogPiece& piece : *pieces) {
            if (bytes >= most_bytes || batch.pieces.size() >= limits::kLogPieces) return batch;
            bytes += piece.data.data.size();
            batch.pieces.push_back(piece);
            shown_ = std::max(shown_, piece.seq);
        }
    }
    batch.is_all = true;
    return batch;
}

void LiveLog::acknowledge(std::uint64_t next) {
    const std::lock_guard lock(mutex_);
    for (Pieces* pieces : {&head_, &tail_}) {
        while (!pieces->empty() && pieces->front().seq < next) drop_first(*pieces);
    }
}

void LiveLog::drop_first(Pieces& pieces) {
    bytes_ -= size_of(pieces.front());
    pieces.pop_front();
}

}  // namespace zq::worker
