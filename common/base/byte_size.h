// Sizes as people write them in flags and settings: `4096`, `64KiB`, `10GiB`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace zq {

/// A whole number of bytes, or one with the unit B, KiB, MiB, GiB or TiB. Nothing for any other
/// text, and for more than `most` bytes.
std::optional<std::uint64_t> parse_byte_size(std::string_view text, std::uint64_t most);

}  // namespace zq
