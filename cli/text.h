// Texts for people: escaping of what came from tasks, durations, sizes, relative times. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"

namespace zq::cli {

/// For one line of a table: control characters, the ones that change the direction of writing, and
/// bytes that are not UTF-8 become visible escapes (`\n`, `\x1b`, `\u202e`).
std::string escape_line(std::string_view text);
/// For a text of several lines on a terminal: the same, but line ends and tabs stay.
std::string escape_text(std::string_view text);

/// `a,b` -> a, b. Two commas have an empty text between them; an empty text has none in it.
std::vector<std::string> comma_list(std::string_view text);

/// Code points of a UTF-8 text (what a terminal shows, wide characters apart).
std::size_t display_width(std::string_view text);
/// With spaces behind it, if it is not that wide itself.
std::string padded(std::string_view text, std::size_t width);
/// The first `width` code points; a longer text ends in `…`.
std::string shorten(std::string_view text, std::size_t width);

/// `850ms`, `12s`, `4m12s`, `1h02m`, `3d04h`.
std::string human_duration(Millis duration);
/// `3m ago`, `in 12s`, `now`; `-` for the moment that is not set.
std::string human_time(Instant t, Instant now);
/// `512 B`, `1.5 KiB`, `2.0 GiB`.
std::string human_size(std::uint64_t bytes);

}  // namespace zq::cli
