// Enums and their words on the wire: one table per enum, in the enum's order, read both ways.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace zq {

/// The word of an enum value; `words` lists them in the enum's order.
template <class Enum, std::size_t N>
constexpr std::string_view word_of(const std::array<std::string_view, N>& words, Enum value) {
    return words.at(static_cast<std::size_t>(value));
}

/// The value of a word; false (and `out` untouched) if no value has it.
template <class Enum, std::size_t N>
constexpr bool value_of(const std::array<std::string_view, N>& words, std::string_view text,
                        Enum& out) {
    for (std::size_t i = 0; i < N; ++i) {
        if (words[i] != text) continue;
        out = static_cast<Enum>(i);
        return true;
    }
    return false;
}

}  // namespace zq
