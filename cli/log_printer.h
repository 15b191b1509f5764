// Puts the two streams of an attempt's log on our own stdout and stderr, in the order they come, or
// as lines of JSON, and says where something is missing. Escaped on a terminal.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/ids.h"
#include "common/base/report_words.h"

namespace zq::cli {

struct LogView {
    std::optional<LogStream> only = std::nullopt;            // one stream alone
    std::optional<std::uint64_t> last_lines = std::nullopt;  // begin with so many of each stream
    std::array<bool, 2> escape{};  // of stdout, stderr: control characters become visible
    bool json = false;             // all on stdout, one object a line
};

class LogPrinter {
  public:
    explicit LogPrinter(LogView view) : view_(view) {}

    /// What follows is this attempt's. With `in_the_middle`, a stream may go on at any offset.
    void begin(const TaskId& task, std::uint32_t attempt, bool in_the_middle);
    bool shows(LogStream stream) const { return !view_.only || *view_.only == stream; }
    /// Bytes of a stream that stand at `offset` in it, and the `seq` of their piece; 0: they come
    /// from an artifact. What was shown is not shown again; a gap is named.
    void take(LogStream stream, std::uint64_t offset, std::string_view bytes, std::uint64_t seq);
    /// The end of what is there by now: with `last_lines`, shows what was held back for it.
    void flush();

  private:
    struct Stream {
        bool begun = true;       // false: the first bytes say where it begins
        std::uint64_t next = 0;  // everything before was shown, or was dropped
        std::uint64_t seq = 0;
        std::uint64_t dropped = 0;  // right before `held`, and not told yet
        std::string held;           // the last lines, until `flush`; or the start of a character
    };
    Stream& at(LogStream stream) { return streams_[static_cast<std::size_t>(stream)]; }
    void tell_dropped(LogStream stream);
    void show(LogStream stream, std::string_view bytes);
    void show_characters(LogStream stream, bool all);
    void cut_to_last_lines(Stream& stream) const;

    LogView view_;
    TaskId task_;
    std::uint32_t attempt_ = 0;
    std::array<Stream, 2> streams_;
};

/// The last `lines` lines of a text; all of it where it has fewer.
std::string_view last_lines_of(std::string_view text, std::uint64_t lines);

}  // namespace zq::cli
