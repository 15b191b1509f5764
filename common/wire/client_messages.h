// The conversation between a client (the CLI, or any program) and the coordinator (protocol.md,
// "Client"), as far as it writes. The reports COMPLETE, FAIL, SKIP, RELEASE, PROGRESS and HEARTBEAT
// of worker_messages.h are a client's too, for leases it claimed by hand.
#pragma once

#include "common/wire/worker_messages.h"

namespace zq::wire {

/// Asks whether anybody is there; answered by PONG.
struct Ping {
    static constexpr std::string_view kType = "PING";
    friend bool operator==(const Ping&, const Ping&) = default;
};
template <class V, Of<Ping> T>
void describe(V&, T&) {}

struct Pong {
    static constexpr std::string_view kType = "PONG";
    std::string program;
    std::string journal;
    Identity you;  // who the coordinator takes the sender for
    Instant now;
    friend bool operator==(const Pong&, const Pong&) = default;
};
template <class V, Of<Pong> T>
void describe(V& v, T& m) {
    v("program", m.program);
    v("journal", m.journal);
    v("you", m.you);
    v("now", m.now);
}

/// Content that travels inside a SUBMIT for one of its inputs.
struct InlineContent {
    Digest digest;
    Bytes data;
    friend bool operator==(const InlineContent&, const InlineContent&) = default;
};
template <class V, Of<InlineContent> T>
void describe(V& v, T& m) {
    v("digest", m.digest);
    v("data", m.data);
}

/// Creates a task. Repeating it (same id or key, same body) is safe and answers alike.
struct Submit {
    static constexpr std::string_view kType = "SUBMIT";
    TaskSpec task;
    std::vector<InlineContent> contents;
    bool dry_run = false;  // check everything, change nothing
    friend bool operator==(const Submit&, const Submit&) = default;
};
template <class V, Of<Submit> T>
void describe(V& v, T& m) {
    v("task", m.task);
    v.optional("contents", m.contents);
    v.optional("dry_run", m.dry_run);
}

struct Submitted {
    static constexpr std::string_view kType = "SUBMITTED";
    TaskId task;
    TaskState state = TaskState::kQueued;
    bool duplicate = false;    // the task was there before, with this body
    bool role_served = true;   // false: no worker has ever served this role
    std::string nearest_role;  // a known role of similar spelling, where role_served is false
    friend bool operator==(const Submitted&, const Submitted&) = default;
};
template <class V, Of<Submitted> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("state", m.state);
    v.optional("duplicate", m.duplicate);
    v.optional("role_served", m.role_served, true);
    v.optional("nearest_role", m.nearest_role);
}

/// Cancels a task: at once while it waits; a running one becomes `cancelling`.
struct Cancel {
    static constexpr std::string_view kType = "CANCEL";
    TaskId task;
    std::string reason;
    bool cascade = false;  // those that wait for it too, and so on
    friend bool operator==(const Cancel&, const Cancel&) = default;
};
template <class V, Of<Cancel> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v.optional("reason", m.reason);
    v.optional("cascade", m.cascade);
}

/// Answers a task's open question. Said again with the same content it is taken alike.
struct AnswerQuestion {
    static constexpr std::string_view kType = "ANSWER";
    TaskId task;
    std::string question;  // its id; empty: the open one
    std::string choice;    // one of its choices, where it has some
    std::string answer;    // free text
    Digest digest;         // of what is approved, as the question says it; zero: it is no approval
    bool allow_secrets = false;  // it may hold what looks like a secret
    friend bool operator==(const AnswerQuestion&, const AnswerQuestion&) = default;
};
template <class V, Of<AnswerQuestion> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v.optional("question_id", m.question);
    v.optional("choice", m.choice);
    v.optional("answer", m.answer);
    v.optional("digest", m.digest);
    v.optional("allow_secrets", m.allow_secrets);
}

/// Takes the next ready task of a role by hand, or a named one.
struct Claim {
    static constexpr std::string_view kType = "CLAIM";
    RoleName role;
    TaskId task;       // empty: the next
    std::string from;  // who claims, as they call themselves
    Millis lease = minutes(30);
    Millis wait{};  // for a task to become ready, at most kPollMax
    friend bool operator==(const Claim&, const Claim&) = default;
};
template <class V, Of<Claim> T>
void describe(V& v, T& m) {
    v.optional("to", m.role);
    v.optional("task_id", m.task);
    v.optional("from", m.from);
    v.optional("lease_ms", m.lease, minutes(30));
    v.optional("wait_ms", m.wait);
}

/// Answers CLAIM.
struct Claimed {
    static constexpr std::string_view kType = "CLAIMED";
    LeaseToken lease;
    std::uint32_t attempt = 0;
    Millis term{};
    TaskSpec task;
    std::vector<CheckpointRef> checkpoints;  // as in ASSIGN
    std::vector<Question> questions;         // as in ASSIGN
    Feedback feedback;                       // as in ASSIGN
    Millis run_timeout{};                    // as in ASSIGN
    friend bool operator==(const Claimed&, const Claimed&) = default;
};
template <class V, Of<Claimed> T>
void describe(V& v, T& m) {
    v("lease", m.lease);
    v("attempt", m.attempt);
    v("lease_ms", m.term);
    v("task", m.task);
    v.optional("checkpoints", m.checkpoints);
    v.optional("questions", m.questions);
    v.optional("feedback", m.feedback);
    v.optional("run_timeout_ms", m.run_timeout);
}

/// Redeems an invitation: the sender is authenticated by the invitation's key; `public_key` (Z85,
/// 40 characters) is known from the answer on, the invitation no more.
struct Join {
    static constexpr std::string_view kType = "JOIN";
    std::string public_key;
    std::string name;
    friend bool operator==(const Join&, const Join&) = default;
};
template <class V, Of<Join> T>
void describe(V& v, T& m) {
    v("public_key", m.public_key);
    v("name", m.name);
}

struct Joined {
    static constexpr std::string_view kType = "JOINED";
    Identity identity;
    RoleName role;  // the role a worker was invited for; empty: a client
    friend bool operator==(const Joined&, const Joined&) = default;
};
template <class V, Of<Joined> T>
void describe(V& v, T& m) {
    v("identity", m.identity);
    v.optional("to", m.role);
}

/// Answers any request that is refused.
struct ErrorReply {
    static constexpr std::string_view kType = "ERROR";
    ErrorCode code = ErrorCode::INVALID;
    std::string message;
    std::string field;
    Millis retry_after{};
    std::vector<Digest> missing;  // with MISSING_CONTENT
    friend bool operator==(const ErrorReply&, const ErrorReply&) = default;
};
template <class V, Of<ErrorReply> T>
void describe(V& v, T& m) {
    v("code", m.code);
    v("message", m.message);
    v.optional("field", m.field);
    v.optional("retry_after_ms", m.retry_after);
    v.optional("missing", m.missing);
}

}  // namespace zq::wire
