// One attempt at a simulated worker: what the real one does with folders, processes and threads,
// reduced to stages and times. Follows the rules of worker/attempts.h: a freeze acts on the child
// alone, a report is in the outbox before it is sent, what was killed reports nothing.
#pragma once

#include <optional>

#include "tests/simulator/workload.h"
#include "worker/ending.h"

namespace zq::sim {

class Attempt {
  public:
    enum class Stage : std::uint8_t { kPreparing, kPrepared, kRunning, kConcluding, kOver };

    Attempt(const wire::Assign& assign, const Work& work, Millis boot)
        : assign_(assign), work_(work), due_(boot + work.prepare), left_(work.run) {
        const bool kept = work.fate != Fate::kDeaf;
        if (kept && assign.run_timeout.count > 0) timeout_left_ = assign.run_timeout;
    }

    const wire::Assign& assign() const { return assign_; }
    wire::HeldLease held() const { return {assign_.task.id, assign_.attempt, assign_.lease}; }
    Stage stage() const { return stage_; }
    /// Its child can do work: started and not frozen.
    bool runs() const { return stage_ == Stage::kRunning && !frozen_; }
    bool is_killed() const { return killed_; }
    /// The rest of it needs no more child: its lease is not frozen any more.
    bool has_ended() const { return stage_ == Stage::kConcluding || stage_ == Stage::kOver; }

    void freeze(Millis boot);
    void thaw(Millis boot);
    void stop(worker::StopCause cause, Millis boot);
    void kill() { killed_ = true; }
    /// Its child cannot run from here on, while the clock goes on (the machine sleeps); and can.
    void suspend(Millis boot);
    void resume(Millis boot);

    /// Moves on as far as time allows; `blocked`: another attempt of the task still has a child.
    void step(Millis boot, bool blocked);
    /// When `step` has something to do; nullopt: not before somebody acts.
    std::optional<Millis> deadline() const;

    /// The report, when the stage is kConcluding and its time has come.
    bool wants_report(Millis boot) const { return stage_ == Stage::kConcluding && boot >= due_; }
    wire::Body report(const std::string& worker) const;
    /// Content that is to be put before the report; nullopt: none.
    std::optional<ArtifactRef> large_result() const;
    /// The report is in the outbox, or nothing is left of it.
    void finish() { stage_ = Stage::kOver; }
    /// Its large result is on its way: look again then.
    void put_until(Millis boot) {
        due_ = boot;
        putting_ = true;
    }
    bool is_putting() const { return putting_; }

  private:
    void start(Millis boot);
    void conclude(Millis boot);
    void account(Millis boot);

    wire::Assign assign_;
    Work work_;
    Stage stage_ = Stage::kPreparing;
    Millis due_{};   // of the stage, but for kRunning
    Millis left_{};  // of the child's work
    std::optional<Millis> timeout_left_;
    Millis counted_{};  // the child's time is accounted for up to here
    bool frozen_ = false;
    bool suspended_ = false;
    bool killed_ = false;
    bool putting_ = false;
    worker::StopCause stop_ = worker::StopCause::kNone;
};

}  // namespace zq::sim
