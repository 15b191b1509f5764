#include "worker/executor/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "common/base/ids.h"
#include "worker/executor/cgroup.h"
#include "worker/executor/process_table.h"

namespace zq::worker {
namespace {

constexpr Millis kFirstLook = millis(100);  // for descendants that will not stay visible
constexpr Millis kLookAgain = seconds(1);
constexpr Millis kSweepAgain = millis(10);
constexpr Millis kSweepPatience = seconds(10);  // a process in the kernel's hands cannot be killed
constexpr Millis kNotYet{INT64_MAX};

/// The shell moves itself into the control group and becomes the command, so that no descendant is
/// ever outside of it.
constexpr const char* kEnterGroup = "echo 0 > \"$1\" 2>/dev/null; ";
constexpr const char* kBecomeCommand = "shift; exec \"$@\"";

/// What is executed: the command, or a shell that does first what has to be done in the new
/// process.
std::vector<std::string> words_of(const ChildSpec& spec) {
    const bool grouped = !spec.mark.cgroup.empty();
    // A machine without a shell has commands all the same.
    const bool prepared = !spec.first.empty() && ::access("/bin/sh", X_OK) == 0;
    if (!grouped && !prepared) return spec.command;
    const std::string script = spec.first + (grouped ? kEnterGroup : "") + kBecomeCommand;
    const std::string procs = grouped ? Cgroup(spec.mark.cgroup).procs_file() : std::string("-");
    std::vector<std::string> words = {"/bin/sh", "-c", script, "zq-worker", procs};
    words.insert(words.end(), spec.command.begin(), spec.command.end());
    return words;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// posix_spawn's attributes and file actions, freed at the end.
class SpawnPlan {
  public:
    SpawnPlan() {
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_init(&actions);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
    }
    void prepare(const ChildSpec& spec, const LogPipes& pipes) {
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        auto* a = &actions;
        posix_spawn_file_actions_addopen(a, 0, spec.stdin_file.c_str(), O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(a, pipes.out.fd(), 1);
        posix_spawn_file_actions_adddup2(a, pipes.err.fd(), 2);
        posix_spawn_file_actions_addchdir_np(a, spec.folder.c_str());
    }
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
};

void drop_group(const FamilyMark& mark) {
    if (!mark.cgroup.empty()) (void)Cgroup(mark.cgroup).remove();
}

}  // namespace

FamilyMark make_mark(Containment contain) {
    FamilyMark mark;
    mark.tag = to_hex(random_bytes(16));
    mark.boot = boot_id();
    if (contain == Containment::kBest) {
        if (auto group = Cgroup::make("zq-" + mark.tag)) mark.cgroup = group->path();
    }
    return mark;
}

Result<std::unique_ptr<Child>> Child::start(ChildSpec spec, Millis now) {
    std::vector<std::string> command = words_of(spec);
    std::vector<std::string> environment = spec.environment;
    environment.push_back(std::string(kTagVariable) + "=" + spec.mark.tag);
    // Both writes need to outlive this process, not the machine: no sync.
    if (auto ok = write_file(spec.mark_file, to_text(spec.mark), 0600, Durability::kNone); !ok) {
        drop_group(spec.mark);
        return Failure(ok.error());
    }
    auto logs = LogPump::start({spec.stdout_file, spec.stderr_file, spec.log_cap, spec.secrets,
                                spec.live, make_agent_reader(spec.agent)});
    if (!logs) {
        drop_group(spec.mark);
        return Failure(logs.error());
    }
    OomCount oom = OomCount::of_attempt(spec.mark.cgroup);
    SpawnPlan plan;
    plan.prepare(spec, logs->pipes);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, command[0].c_str(), &plan.actions, &plan.attributes,
                                     pointers(command).data(), pointers(environment).data());
    if (error != 0) {
        drop_group(spec.mark);
        return fail(ErrorCode::IO, "cannot start " + spec.command[0] + ": " + std::strerror(error));
    }
    std::unique_ptr<Child> child(new Child(std::move(spec), std::move(logs->pump), std::move(oom)));
    child->started_ = now;
    child->next_ = child->spec_.mark.cgroup.empty() ? now + kFirstLook : kNotYet;
    child->spec_.mark.main = pid;
    if (auto info = find_process(pid)) child->spec_.mark.start = info->start;
    child->pidfd_ = FileHandle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    (void)write_file(child->spec_.mark_file, to_text(child->spec_.mark), 0600, Durability::kNone);
    return child;
}

Child::~Child() {
    if (phase_ == Phase::kOver) return;
    kill_once(spec_.mark);
    drop_group(spec_.mark);
}

void Child::freeze() {
    if (phase_ == Phase::kOver || frozen_) return;
    frozen_ = true;
    worker::freeze(spec_.mark);
}

void Child::thaw() {
    if (phase_ == Phase::kOver || !frozen_) return;
    frozen_ = false;
    worker::thaw(spec_.mark);
}

void Child::stop(StopCause cause, Millis now) {
    if (phase_ != Phase::kRunning) return;
    end_.stop = cause;
    if (frozen_) return kill();
    phase_ = Phase::kStopping;
    next_ = now + spec_.grace;
    ::kill(-spec_.mark.main, SIGTERM);
}

void Child::kill() {
    if (phase_ == Phase::kOver) return;
    kill_once(spec_.mark);
    if (phase_ == Phase::kRunning) phase_ = Phase::kStopping;
    if (phase_ == Phase::kStopping) next_ = kNotYet;
}

bool Child::main_has_ended() {
    siginfo_t info{};
    // It stays unreaped until the sweep is over, so that its pid names it and nothing else.
    if (::waitid(P_PID, static_cast<id_t>(spec_.mark.main), &info, WEXITED | WNOHANG | WNOWAIT) !=
            0 ||
        info.si_pid == 0) {
        return false;
    }
    if (info.si_code == CLD_EXITED) {
        end_.exit_code = info.si_status;
    } else {
        end_.signal = info.si_status;
    }
    return true;
}

std::optional<AttemptEnd> Child::step(Millis now) {
    if (phase_ == Phase::kOver) return std::nullopt;
    if (phase_ != Phase::kSweeping) {
        if (main_has_ended()) {
            phase_ = Phase::kSweeping;
            end_.duration = now - started_;
            sweep_until_ = now + kSweepPatience;
        } else {
            if (phase_ == Phase::kRunning && now >= next_) {
                remember_descendants(spec_.mark);
                next_ = now + kLookAgain;
            }
            if (phase_ == Phase::kStopping && now >= next_) kill();
            return std::nullopt;
        }
    }
    if (!is_swept(now)) {
        next_ = now + kSweepAgain;
        return std::nullopt;
    }
    phase_ = Phase::kOver;
    end_.stdout_dropped = pump_->stdout_dropped();
    end_.stderr_dropped = pump_->stderr_dropped();
    end_.agent = pump_->agent();
    return end_;
}

/// Nothing of it lives, its logs are complete, its control group is gone.
bool Child::is_swept(Millis now) {
    if (kill_once(spec_.mark) > 0 && now < sweep_until_) return false;
    pump_->finish();
    if (!pump_->finished()) return false;
    end_.oom = end_.oom || oom_.has_grown();  // before the group goes
    ::waitpid(spec_.mark.main, nullptr, WNOHANG);
    // Those that were just killed may still be on their way out. Nobody is reaped for it: a group
    // of zombies counts as empty, and the zombie of another attempt's main process is that
    // attempt's.
    return spec_.mark.cgroup.empty() || Cgroup(spec_.mark.cgroup).remove() || now >= sweep_until_;
}

Millis Child::deadline() const {
    return phase_ == Phase::kOver ? kNotYet : next_;
}

}  // namespace zq::worker
