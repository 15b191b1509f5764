// One attempt's command: started, frozen, ended and swept up. Nothing of it is left when `step`
// gives its end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/platform/files.h"
#include "worker/executor/execution.h"
#include "worker/executor/family.h"

namespace zq::worker {

struct ChildSpec {
    std::vector<std::string> command;      // not empty; looked up in PATH
    std::vector<std::string> environment;  // NAME=value
    std::string folder;                    // where it runs
    std::string stdin_file;
    std::string stdout_file;
    std::string stderr_file;
    FamilyMark mark;        // of make_mark
    std::string mark_file;  // on disk before the command runs, and again with its pid
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
    int wake_fd() const override { return pidfd_.fd(); }
    const FamilyMark& mark() const { return spec_.mark; }

  private:
    enum class Phase : std::uint8_t { kRunning, kStopping, kSweeping, kOver };

    explicit Child(ChildSpec spec) : spec_(std::move(spec)) {}
    bool main_has_ended();

    ChildSpec spec_;
    FileHandle pidfd_;
    Phase phase_ = Phase::kRunning;
    bool frozen_ = false;
    Millis started_{};
    Millis next_{};  // of kStopping: end of the grace; else: look again
    Millis sweep_until_{};
    AttemptEnd end_;
};

}  // namespace zq::worker
