#include "worker/self_test/fake_attempt.h"

#include <signal.h>

#include <algorithm>

#include "common/platform/clock.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"
#include "common/platform/socket.h"
#include "worker/command.h"
#include "worker/watch.h"
#include "worker/workspace/briefing.h"
#include "worker/workspace/git_worktree.h"

namespace zq::worker {
namespace {

constexpr Millis kLookEvery = millis(20);
constexpr Millis kFolderEvery = millis(200);
/// An ordeal begins at the first output, or after this long without any.
constexpr Millis kSettled = seconds(2);
constexpr Millis kBreath = millis(200);
constexpr const char* kContext = "# A context\n\nThis file came with the task.\n";

wire::Assign fake_assign(const WorkerOptions& options, const Scenario& scenario) {
    wire::Assign assign;
    assign.lease = {1, 1};
    assign.attempt = 1;
    assign.submitter = Identity("local");
    assign.submitted_at = wall_time();
    TaskSpec& task = assign.task;
    task.id = TaskId("t-test-" + scenario.name);
    task.role = options.roles.front();
    task.from = "zq-worker";
    task.type = "zq-test";
    task.instructions = scenario.instructions;
    task.payload = "{\"zq_test\":\"" + scenario.name + "\"}";
    task.trace_id = to_hex(random_bytes(16));
    task.idempotency_key = task.id.text;
    ArtifactRef context;
    context.name = "context.md";
    context.digest = sha256(kContext);
    context.size = std::string_view(kContext).size();
    context.media = "text/markdown";
    task.inputs.push_back(context);
    return assign;
}

Result<void> prepare(const WorkerOptions& options, const wire::Assign& assign,
                     const Workspace& workspace) {
    if (auto ok = make_workspace(workspace); !ok) return ok;
    const std::string context = workspace.context_file("context.md");
    auto ok = write_file(context, kContext, 0400, Durability::kNone);
    if (ok) ok = write_file(workspace.task_file(), task_json(assign), 0600, Durability::kNone);
    const std::string prompt = prompt_text(assign, {}, workspace);
    if (ok) ok = write_file(workspace.prompt_file(), prompt, 0600, Durability::kNone);
    if (ok && !options.git_worktree.empty()) ok = add_worktree(options.git_worktree, workspace);
    return ok;
}

/// The ending signals are blocked in this program (service.h): whether one waits.
bool is_interrupted() {
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1 ||
           ::sigismember(&pending, SIGHUP) == 1;
}

/// How long a command showed nothing.
class Silence {
  public:
    Silence(const Workspace& workspace, Millis now)
        : workspace_(workspace), since_(now), folder_(folder_fingerprint(workspace)) {}

    void look(std::uint64_t bytes, Millis now) {
        bool alive = bytes != bytes_;
        if (now >= next_folder_) {
            next_folder_ = now + kFolderEvery;
            const std::uint64_t folder = folder_fingerprint(workspace_);
            alive = alive || folder != folder_;
            folder_ = folder;
        }
        longest_ = std::max(longest_, now - since_);
        bytes_ = bytes;
        if (alive) since_ = now;
    }
    Millis longest() const { return longest_; }

  private:
    const Workspace& workspace_;
    Millis since_;
    Millis next_folder_{};
    Millis longest_{};
    std::uint64_t bytes_ = 0;
    std::uint64_t folder_ = 0;
};

/// The attempt while it runs.
class Supervision {
  public:
    Supervision(const WorkerOptions& options, const Scenario& scenario, const Workspace& workspace,
                Child& child, Millis now)
        : options_(options),
          scenario_(scenario),
          workspace_(workspace),
          child_(child),
          started_(now),
          watch_(workspace, {options.stall_timeout, options.linger}, now),
          silence_(workspace, now) {}

    AttemptEnd run_to_end() {
        while (true) {
            const Millis now = boottime();
            if (auto end = child_.step(now)) return *end;
            if (is_interrupted()) child_.kill();
            silence_.look(child_.signs().output_bytes, now);
            if (!asked_) supervise(now);
            std::vector<PollItem> items{{nullptr, child_.wake_fd()}};
            poll(items, kLookEvery);
        }
    }
    void tell(FakeOutcome& outcome) const {
        outcome.output_bytes = child_.signs().output_bytes;
        outcome.longest_silence = silence_.longest();
        outcome.suffered = ordeal_at_.has_value();
        if (ordeal_at_) outcome.after_ordeal = boottime() - *ordeal_at_;
    }

  private:
    void supervise(Millis now) {
        const bool at_work = child_.signs().output_bytes > 0 || now >= started_ + kSettled;
        if (at_work && !at_work_since_) at_work_since_ = now;
        // One that ends with its first words is not caught while it ends.
        const bool settled = at_work_since_ && now >= *at_work_since_ + kBreath;
        if (!ordeal_at_ && scenario_.ordeal != Ordeal::kNone && settled) {
            ordeal_at_ = now;
            if (scenario_.ordeal == Ordeal::kCancel) return cancel(now);
            // Every process of it stops, as if it waited for something that never comes. Not by
            // `freeze`: the supervisor is not to know.
            for (pid_t pid : living(child_.mark())) ::kill(pid, SIGSTOP);
        }
        if (options_.run_timeout.count > 0 && now >= started_ + options_.run_timeout) {
            return ask(StopCause::kTimedOut, now);
        }
        if (const auto cause = watch_.look(child_.signs(), now)) ask(*cause, now);
    }
    void cancel(Millis now) {
        (void)write_file(workspace_.cancel_file(), "cancelled\n", 0600, Durability::kNone);
        ask(StopCause::kCancelled, now);
    }
    void ask(StopCause cause, Millis now) {
        asked_ = true;
        child_.stop(cause, now);
        if (cause == StopCause::kLingered) child_.kill();
    }

    const WorkerOptions& options_;
    const Scenario& scenario_;
    const Workspace& workspace_;
    Child& child_;
    Millis started_;
    Watch watch_;
    Silence silence_;
    std::optional<Millis> at_work_since_;
    std::optional<Millis> ordeal_at_;
    bool asked_ = false;
};

}  // namespace

Result<FakeOutcome> run_fake_attempt(const WorkerOptions& told, const Scenario& scenario,
                                     const std::string& folder) {
    const Failure interrupted = fail(ErrorCode::SHUTTING_DOWN, "interrupted");
    if (is_interrupted()) return interrupted;
    WorkerOptions options = told;
    options.environment.push_back("ZQ_TEST=" + scenario.name);
    const wire::Assign assign = fake_assign(options, scenario);
    const wire::HeldLease held{assign.task.id, assign.attempt, assign.lease};
    const Workspace workspace{folder + "/attempts/" + attempt_folder_name(held)};
    if (auto ok = prepare(options, assign, workspace); !ok) return Failure(ok.error());
    const Millis now = boottime();
    auto child = start_command({options, assign, workspace, options.run_timeout, {}}, now);
    if (!child) return Failure(child.error());
    Supervision supervision(options, scenario, workspace, **child, now);
    FakeOutcome outcome;
    outcome.end = supervision.run_to_end();
    if (is_interrupted()) return interrupted;
    supervision.tell(outcome);
    reap_orphans({});
    outcome.left = living((*child)->mark()).size();
    Evidence evidence = gather_evidence(workspace, assign.task.expected, outcome.end);
    outcome.report = report_of(held, "zq-worker --test", evidence.facts);
    outcome.collected = std::move(evidence.collected);
    return outcome;
}

}  // namespace zq::worker
