// What the coordinator knows of a task and its attempts: plain records in the store's projections;
// those of open tasks also in memory, while they are looked at (open_tasks.h). Instructions and
// payload lie in the event that submitted the task (`submitted_seq`), or that edited it last.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/base/question.h"
#include "common/base/report_words.h"
#include "common/base/task_spec.h"
#include "common/base/task_state.h"

namespace zq::core {

/// Who has a task: a worker's session, or a client that claimed it by hand (then `worker` is the
/// name it gave, and state_id and incarnation are empty).
struct Holder {
    WorkerName worker;
    Identity identity;
    StateId state_id;
    std::uint64_t incarnation = 0;
    bool by_hand = false;

    friend bool operator==(const Holder&, const Holder&) = default;
};

/// The right to work on a task, until it is not renewed for `term`.
struct Lease {
    LeaseToken token;
    std::uint32_t attempt = 0;
    Holder holder;
    Millis term{};
    Instant since;

    friend bool operator==(const Lease&, const Lease&) = default;
};

struct Task {
    TaskKey key;
    RoleName role;
    std::string type;
    std::string from;
    Identity submitter;
    GroupName group;
    std::string reply_to;
    std::string trace_id;
    std::string idempotency_key;
    std::string unique_key;                     // empty: none
    std::string limit_key;                      // empty: none
    std::vector<std::string> needs;             // of its worker's labels; sorted, each once
    std::map<std::string, std::string> labels;  // empty where the event of its submit is older
    Digest request;  // of the spec without id and trace id: what a repeated submit must match
    std::vector<std::string> expected;  // artifact names that a completion must have
    std::string expected_format;
    bool has_rules = false;  // the envelope's contract says more than that
    std::uint32_t inputs = 0;
    std::uint64_t bytes = 0;  // of its envelope and inputs; 0 where its submit's event is older

    int priority = limits::kPriorityDefault;
    Backoff backoff;
    std::uint32_t max_attempts = limits::kAttemptsDefault;
    std::uint32_t max_lost = limits::kLostDefault;
    Millis run_timeout{};
    Budget budget;
    std::vector<RetryRule> retry_rules;
    OnLost on_lost = OnLost::kRetry;
    Approval approval;
    bool approved = false;  // before its start, as it is now
    After after;            // its tasks in order
    Millis ttl{};           // of one that waits for others: counts from when it is ready

    TaskState state = TaskState::kQueued;
    DeadReason dead_reason = DeadReason::kNone;
    std::int64_t rank = 0;  // order among ready tasks: lower first, then submitted_seq
    Instant submitted_at;
    Instant due_at;       // scheduled, retry_wait: when it is ready
    Instant expires_at;   // 0: no ttl; counts only until the first attempt
    Instant deadline_at;  // 0: none; then it ends, whatever it does
    Instant started_at;   // of the last attempt
    Instant ended_at;
    std::uint32_t attempts = 0;       // number of the last attempt
    std::uint32_t failures = 0;       // charged against max_attempts
    std::uint32_t losses = 0;         // charged against max_lost
    std::uint32_t deferrals = 0;      // "try later" so far
    std::uint32_t waits = 0;          // failures so far that used no attempt
    std::optional<Lease> lease;       // running, cancelling
    std::optional<Lease> lost_lease;  // queued again after a loss; its holder may still come back
    bool lost_lease_charged = false;  // that loss was counted in `losses`
    WorkerName worker;                // of the current or last attempt
    std::vector<CheckpointRef> checkpoints;  // the kept ones, by number; at most kCheckpointsKept
    std::vector<Question> questions;  // the last ones, at most kQuestionsKept; one open at the end
    Feedback feedback;                // what sent it back last
    Spent budget_from;                // what was spent when a person granted the budget anew
    Spent spent;                      // of its ended attempts; counted where there is a budget
    Usage spending;                   // of the running one, as it said last
    std::string upstream;  // blocked: what became of each of after.tasks (dependencies.h)
    std::string summary;
    std::string reason;
    Seq submitted_seq = 0;
    Seq edited_seq = 0;  // of the last event that changed the envelope; 0: none did
    Seq changed_seq = 0;

    friend bool operator==(const Task&, const Task&) = default;
};

/// The event in which the task's envelope lies.
inline Seq spec_seq(const Task& task) {
    return task.edited_seq != 0 ? task.edited_seq : task.submitted_seq;
}

/// True where an open question keeps a task that has no lease.
constexpr bool is_parked(TaskState state) {
    return state == TaskState::kInputRequired || state == TaskState::kInReview;
}

/// The question that waits for an answer; null if there is none.
const Question* open_question(const Task& task);
/// What counts against its budget, the running attempt included.
Spent spent_so_far(const Task& task);
/// True if nothing is left of its budget, grants included.
bool is_over_budget(const Task& task);
/// When an attempt that has run since then is to be over: by its run timeout, or the task's
/// deadline; unset: never.
Instant attempt_ends_at(const Task& task, Instant since);
/// What a new attempt is told: the questions that were answered, or had no answer in their time.
std::vector<Question> closed_questions(const Task& task);

/// A stored event without its texts: the digest of what its body is now. What it was first stays in
/// the hash chain by its digest alone.
struct ErasedBody {
    Seq seq = 0;
    Digest digest;
    friend bool operator==(const ErasedBody&, const ErasedBody&) = default;
};

/// An attempt that has ended, as it is remembered for good. While it runs it is the task's lease.
struct Attempt {
    TaskKey task;
    std::uint32_t attempt = 0;
    LeaseToken token;
    Holder holder;
    Instant started_at;
    Instant ended_at;
    Outcome outcome = Outcome::kReleased;
    std::optional<FailureClass> failure;  // with Outcome::kFailed
    std::optional<ReleaseCause> release;  // with Outcome::kReleased by a report
    std::optional<std::int64_t> exit_code;
    std::string summary;
    std::string reason;
    std::map<std::string, std::string> output;
    std::vector<ArtifactRef> artifacts;
    Millis duration{};                      // as the holder measured it
    Digest report;                          // of the report that ended it; zero: none did
    TaskState answer = TaskState::kQueued;  // what that report was answered
    Seq ended_seq = 0;                      // of the event that ended it; 0 inside that event
    Digest command;                         // of what was run, as its holder said; zero: unsaid

    friend bool operator==(const Attempt&, const Attempt&) = default;
};

}  // namespace zq::core
