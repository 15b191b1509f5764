#include "coordinator/log_book.h"

#include <algorithm>

namespace zq::coordinator {
namespace {

constexpr std::size_t kEntryBytes = 256;  // of an attempt without a piece

std::size_t size_of(const wire::LogPiece& piece) {
    return sizeof piece + piece.data.data.size();
}

}  // namespace

LogBook::Entry& LogBook::entry_of(const LogKey& key) {
    auto [at, fresh] = logs_.try_emplace(key);
    Entry& entry = at->second;
    if (fresh) {
        entry.turn = turns_.insert(turns_.end(), key);
        entry.bytes = kEntryBytes;
        bytes_ += kEntryBytes;
    } else {
        turns_.splice(turns_.end(), turns_, entry.turn);
    }
    return entry;
}

std::uint64_t LogBook::write(const LogKey& key, std::vector<wire::LogPiece> pieces, bool last) {
    Entry& entry = entry_of(key);
    for (wire::LogPiece& piece : pieces) {
        if (piece.seq >= entry.next) add(entry, std::move(piece));  // else said again
    }
    entry.complete = entry.complete || last;
    const std::uint64_t next = entry.next;
    shrink();
    return next;
}

void LogBook::add(Entry& entry, wire::LogPiece piece) {
    const std::size_t bytes = size_of(piece);
    entry.next = piece.seq + 1;
    entry.bytes += bytes;
    bytes_ += bytes;
    if (entry.tail.empty() && entry.head_bytes + bytes <= bounds_.attempt_bytes / 8) {
        entry.head_bytes += bytes;
        entry.head.push_back(std::move(piece));
        return;
    }
    entry.tail.push_back(std::move(piece));
    while (entry.bytes > bounds_.attempt_bytes && entry.tail.size() > 1) {
        const std::size_t gone = size_of(entry.tail.front());
        entry.bytes -= gone;
        bytes_ -= gone;
        entry.tail.pop_front();
    }
}

LogBook::Found LogBook::read(const LogKey& key, std::uint64_t after, std::size_t bytes) const {
    Found found;
    auto log = logs_.find(key);
    if (log == logs_.end()) return found;
    const Entry& entry = log->second;
    std::size_t taken = 0;
    for (const Pieces* pieces : {&entry.head, &entry.tail}) {
        auto at = std::upper_bound(pieces->begin(), pieces->end(), after,
                                   [](std::uint64_t seq, const auto& p) { return seq < p.seq; });
        for (; at != pieces->end() && (found.pieces.empty() || taken < bytes); ++at) {
            taken += size_of(*at);
            found.pieces.push_back(*at);
        }
    }
    const std::uint64_t seen = found.pieces.empty() ? after : found.pieces.back().seq;
    found.complete = entry.complete && seen + 1 >= entry.next;
    return found;
}

void LogBook::shrink() {
    while (bytes_ > bounds_.bytes && !logs_.empty()) {
        auto silent = logs_.find(turns_.front());
        bytes_ -= silent->second.bytes;
        turns_.pop_front();
        logs_.erase(silent);
    }
}

}  // namespace zq::coordinator
