#include "common/platform/log.h"

#include <poll.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <climits>
#include <mutex>
#include <utility>

#include "common/base/secret_scan.h"

namespace zq {
namespace {

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "zq", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
        made->flush_on(spdlog::level::debug);
        return made;
    }();
    return *instance;
}

bool is_beyond_ascii(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

bool needs_quotes(const std::string& value) {
    if (value.empty()) return true;
    for (char c : value) {
        if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\x7f')
            return true;
        if (is_beyond_ascii(c)) return true;
    }
    return false;
}

/// Keeps a value on its line: quotes it where it has blanks, and escapes control characters and all
/// that is not ASCII. There are control characters among it too, and marks that turn the direction
/// of what follows: a line must show what it says.
void append_value(std::string& line, const std::string& value) {
    if (!needs_quotes(value)) {
        line += value;
        return;
    }
    line += '"';
    for (char c : value) {
        if (c == '"' || c == '\\') line += '\\';
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f' || is_beyond_ascii(c)) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
            line += escaped;
        } else {
            line += c;
        }
    }
    line += '"';
}

/// A reader that stalls may cost lines, never a heartbeat: what would block is dropped and counted.
/// A pipe that is writable takes PIPE_BUF bytes at once.
void write_unless_blocked(spdlog::level::level_enum level, std::string line) {
    static std::mutex mutex;
    static std::uint64_t dropped = 0;
    const std::lock_guard lock(mutex);
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) {
        ++dropped;
        return;
    }
    if (dropped > 0) line += " dropped_lines_before=" + std::to_string(std::exchange(dropped, 0));
    constexpr std::size_t kRoomOfHead = 128;  // time and level
    if (line.size() > PIPE_BUF - kRoomOfHead) line.resize(PIPE_BUF - kRoomOfHead);
    logger().log(level, "{}", line);
}

void write(spdlog::level::level_enum level, std::string_view fact, LogFields fields) {
    if (!logger().should_log(level)) return;
    std::string line(fact);
    for (const auto& [key, value] : fields) {
        line += ' ';
        line += key;
        line += '=';
        append_value(line, value);
    }
    write_unless_blocked(level, redacted(line));
}

}  // namespace

Result<void> set_log_level(std::string_view level) {
    if (level == "debug") {
        logger().set_level(spdlog::level::debug);
    } else if (level == "info") {
        logger().set_level(spdlog::level::info);
    } else if (level == "warn") {
        logger().set_level(spdlog::level::warn);
    } else if (level == "error") {
        logger().set_level(spdlog::level::err);
    } else if (level == "off") {
        logger().set_level(spdlog::level::off);
    } else {
        return fail(ErrorCode::INVALID, "a log level is debug, info, warn or error", "log_level");
    }
    return {};
}

void log_debug(std::string_view fact, LogFields fields) {
    write(spdlog::level::debug, fact, fields);
}
void log_info(std::string_view fact, LogFields fields) {
    write(spdlog::level::info, fact, fields);
}
void log_warn(std::string_view fact, LogFields fields) {
    write(spdlog::level::warn, fact, fields);
}
void log_error(std::string_view fact, LogFields fields) {
    write(spdlog::level::err, fact, fields);
}

}  // namespace zq
