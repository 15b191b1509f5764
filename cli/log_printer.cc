#include "cli/log_printer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/output.h"
#include "cli/text.h"

namespace zq::cli {
namespace {

/// More than this is not held back for the sake of its last lines.
constexpr std::size_t kHeldBytes = 8UL << 20;

/// Bytes at the end of `text` that begin a UTF-8 character and do not end it.
std::size_t unfinished(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) continue;  // goes on a character
        const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

void print_to_stderr(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(STDERR_FILENO, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return;  // as with every other message
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
}

}  // namespace

std::string_view last_lines_of(std::string_view text, std::uint64_t lines) {
    if (lines == 0) return {};
    std::size_t end = text.size();
    if (end > 0 && text[end - 1] == '\n') --end;
    while (end > 0) {
        const std::size_t line = text.rfind('\n', end - 1);
        if (line == std::string_view::npos) return text;
        if (--lines == 0) return text.substr(line + 1);
        end = line;
    }
    return text;
}

void LogPrinter::begin(const TaskId& task, std::uint32_t attempt, bool in_the_middle) {
    task_ = task;
    attempt_ = attempt;
    streams_ = {};
    for (Stream& stream : streams_) stream.begun = !in_the_middle;
}

void LogPrinter::take(LogStream stream, std::uint64_t offset, std::string_view bytes,
                      std::uint64_t seq) {
    if (!shows(stream)) return;
    Stream& to = at(stream);
    if (!to.begun) to.next = offset;
    to.begun = true;
    if (offset + bytes.size() <= to.next) return;
    if (offset < to.next) {
        bytes.remove_prefix(static_cast<std::size_t>(to.next - offset));
    } else if (offset > to.next) {
        // Of the last lines, those before a gap are none.
        if (view_.last_lines) to.held.clear();
        show_characters(stream, true);
        to.dropped += offset - to.next;
    }
    to.next = std::max(offset, to.next) + bytes.size();
    to.seq = seq;
    to.held += bytes;
    if (!view_.last_lines) return show_characters(stream, false);
    if (to.held.size() > kHeldBytes) cut_to_last_lines(to);
}

void LogPrinter::cut_to_last_lines(Stream& stream) const {
    const std::string_view kept = last_lines_of(stream.held, *view_.last_lines);
    const std::size_t before = stream.held.size() - std::min(kept.size(), kHeldBytes);
    // A gap before the lines that are asked for is nobody's concern.
    if (before > 0) stream.dropped = 0;
    stream.held.erase(0, before);
}

void LogPrinter::show_characters(LogStream stream, bool all) {
    Stream& from = at(stream);
    const std::size_t rest = all ? 0 : unfinished(from.held);
    const std::string bytes = from.held.substr(0, from.held.size() - rest);
    if (bytes.empty()) return;
    tell_dropped(stream);
    show(stream, bytes);
    from.held.erase(0, bytes.size());
}

void LogPrinter::flush() {
    for (const LogStream stream : {LogStream::kStdout, LogStream::kStderr}) {
        if (view_.last_lines) cut_to_last_lines(at(stream));
        show_characters(stream, true);
    }
    view_.last_lines.reset();
}

void LogPrinter::tell_dropped(LogStream stream) {
    const std::uint64_t dropped = std::exchange(at(stream).dropped, 0);
    if (dropped == 0) return;
    if (!view_.json) {
        return note("[zq: " + std::to_string(dropped) + " bytes of " +
                    std::string(to_string(stream)) + " were dropped here]");
    }
    Json record = Json::object();
    record.set("schema", Json::text("zq/log/v1"));
    record.set("id", Json::text(task_.text));
    record.set("attempt", Json::number(std::uint64_t{attempt_}));
    record.set("stream", Json::text(to_string(stream)));
    record.set("offset", Json::number(at(stream).next - at(stream).held.size() - dropped));
    record.set("dropped_bytes", Json::number(dropped));
    print_raw(record.dump() + "\n");
}

/// The first bytes of what is held.
void LogPrinter::show(LogStream stream, std::string_view bytes) {
    if (!view_.json) {
        const bool escaped = view_.escape.at(static_cast<std::size_t>(stream));
        const std::string text = escaped ? escape_text(bytes) : std::string(bytes);
        return stream == LogStream::kStdout ? print_raw(text) : print_to_stderr(text);
    }
    const Stream& from = at(stream);
    Json record = Json::object();
    record.set("schema", Json::text("zq/log/v1"));
    record.set("id", Json::text(task_.text));
    record.set("attempt", Json::number(std::uint64_t{attempt_}));
    if (from.seq != 0) record.set("seq", Json::number(from.seq));
    record.set("stream", Json::text(to_string(stream)));
    record.set("offset", Json::number(from.next - from.held.size()));
    record.set("text", Json::text(bytes));
    print_raw(record.dump() + "\n");
}

}  // namespace zq::cli
