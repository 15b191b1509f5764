// The conversation between a worker and the coordinator (protocol.md, "Worker"), and the reports
// that a holder by hand uses as well. Structs and field names only; bytes are codec.h's.
#pragma once

#include "common/base/report_words.h"
#include "common/base/task_state.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// A lease as its holder knows it.
struct HeldLease {
    TaskId task;
    std::uint32_t attempt = 0;
    LeaseToken lease;
    friend bool operator==(const HeldLease&, const HeldLease&) = default;
};
template <class V, Of<HeldLease> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("attempt", m.attempt);
    v("lease", m.lease);
}

/// First message of a session, and again after WELCOME is lost, after HELLO_FIRST, or when nothing
/// was heard for a quarter of a lease. Lists the running leases and the reports not yet
/// acknowledged.
struct Hello {
    static constexpr std::string_view kType = "HELLO";
    WorkerName worker;
    StateId state_id;
    std::uint64_t incarnation = 0;
    std::vector<RoleName> roles;
    std::uint32_t slots = 1;
    std::vector<std::string> labels;  // what tasks may need of it
    std::vector<HeldLease> leases;
    std::vector<HeldLease> reports;
    LeaseToken seen;      // the last assignment that arrived; unset: none
    std::string program;  // name and version, for people
    friend bool operator==(const Hello&, const Hello&) = default;
};
template <class V, Of<Hello> T>
void describe(V& v, T& m) {
    v("worker", m.worker);
    v("state_id", m.state_id);
    v("incarnation", m.incarnation);
    v("roles", m.roles);
    v("slots", m.slots);
    v.optional("labels", m.labels);
    v.optional("leases", m.leases);
    v.optional("reports", m.reports);
    v.optional("seen", m.seen);
    v.optional("program", m.program);
}

struct LeaseVerdict {
    LeaseToken lease;
    Verdict verdict = Verdict::kOk;
    friend bool operator==(const LeaseVerdict&, const LeaseVerdict&) = default;
};
template <class V, Of<LeaseVerdict> T>
void describe(V& v, T& m) {
    v("lease", m.lease);
    v("verdict", m.verdict);
}

/// Answers HELLO. The leases that HELLO listed come back with their verdicts.
struct Welcome {
    static constexpr std::string_view kType = "WELCOME";
    std::string journal;  // journal id, 16 hex digits
    Millis lease{};
    Millis heartbeat{};
    std::vector<LeaseVerdict> leases;
    std::string program;
    friend bool operator==(const Welcome&, const Welcome&) = default;
};
template <class V, Of<Welcome> T>
void describe(V& v, T& m) {
    v("journal", m.journal);
    v("lease_ms", m.lease);
    v("heartbeat_ms", m.heartbeat);
    v.optional("leases", m.leases);
    v.optional("program", m.program);
}

/// Credit: how many slots are free now (absolute, not a difference). Answered by BEAT.
struct Ready {
    static constexpr std::string_view kType = "READY";
    std::uint32_t free = 0;
    LeaseToken seen;
    friend bool operator==(const Ready&, const Ready&) = default;
};
template <class V, Of<Ready> T>
void describe(V& v, T& m) {
    v("free", m.free);
    v.optional("seen", m.seen);
}

/// Renews every listed lease. From a worker session it also carries credit; from a holder by hand
/// (a client) `free` is 0 and one lease is listed. Answered by BEAT.
struct Heartbeat {
    static constexpr std::string_view kType = "HEARTBEAT";
    std::uint32_t free = 0;
    LeaseToken seen;
    std::vector<HeldLease> leases;
    std::vector<HeldLease> reports;  // sent or about to be sent, not yet acknowledged
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
template <class V, Of<Heartbeat> T>
void describe(V& v, T& m) {
    v("free", m.free);
    v.optional("seen", m.seen);
    v.optional("leases", m.leases);
    v.optional("reports", m.reports);
}

/// Answers READY and HEARTBEAT lease by lease; unasked (id 0), pushes one verdict at once.
struct Beat {
    static constexpr std::string_view kType = "BEAT";
    std::vector<LeaseVerdict> leases;
    bool drain = false;  // the worker is to end what it has, and itself
    friend bool operator==(const Beat&, const Beat&) = default;
};
template <class V, Of<Beat> T>
void describe(V& v, T& m) {
    v.optional("leases", m.leases);
    v.optional("drain", m.drain);
}

/// Hands a task over. `answers` is the id of the last READY, HEARTBEAT or HELLO of this session
/// that the coordinator had seen: the lease's clock runs, at the worker, from when that was sent.
struct Assign {
    static constexpr std::string_view kType = "ASSIGN";
    LeaseToken lease;
    std::uint32_t attempt = 0;
    Millis term{};
    std::uint64_t answers = 0;
    Identity submitter;
    Instant submitted_at;
    TaskSpec task;
    std::vector<CheckpointRef> checkpoints;  // that earlier attempts saved, oldest first
    std::vector<Question>
        questions;         // that earlier attempts asked and that are closed, oldest first
    Feedback feedback;     // what sent the task back last
    Millis run_timeout{};  // what is left of its time: the attempt ends after that; 0: no bound
    friend bool operator==(const Assign&, const Assign&) = default;
};
template <class V, Of<Assign> T>
void describe(V& v, T& m) {
    v("lease", m.lease);
    v("attempt", m.attempt);
    v("lease_ms", m.term);
    v("answers", m.answers);
    v("submitter", m.submitter);
    v("submitted_at", m.submitted_at);
    v("task", m.task);
    v.optional("checkpoints", m.checkpoints);
    v.optional("questions", m.questions);
    v.optional("feedback", m.feedback);
    v.optional("run_timeout_ms", m.run_timeout);
}

/// An artifact of a report. Content of at most kInlineBytes may travel along in `data`; larger
/// content was put before (protocol.md, "Artifacts").
struct ReportArtifact {
    ArtifactRef ref;
    std::optional<Bytes> data;
    friend bool operator==(const ReportArtifact&, const ReportArtifact&) = default;
};
template <class V, Of<ReportArtifact> T>
void describe(V& v, T& m) {
    describe(v, m.ref);
    v.optional("data", m.data);
}

/// What every report says. `lease` may be unset only in a report of a client about a queued task,
/// which is then claimed and ended in one commit, under `from`.
struct Report {
    TaskId task;
    std::uint32_t attempt = 0;
    LeaseToken lease;
    std::string from;
    std::string summary;
    std::vector<ReportArtifact> artifacts;
    std::map<std::string, std::string> output;  // key=value pairs the worker's command wrote
    Millis duration{};
    Digest command;  // of the words of what was run, as the worker was told them; zero: unsaid
    friend bool operator==(const Report&, const Report&) = default;
};
template <class V, Of<Report> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v.optional("attempt", m.attempt);
    v.optional("lease", m.lease);
    v.optional("from", m.from);
    v.optional("summary", m.summary);
    v.optional("artifacts", m.artifacts);
    v.optional("output", m.output);
    v.optional("duration_ms", m.duration);
    v.optional("command", m.command);
}

/// The work is done. The artifact named `result` (or `result.*`) is the result.
struct Complete {
    static constexpr std::string_view kType = "COMPLETE";
    Report report;
    friend bool operator==(const Complete&, const Complete&) = default;
};
template <class V, Of<Complete> T>
void describe(V& v, T& m) {
    describe(v, m.report);
}

/// There was nothing to do; counts as success.
struct Skip {
    static constexpr std::string_view kType = "SKIP";
    Report report;
    std::string reason;
    friend bool operator==(const Skip&, const Skip&) = default;
};
template <class V, Of<Skip> T>
void describe(V& v, T& m) {
    describe(v, m.report);
    v.optional("reason", m.reason);
}

/// The attempt failed; uses up one of max_attempts.
struct Fail {
    static constexpr std::string_view kType = "FAIL";
    Report report;
    std::string reason;
    FailureClass failure = FailureClass::kError;
    std::optional<std::int64_t> exit_code;
    Millis retry_after{};  // the next attempt not before that; 0: as the task's rules say
    friend bool operator==(const Fail&, const Fail&) = default;
};
template <class V, Of<Fail> T>
void describe(V& v, T& m) {
    describe(v, m.report);
    v("reason", m.reason);
    v.optional("class", m.failure);
    v.optional("exit_code", m.exit_code);
    v.optional("retry_after_ms", m.retry_after);
}

struct Release {
    static constexpr std::string_view kType = "RELEASE";
    Report report;
    std::string reason;
    ReleaseCause cause = ReleaseCause::kReleased;
    Millis delay{};                       // before the task is ready again
    std::optional<NewQuestion> question;  // with kInputRequired, and only then
    friend bool operator==(const Release&, const Release&) = default;
};
template <class V, Of<Release> T>
void describe(V& v, T& m) {
    describe(v, m.report);
    v.optional("reason", m.reason);
    v.optional("cause", m.cause);
    v.optional("delay_ms", m.delay);
    v.optional("question", m.question);
}

struct Progress {
    static constexpr std::string_view kType = "PROGRESS";
    TaskId task;
    LeaseToken lease;
    std::uint32_t percent = 0;  // 0 to 100
    std::string step;           // such as 3/7
    std::string message;
    friend bool operator==(const Progress&, const Progress&) = default;
};
template <class V, Of<Progress> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("lease", m.lease);
    v("percent", m.percent);
    v.optional("step", m.step);
    v.optional("message", m.message);
}

/// Saves content for the task's next attempt. Durable when it is answered.
struct Checkpoint {
    static constexpr std::string_view kType = "CHECKPOINT";
    TaskId task;
    LeaseToken lease;
    ReportArtifact artifact;
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};
template <class V, Of<Checkpoint> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("lease", m.lease);
    v("artifact", m.artifact);
}

/// What the attempt has used of models so far, in all. Where that uses up the task's budget, BEAT
/// says so next.
struct Spend {
    static constexpr std::string_view kType = "SPEND";
    TaskId task;
    LeaseToken lease;
    Usage usage;
    friend bool operator==(const Spend&, const Spend&) = default;
};
template <class V, Of<Spend> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("lease", m.lease);
    describe(v, m.usage);
}

/// Asks a person, while the attempt goes on. Answered by ASKED: the question as it stands. Asked
/// again under its id it is the same question.
struct Ask {
    static constexpr std::string_view kType = "ASK";
    TaskId task;
    LeaseToken lease;
    NewQuestion question;
    friend bool operator==(const Ask&, const Ask&) = default;
};
template <class V, Of<Ask> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("lease", m.lease);
    describe(v, m.question);
}

/// Answers ASK. Unasked (id 0), tells a worker's session that a question is closed.
struct Asked {
    static constexpr std::string_view kType = "ASKED";
    TaskId task;
    LeaseToken lease;
    Question question;
    friend bool operator==(const Asked&, const Asked&) = default;
};
template <class V, Of<Asked> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("lease", m.lease);
    v("question", m.question);
}

/// Answers every report, PROGRESS, CHECKPOINT, SPEND, CANCEL and ANSWER: it is durable. `state` is
/// what the task became; a completion of a `cancelling` task is answered `cancelled`.
struct Accepted {
    static constexpr std::string_view kType = "ACCEPTED";
    TaskId task;
    TaskState state = TaskState::kQueued;
    std::uint32_t attempt = 0;
    friend bool operator==(const Accepted&, const Accepted&) = default;
};
template <class V, Of<Accepted> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("state", m.state);
    v.optional("attempt", m.attempt);
}

/// A worker ends its session: no more assignments. Leases it still holds go on. Answered by
/// GOODBYE.
struct Goodbye {
    static constexpr std::string_view kType = "GOODBYE";
    friend bool operator==(const Goodbye&, const Goodbye&) = default;
};
template <class V, Of<Goodbye> T>
void describe(V&, T&) {}

}  // namespace zq::wire
