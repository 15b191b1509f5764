// What keys and tokens look like in a text: the one list of formats, for refusing, flagging and
// redacting them. Formats with a mark of their own, so that ordinary text is left alone; a secret
// without one is found after a word that speaks of secrets (keyed_secret.h). protocol.md,
// "Redaction", prints the kinds. Pure; one pass over the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace zq {

struct FoundSecret {
    std::size_t begin = 0;
    std::size_t end = 0;    // one past its last byte
    std::string_view kind;  // such as `github-token`; lives for ever
};

/// The first one at or after `from`; what stands before `from` tells where words begin. A private
/// key is found with everything up to its END line; where that is missing, up to the first byte
/// that no key has.
std::optional<FoundSecret> find_secret(std::string_view text, std::size_t from = 0);

/// How many bytes at the end of `text` (those before `from` apart) may be the beginning of a secret
/// that goes on in what follows: at most kSecretBytes.
std::size_t unfinished_secret(std::string_view text, std::size_t from = 0);

/// The kind of what has no form of its own.
inline constexpr std::string_view kNamedSecret = "named-secret";

/// No secret is longer; of a longer one only so much is found.
inline constexpr std::size_t kSecretBytes = 16 * 1024;

}  // namespace zq
