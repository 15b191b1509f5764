#include "cli/child.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/session.h"
#include "common/platform/clock.h"

extern char** environ;

namespace zq::cli {
namespace {

constexpr Millis kStartPatience = seconds(30);

std::string program_beside(const std::string& name) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? name : (self.parent_path() / name).string();
}

}  // namespace

sigset_t watched_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
    return signals;
}

int await_signal(Millis limit) {
    const sigset_t signals = watched_signals();
    const timespec timeout{limit.count / 1000, limit.count % 1000 * 1'000'000};
    const int got = ::sigtimedwait(&signals, nullptr, &timeout);
    return got < 0 ? 0 : got;
}

Expected<Child> Child::start(const std::string& name, const std::vector<std::string>& flags) {
    const bool is_path = name.find('/') != std::string::npos;
    const std::string path = is_path ? name : program_beside(name);
    std::vector<std::string> words{path};
    words.insert(words.end(), flags.begin(), flags.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults = watched_signals();
    sigaddset(&defaults, SIGPIPE);  // which main ignores
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, path.c_str(), nullptr, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    if (error == 0) return Child(name, pid);
    return problem(ErrorCode::IO, "cannot start " + path + ": " + std::strerror(error),
                   "zq-coordinator and zq-worker lie beside zq");
}

bool Child::has_ended() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
    return pid_ == 0;
}

bool Child::ends_within(Millis limit) {
    const Millis until = boottime() + limit;
    while (!has_ended()) {
        const Millis left = until - boottime();
        if (left.count <= 0) return false;
        await_signal(left);
    }
    return true;
}

void Child::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

Expected<void> await_coordinator(Child& coordinator, const Profile& profile) {
    const Millis until = boottime() + kStartPatience;
    while (boottime() < until) {
        ClientOptions options{profile};
        options.give_up = millis(300);
        auto session = Session::open(std::move(options));
        if (!session) return tl::unexpected(session.error());
        if ((*session)->call<wire::Pong>(wire::Ping{})) return {};
        if (coordinator.has_ended()) {
            return problem(ErrorCode::IO, "zq-coordinator ended at once: see its message above");
        }
    }
    return problem(ErrorCode::UNREACHABLE, "zq-coordinator does not answer");
}

}  // namespace zq::cli
