// What is to be said to peers once the facts behind it are durable. The edge turns effects into
// messages; the loop holds each until its sequence number is on disk.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "coordinator/core/command.h"

namespace zq::core {

struct LeaseWord {
    LeaseToken token;
    Verdict verdict = Verdict::kOk;
    friend bool operator==(const LeaseWord&, const LeaseWord&) = default;
};

struct Rejected {
    Error error;
    std::vector<Digest> missing;
};
struct SubmitAnswer {
    TaskId task;
    TaskState state = TaskState::kQueued;
    bool duplicate = false;
    bool role_served = true;
    std::string nearest_role;
};
struct BatchItem {
    TaskId task;  // as it was submitted
    std::variant<SubmitAnswer, Rejected> said;
};
/// Entry by entry. `refused`: it was to be all or none, and is none: for those that are `Rejected`.
struct BatchAnswer {
    std::vector<BatchItem> items;
    bool refused = false;
};
struct WelcomeAnswer {
    Millis lease{};
    Millis heartbeat{};
    std::vector<LeaseWord> leases;
};
struct BeatAnswer {
    std::vector<LeaseWord> leases;
    bool drain = false;  // the worker is to end what it has, and itself
};
struct AcceptedAnswer {
    TaskId task;
    TaskState state = TaskState::kQueued;
    std::uint32_t attempt = 0;
};
struct ClaimAnswer {
    TaskKey task;
    Seq spec_seq = 0;  // where the spec lies
    LeaseToken token;
    std::uint32_t attempt = 0;
    Millis term{};
    std::vector<CheckpointRef> checkpoints;
    std::vector<Question> questions;
    Feedback feedback;
    Millis run_timeout{};  // 0: no bound
};
struct QuestionAnswer {
    TaskId task;
    LeaseToken token;
    Question question;
};
/// A replay, an edit or a removal is done.
struct ChangedAnswer {
    TaskId task;
};
/// A control is set; as it is now.
struct ControlAnswer {
    ControlKind kind = ControlKind::kRole;
    std::string name;
    Control control;
};
struct GoodbyeAnswer {};
struct StoredAnswer {
    Digest digest;
    std::uint64_t size = 0;
};

using AnswerBody = std::variant<Rejected, SubmitAnswer, WelcomeAnswer, BeatAnswer, AcceptedAnswer,
                                ClaimAnswer, QuestionAnswer, ChangedAnswer, GoodbyeAnswer,
                                StoredAnswer, BatchAnswer, ControlAnswer>;

/// The one answer to a request. `after`: it may leave when this sequence number is durable; unset:
/// when everything decided so far is.
struct Answer {
    ReturnPath to = 0;
    AnswerBody body;
    std::optional<Seq> after;
};

/// A task for a worker's free slot.
struct Assignment {
    TaskKey task;
    Seq spec_seq = 0;  // where the spec lies
    Lease lease;
    std::uint64_t answers = 0;  // the last READY, HEARTBEAT or HELLO seen of that session
    Identity submitter;
    Instant submitted_at;
    std::vector<CheckpointRef> checkpoints;
    std::vector<Question> questions;
    Feedback feedback;
    Millis run_timeout{};  // what the attempt has of time; 0: no bound
};
/// A question of a running attempt is closed.
struct QuestionNews {
    TaskId task;
    LeaseToken token;
    Question question;
};
/// The worker is to end what it has, and itself.
struct DrainWord {};
using PushBody = std::variant<Assignment, LeaseWord, QuestionNews, DrainWord>;

/// Something unasked for a worker's session.
struct Push {
    SessionId to = 0;
    PushBody body;
};

using Effect = std::variant<Answer, Push>;

}  // namespace zq::core
