// The file `output`: what a command says beside its result, as KEY=VALUE lines and heredocs
// (KEY<<END … END). Bounded; what does not fit or does not parse is left out and noted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace zq::worker {

struct Output {
    std::map<std::string, std::string> values;
    std::vector<std::string> notes;  // what was left out, one sentence each

    /// The value of a key, or empty.
    std::string value(const std::string& key) const;
};

/// Keys are `[A-Za-z_][A-Za-z0-9_]*`, of 64 bytes at most; the last of several values counts.
Output parse_output(std::string_view text);

/// The same from a file that may be missing. A file over its bound is read up to it.
Output read_output(const std::string& path);
/// The same of a file that is being written: a last line without its end is not there yet.
Output read_whole_lines(const std::string& path);

/// What the key `status` says of the whole task.
enum class FinalWord : std::uint8_t { kNone, kCompleted, kSkipped, kFailed };
/// `completed`, `skipped` or `failed`; kNone for anything else.
FinalWord final_word(const Output& output);

}  // namespace zq::worker
