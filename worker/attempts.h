// The attempts of this worker, each from its assignment until its report is in the outbox: prepared
// by the uploader, run by an Execution, concluded by the uploader. Carries out what the session
// asks and tells what came of it. Used by the loop's thread alone; nothing here waits.
#pragma once

#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "worker/executor/execution.h"
#include "worker/live/log_sender.h"
#include "worker/options.h"
#include "worker/resume_ids.h"
#include "worker/state_folder.h"
#include "worker/uploader.h"
#include "worker/usage_meter.h"
#include "worker/watch.h"

namespace zq::worker {

/// The child has ended; its report follows.
struct ChildEnded {
    LeaseToken lease;
};
/// The report is in the outbox.
struct Reported {
    LeaseToken lease;
    wire::Body report;
};
/// Killed and swept up; nothing is reported.
struct Gone {
    LeaseToken lease;
};
/// So much the attempt has used until now.
struct Used {
    wire::HeldLease held;
    Usage usage;
};
/// These are to be taken out of what the attempt says.
struct Hidden {
    LeaseToken lease;
    std::vector<SecretValue> secrets;
};
using AttemptNews = std::variant<ChildEnded, Used, Reported, Gone, ContentStored, WordStored,
                                 PreviousFetched, Disowned, Hidden>;

class Attempts {
  public:
    Attempts(const WorkerOptions& options, const Handlers& handlers, const StateFolder& state,
             Uploader& uploader, LogSender& logs);

    /// `socket`: the path of the one that speaks for it; empty: none.
    void start(const wire::Assign& assign, const std::string& socket = {});
    void freeze(const LeaseToken& lease);
    void thaw(const LeaseToken& lease, Millis now);
    /// Ends it with grace and reports why.
    void stop(const LeaseToken& lease, StopCause cause, Millis now);
    /// Ends it at once and reports nothing. Answered by Gone, also for a lease that is not known.
    void kill(const LeaseToken& lease);
    /// Every attempt whose child has not ended.
    void stop_all(StopCause cause, Millis now);
    void kill_all();
    /// Reaps orphans of the running attempts that ended.
    void reap() const;

    /// The coordinator has the report, and the task is in `state` now.
    void settled(const wire::HeldLease& held, TaskState state) const;

    /// What the uploader has done.
    void take(News news);
    /// Moves everything on; gives what the session has to know, in order.
    std::vector<AttemptNews> step(Millis now);
    Millis deadline() const;
    std::vector<int> wake_fds() const;
    /// Attempts whose processes or threads may still live.
    std::size_t running() const;

    Workspace workspace_of(const wire::HeldLease& held) const;

  private:
    enum class Stage : std::uint8_t { kPreparing, kPrepared, kRunning, kVerifying, kConcluding };

    struct Attempt {
        wire::Assign assign;
        Workspace workspace;
        Stage stage = Stage::kPreparing;
        std::unique_ptr<Execution> execution;
        std::optional<Watch> watch;  // of a command, as is the meter
        std::optional<UsageMeter> meter;
        StopCause stop = StopCause::kNone;
        bool frozen = false;
        bool killed = false;
        Millis frozen_at{};
        Millis run_until{};                // of its run timeout, or the check's; kNoTime: none
        AttemptEnd ended;                  // of the command, while the check runs
        std::vector<SecretValue> secrets;  // that its task names
        bool runs() const { return stage == Stage::kRunning || stage == Stage::kVerifying; }
        wire::HeldLease held() const { return {assign.task.id, assign.attempt, assign.lease}; }
    };

    void step(Attempt& attempt, Millis now);
    void watch(Attempt& attempt, Millis now);
    void run(Attempt& attempt, Millis now);
    Result<void> execute(Attempt& attempt, Millis timeout, Millis now);
    void verify(Attempt& attempt, AttemptEnd end, Millis now);
    void conclude(Attempt& attempt, AttemptEnd end);
    bool blocked_by_another(const Attempt& attempt) const;
    std::vector<pid_t> mains() const;

    const WorkerOptions& options_;
    const Handlers& handlers_;
    const StateFolder& state_;
    Uploader& uploader_;
    LogSender& logs_;
    ResumeIds resume_ids_;
    std::map<LeaseToken, Attempt> attempts_;
    std::vector<AttemptNews> news_;
    bool restless_ = false;  // something was asked that only `step` carries on
};

}  // namespace zq::worker
