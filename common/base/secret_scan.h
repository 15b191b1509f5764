// What is done where a text may hold a secret (secret_formats.h finds it): take it out, name its
// kind, or refuse the text. No value ever stands in what these give. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace zq {

/// The text with `[redacted:KIND]` in the place of each secret; the same where there is none.
std::string redacted(const std::string& text);
/// Likewise, and `limit` bytes at most: the mark may be longer than what it stands for. Cut at the
/// border of a UTF-8 character.
std::string redacted(const std::string& text, std::size_t limit);
/// A name (of an artifact, a key) with `redacted-KIND` in the place of each secret: a name still.
std::string redacted_name(const std::string& name, std::size_t limit);

/// The kinds that are found, each once, in order of their names.
std::vector<std::string> secret_kinds(std::string_view text);
/// With commas between, and back.
std::string kinds_text(const std::vector<std::string>& kinds);
std::vector<std::string> kinds_in(std::string_view text);

/// True for bytes that are no text: one of the first 8 KiB is 0.
bool is_binary(std::string_view bytes);

/// Errors: SECRET_FOUND, with the kind, its place in bytes, and what to do.
Result<void> check_no_secret(std::string_view text, const std::string& field);
/// The error about something in which these kinds were found, such as `input context.md`.
Failure secret_found(const std::string& what, const std::vector<std::string>& kinds,
                     const std::string& field);

}  // namespace zq
