// One attempt's command: started, frozen, ended and swept up. Nothing of it is left when `step`
// gives its end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/platform/files.h"
#include "worker/executor/execution.h"
#include "worker/executor/family.h"
#include "worker/executor/log_pump.h"
#include "worker/executor/oom.h"

namespace zq::worker {

struct ChildSpec {
    std::vector<std::string> command;      // not empty; looked up in PATH
    std::string first;                     // what /bin/sh is to do before it becomes the command
    std::vector<std::string> environment;  // NAME=value
    std::string folder;                    // where it runs
    std::string stdin_file;
    std::string stdout_file;
    std::string stderr_file;
    std::uint64_t log_cap = 32ULL << 20;  // of each of the two: head and tail are kept
    AgentKind agent = AgentKind::kRaw;    // whose output is read as it comes
    std::vector<SecretValue> secrets;     // not to be seen in them
    LiveLog* live = nullptr;              // outlives the child; null: nobody follows
    FamilyMark mark;                      // of make_mark
    std::string mark_file;                // on disk before the command runs, and again with its pid
    Millis grace = seconds(30);
};

/// A new mark for an attempt: a tag of chance, and a control group where `contain` allows and this
/// machine can make one.
enum class Containment : std::uint8_t { kBest, kSignalsOnly };
FamilyMark make_mark(Containment contain);

class Child : public Execution {
  public:
    /// Errors: IO with the reason (no such command, not executable, …).
    static Result<std::unique_ptr<Child>> start(ChildSpec spec, Millis now);
    /// Kills what is left, without waiting.
    ~Child() override;

    void freeze() override;
    void thaw() override;
    void stop(StopCause cause, Millis now) override;
    void kill() override;
    std::optional<AttemptEnd> step(Millis now) override;
    Millis deadline() const override;
    int wake_fd() const override {
        return phase_ == Phase::kSweeping ? pump_->done_fd() : pidfd_.fd();
    }
    Signs signs() const override { return {pump_->bytes(), pump_->closing_record()}; }
    const FamilyMark& mark() const { return spec_.mark; }

  private:
    enum class Phase : std::uint8_t { kRunning, kStopping, kSweeping, kOver };

    Child(ChildSpec spec, std::unique_ptr<LogPump> pump, OomCount oom)
        : spec_(std::move(spec)), pump_(std::move(pump)), oom_(std::move(oom)) {}
    bool main_has_ended();
    bool is_swept(Millis now);

    ChildSpec spec_;
    std::unique_ptr<LogPump> pump_;
    OomCount oom_;
    FileHandle pidfd_;
    Phase phase_ = Phase::kRunning;
    bool frozen_ = false;
    Millis started_{};
    Millis next_{};  // of kStopping: end of the grace; else: look again
    Millis sweep_until_{};
    AttemptEnd end_;
};

}  // namespace zq::worker
