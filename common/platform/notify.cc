#include "common/platform/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "common/platform/files.h"
#include "common/platform/log.h"

namespace zq {
namespace {

constexpr const char* kSocket = "NOTIFY_SOCKET";
constexpr const char* kWatchdog = "WATCHDOG_USEC";
constexpr const char* kWatchdogPid = "WATCHDOG_PID";
constexpr std::int64_t kMicros = 1000;  // of a millisecond
constexpr std::size_t kStatusBytes = 512;

/// Gives the variable and takes it out of the environment.
std::string take(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value == nullptr ? "" : value;
    ::unsetenv(name);
    return text;
}

std::optional<std::int64_t> number(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// One line: a line's end would begin another word.
std::string status_line(std::string_view status) {
    std::string line = "STATUS=" + std::string(status.substr(0, kStatusBytes)) + "\n";
    std::replace(line.begin(), line.end() - 1, '\n', ' ');
    return line;
}

}  // namespace

Notifier Notifier::from_environment() {
    Notifier notifier;
    notifier.address_ = take(kSocket);
    const auto interval = number(take(kWatchdog));
    const std::string pid = take(kWatchdogPid);
    std::string& address = notifier.address_;
    if (address.empty()) return notifier;
    if ((address[0] != '/' && address[0] != '@') ||
        address.size() >= sizeof(sockaddr_un::sun_path)) {
        log_warn("NOTIFY_SOCKET is no address: nothing is told to the service manager",
                 {{"socket", address}});
        address.clear();
        return notifier;
    }
    if (address[0] == '@') address[0] = '\0';
    const bool ours = pid.empty() || number(pid) == ::getpid();
    if (ours && interval && *interval > 0) notifier.watchdog_ = millis(*interval / kMicros);
    return notifier;
}

void Notifier::send(const std::string& lines) const {
    if (!is_on()) return;
    const FileHandle socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    const auto size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() +
                               (address_[0] == '\0' ? 0 : 1));  // a path ends in a zero byte
    const ssize_t sent = ::sendto(socket.fd(), lines.data(), lines.size(), MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&to), size);
    if (sent < 0) {
        log_warn("the service manager could not be told", {{"error", std::strerror(errno)}});
    }
}

void Notifier::ready(std::string_view status) const {
    send("READY=1\n" + status_line(status));
}

void Notifier::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t micros = now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros) + "\n" +
         status_line("reading the settings again"));
}

void Notifier::stopping(std::string_view status) const {
    send("STOPPING=1\n" + status_line(status));
}

void Notifier::status(std::string_view status) const {
    send(status_line(status));
}

void Notifier::alive(Millis boot) {
    if (watchdog_.count == 0 || boot < next_alive_) return;
    send("WATCHDOG=1\n");
    next_alive_ = boot + millis(watchdog_.count / 2);
}

Millis Notifier::longest_wait(Millis wait) const {
    if (watchdog_.count == 0) return wait;
    return std::min(wait, millis(std::max<std::int64_t>(1, watchdog_.count / 4)));
}

}  // namespace zq
