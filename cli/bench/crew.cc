#include "cli/bench/crew.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "cli/bench/queue.h"

namespace zq::cli {
namespace {

void write_all(int fd, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) fatal("a client process could not report");
        done += static_cast<std::size_t>(wrote);
    }
}

constexpr int kLookMs = 200;

volatile std::sig_atomic_t interrupts = 0;

std::string read_all(int fd) {
    std::string text;
    char part[65536];
    while (!interrupted()) {
        // An interrupt may have come before this wait, or come between two looks.
        pollfd item{fd, POLLIN, 0};
        if (::poll(&item, 1, kLookMs) <= 0) continue;
        const ssize_t got = ::read(fd, part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(part, static_cast<std::size_t>(got));
    }
    return text;
}

void end(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
}

}  // namespace

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupts = 1; };
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

bool interrupted() {
    return interrupts != 0;
}

void Crew::start(const std::function<std::string(int stop_fd)>& work) {
    int report[2];
    int stop[2];
    if (::pipe2(report, O_CLOEXEC) != 0 || ::pipe2(stop, O_CLOEXEC) != 0) {
        fatal("no pipe for a client process");
    }
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) fatal("no client process could be made");
    if (pid == 0) {
        // Ends with its parent, however that ends.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
        ::close(report[0]);
        ::close(stop[1]);
        for (Member& other : members_) end(other.stop_fd);
        write_all(report[1], work(stop[0]));
        ::_exit(0);
    }
    ::close(report[1]);
    ::close(stop[0]);
    members_.push_back({pid, report[0], stop[1]});
}

void Crew::stop() {
    for (Member& member : members_) end(member.stop_fd);
}

Expected<std::vector<std::string>> Crew::reports() {
    std::vector<std::string> reports;
    bool failed = false;
    for (Member& member : members_) {
        reports.push_back(read_all(member.report_fd));
        if (interrupted()) {
            return tl::unexpected(
                Problem({ErrorCode::IO, "interrupted", {}, {}}, {}, ExitCode::kInterrupted));
        }
        end(member.report_fd);
        end(member.stop_fd);
        int status = 0;
        while (::waitpid(member.pid, &status, 0) < 0 && errno == EINTR) {
        }
        member.pid = 0;
        failed = failed || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    members_.clear();
    if (failed) return problem(ErrorCode::IO, "a client process failed: see its message above");
    return reports;
}

Crew::~Crew() {
    for (Member& member : members_) {
        end(member.report_fd);
        end(member.stop_fd);
        if (member.pid == 0) continue;
        ::kill(member.pid, SIGKILL);
        ::waitpid(member.pid, nullptr, 0);
    }
}

}  // namespace zq::cli
