// The line that stands in a capped log where its middle was dropped: written by the worker, read by
// `zq logs`. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zq {

/// `\n[zq: N bytes were dropped here]\n`
std::string drop_mark(std::uint64_t dropped);

struct DropMark {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint64_t dropped = 0;
};

/// The first mark of this form at or after `from`. A command may print such a line itself: whether
/// the one that was found is the log's own, its place tells (is_place_of_mark).
std::optional<DropMark> find_drop_mark(std::string_view text, std::size_t from = 0);

/// True if a log of `size` bytes that was capped has its mark at `at`: as much before as behind
/// it, or nothing behind it.
bool is_place_of_mark(std::uint64_t at, std::size_t mark_size, std::uint64_t size);

/// No mark is longer.
inline constexpr std::size_t kDropMarkBytes = 64;

}  // namespace zq
