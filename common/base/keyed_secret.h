// The rule for secrets without a form of their own: what stands after a word that speaks of
// secrets (`password = …`, `"api_key": "…"`) and looks made by chance. protocol.md, "Redaction",
// states the rule and how often it errs on real text. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace zq {

/// Bytes of a text, from `begin` to before `end`.
struct TextRange {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// What stands after the `=` or `:` at `sep`, if a word that speaks of secrets stands before it and
/// it looks made by chance.
std::optional<TextRange> keyed_secret_at(std::string_view text, std::size_t sep);

/// How many bytes at the end of `text` (those before `from` apart) may be the beginning of such a
/// word and its value: what follows may complete them.
std::size_t unfinished_keyed_secret(std::string_view text, std::size_t from);

}  // namespace zq
