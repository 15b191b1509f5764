// By what statistics are told apart. The words are the protocol's, the journal's and the command
// line's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/base/words.h"

namespace zq {

enum class StatsBy : std::uint8_t { kAll, kRole, kType, kWorker, kModel, kLabel };

inline constexpr std::array<std::string_view, 6> kStatsByWords = {"all",    "role",  "type",
                                                                  "worker", "model", "label"};

constexpr std::string_view to_string(StatsBy by) {
    return word_of(kStatsByWords, by);
}
constexpr bool from_text(std::string_view text, StatsBy& out) {
    return value_of(kStatsByWords, text, out);
}

}  // namespace zq
