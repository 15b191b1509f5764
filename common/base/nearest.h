// "Did you mean …?": the word of a list that is spelled most like another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zq {

/// The nearest word by edit distance, if it is near enough to be a likely slip (at most a third of
/// the length, and 3 edits); else empty. Ties go to the first.
std::string nearest_word(std::string_view word, const std::vector<std::string>& words);

}  // namespace zq
