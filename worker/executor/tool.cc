#include "worker/executor/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/platform/clock.h"
#include "common/platform/files.h"

namespace zq::worker {
namespace {

constexpr std::size_t kOutputBytes = 64 * 1024;
constexpr std::size_t kSaidBytes = 500;

std::vector<std::string> clean_environment() {
    std::vector<std::string> kept;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        if (!std::string_view(*entry).starts_with("GIT_")) kept.emplace_back(*entry);
    }
    kept.emplace_back("GIT_TERMINAL_PROMPT=0");
    kept.emplace_back("LC_ALL=C");
    return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// A file in memory that both can write to, so that no pipe can fill up.
FileHandle memory_file() {
    return FileHandle(::memfd_create("zq-tool", MFD_CLOEXEC));
}

std::string content(const FileHandle& file) {
    std::string text(kOutputBytes, '\0');
    const ssize_t got = ::pread(file.fd(), text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

/// False when it had to be killed.
bool await_end(pid_t pid, Millis patience, int& status) {
    const FileHandle pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const Millis until = boottime() + patience;
    pollfd item{pidfd.fd(), POLLIN, 0};
    int ready = 0;
    do {
        const Millis left = until - boottime();
        ready = left.count > 0 ? ::poll(&item, 1, static_cast<int>(left.count)) : 0;
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) ::kill(pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return ready != 0;
}

}  // namespace

Result<std::string> run_tool(const ToolSpec& spec) {
    const FileHandle out =
        spec.stdout_file.empty()
            ? memory_file()
            : FileHandle(::open(spec.stdout_file.c_str(),
                                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    const FileHandle err = memory_file();
    if (!out.is_open() || !err.is_open()) {
        return fail(ErrorCode::IO, "cannot open a file for " + spec.command[0]);
    }
    std::vector<std::string> command = spec.command;
    std::vector<std::string> environment = clean_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.fd(), 1);
    posix_spawn_file_actions_adddup2(&actions, err.fd(), 2);
    // It stays in this process's group: there nobody else waits for it (family.h, reap_orphans).
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, command[0].c_str(), &actions, &attributes,
                                     pointers(command).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        return fail(error == ENOENT ? ErrorCode::NOT_FOUND : ErrorCode::IO,
                    "cannot start " + command[0] + ": " + std::strerror(error));
    }
    int status = 0;
    if (!await_end(pid, spec.patience, status)) {
        return fail(ErrorCode::IO, command[0] + " did not end in " +
                                       std::to_string(spec.patience.count / 1000) + " s");
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return spec.stdout_file.empty() ? content(out) : std::string();
    }
    const std::string said = content(err);
    return fail(ErrorCode::IO, command[0] + " failed: " +
                                   said.substr(said.size() - std::min(said.size(), kSaidBytes)));
}

}  // namespace zq::worker
