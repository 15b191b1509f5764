// A target's corpus as one file of text, an input a line, so that it can be read and compared:
// bytes that are not printable ASCII are \xNN, a backslash is \\. Lines that begin with # are
// comments, such as what an input once broke.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace zq::fuzz {

/// A leading # and a blank at an end are escaped, too; an empty input is the line \e.
std::string to_line(std::string_view input);
/// Errors: INVALID.
Result<std::string> from_line(std::string_view line);

/// The inputs of a corpus file, in order; none where there is no such file. Errors: INVALID with
/// the line's number, IO.
Result<std::vector<std::string>> read_corpus(const std::string& path);

}  // namespace zq::fuzz
