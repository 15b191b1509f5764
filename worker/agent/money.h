// Money as people and tools write it, read without floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace zq::worker {

/// A decimal number such as `0.0912345` or `1.2e-05` in millionths, rounded half up; nullopt for
/// anything else, for a negative one, and for one of 10^12 and more.
std::optional<std::uint64_t> parse_micros(std::string_view decimal);

}  // namespace zq::worker
