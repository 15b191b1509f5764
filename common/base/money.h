// Money in micro-units of a US dollar, as a whole number: the one place where texts of money become
// numbers, by one rule for people, files and the tools' own JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.h"

namespace zq {

/// A decimal as people and JSON write it (`0.09`, `12`, `1.5e-05`) in micro-units, rounded to the
/// nearest of them, half up. Nullopt for anything else, and from a trillion dollars on.
std::optional<std::uint64_t> micros_of(std::string_view decimal);
/// The same. Errors: INVALID, naming `field`.
Result<std::uint64_t> parse_usd(std::string_view text, std::string field);
/// The shortest exact decimal: `0.09`.
std::string usd_text(std::uint64_t micros);

}  // namespace zq
