// `zq dev`: a coordinator and a worker on this machine, as one command. Starts the two programs
// that lie beside `zq` itself, and ends them with it.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/command_table.h"
#include "cli/session.h"
#include "cli/start.h"
#include "common/platform/clock.h"

extern char** environ;

namespace zq::cli {
namespace {

constexpr Millis kStartPatience = seconds(30);
constexpr Millis kDrainPatience = seconds(5);  // then running tasks are given back
constexpr Millis kEndPatience = seconds(45);   // then a program is killed

sigset_t watched_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
    return signals;
}

std::string program_beside(const std::string& name) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? name : (self.parent_path() / name).string();
}

/// A program of ours, in a process group of its own: the terminal's Ctrl-C reaches `zq` alone,
/// which ends it in order.
class Child {
  public:
    static Expected<Child> start(const std::string& name, const std::vector<std::string>& flags);

    /// True once the program has ended; reaps it.
    bool has_ended() {
        if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
        return pid_ == 0;
    }
    void signal(int number) const {
        if (pid_ > 0) ::kill(pid_, number);
    }
    const std::string& name() const { return name_; }

  private:
    Child(std::string name, pid_t pid) : name_(std::move(name)), pid_(pid) {}
    std::string name_;
    pid_t pid_ = 0;
};

Expected<Child> Child::start(const std::string& name, const std::vector<std::string>& flags) {
    const std::string path = program_beside(name);
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

/// Waits for a watched signal, at most `limit`; 0 when the time is over.
int await_signal(Millis limit) {
    const sigset_t signals = watched_signals();
    const timespec timeout{limit.count / 1000, limit.count % 1000 * 1'000'000};
    const int got = ::sigtimedwait(&signals, nullptr, &timeout);
    return got < 0 ? 0 : got;
}

bool ends_within(Child& child, Millis limit) {
    const Millis until = boottime() + limit;
    while (!child.has_ended()) {
        const Millis left = until - boottime();
        if (left.count <= 0) return false;
        await_signal(left);
    }
    return true;
}

/// A worker drains at the first SIGTERM and gives its tasks back at the second.
void end_child(Child& child) {
    child.signal(SIGTERM);
    if (ends_within(child, kDrainPatience)) return;
    child.signal(SIGTERM);
    if (ends_within(child, kEndPatience)) return;
    child.signal(SIGKILL);
    ends_within(child, kEndPatience);
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

std::vector<std::string> worker_flags(const Context& context, const ServerFolder& folder,
                                      const std::string& role) {
    std::vector<std::string> flags = {"--connect", folder.profile.endpoints.front(),
                                      "--role",    role,
                                      "--state",   folder.settings.data + "/dev-worker"};
    if (context.args.has("slots")) {
        flags.insert(flags.end(), {"--slots", context.args.text("slots")});
    }
    flags.emplace_back("--");
    const auto& command = context.args.operands();
    flags.insert(flags.end(), command.begin(), command.end());
    return flags;
}

/// Runs until a signal or until one of the two ends by itself.
Ending watch(Child& coordinator, Child& worker) {
    while (true) {
        const int signal = await_signal(seconds(3600));
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
            note("ending the worker, then the coordinator");
            end_child(worker);
            end_child(coordinator);
            return ExitCode::kDone;
        }
        for (auto [child, other] : {std::pair{&coordinator, &worker}, {&worker, &coordinator}}) {
            if (!child->has_ended()) continue;
            end_child(*other);
            return problem(ErrorCode::IO, child->name() + " ended by itself: see its messages");
        }
    }
}

Ending run_dev(const Context& context) {
    auto change = read_settings_change(context.args);
    if (!change) return tl::unexpected(change.error());
    auto slots = context.args.number("slots", 1, limits::kSlots);
    if (!slots) return tl::unexpected(slots.error());
    const std::string role = context.args.has("role") ? context.args.text("role") : "dev";
    if (auto ok = parse_name(role, "--role"); !ok) return problem(ok.error());
    const std::string data = data_folder_of(context.args);
    if (context.args.has("dry-run")) {
        auto plan = plan_server_folder(data, *change);
        if (!plan) return tl::unexpected(plan.error());
        for (const std::string& step : plan->steps) note("would " + step);
        note("dry run: would start zq-coordinator and a zq-worker for " + role);
        return ExitCode::kDone;
    }
    auto folder = init_data_folder(data, *change);
    if (!folder) return tl::unexpected(folder.error());

    // Before any thread or child is made, so that all inherit it.
    const sigset_t signals = watched_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::setenv("ZQ_CONFIG", folder->admin_profile.c_str(), 1);
    auto coordinator = Child::start("zq-coordinator", {"--data", folder->settings.data});
    if (!coordinator) return tl::unexpected(coordinator.error());
    if (auto ok = await_coordinator(*coordinator, folder->profile); !ok) {
        end_child(*coordinator);
        return tl::unexpected(ok.error());
    }
    auto worker = Child::start("zq-worker", worker_flags(context, *folder, role));
    if (!worker) {
        end_child(*coordinator);
        return tl::unexpected(worker.error());
    }
    note("a coordinator and a worker for " + role + " run until Ctrl-C; from another terminal:\n" +
         "  zq run --to " + role + " --instructions TEXT");
    return watch(*coordinator, *worker);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"role", "ROLE", "The worker's role (default dev)"},
    {"slots", "N", "Tasks at once (default 1)"},
    {"data", "DIR", "The data folder (default: ZQ_DATA, then ./zq-data); made if missing"},
    {"bind", "ENDPOINT", "Control socket (default tcp://127.0.0.1:5570)", Takes::kValues},
    {"artifacts-bind", "ENDPOINT",
     "Artifacts socket (default: the port above the control socket's)", Takes::kValues},
});

constexpr auto kCommands = std::to_array<Command>({
    {"dev",
     "Start",
     "-- COMMAND [ARGS…]",
     "A coordinator and a worker here, until Ctrl-C",
     "  zq dev --role shout -- /bin/sh -c 'tr a-z A-Z < \"$ZQ_PROMPT_FILE\"'\n"
     "  zq run --to shout --instructions \"read me aloud\"      (in another terminal)",
     kFlags,
     {false, false, true},
     1,
     kAnyNumber,
     run_dev},
});

}  // namespace

std::span<const Command> dev_commands() {
    return kCommands;
}

}  // namespace zq::cli
