// The facts that are journaled. An event records what was decided, never why it could be, so that
// an old journal replays alike under new rules. `apply` (apply.h) is the only reader that changes
// state. Their bytes are store/event_codec.h's; their numbers on disk follow this variant's order:
// append new ones at the end, and never reorder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>

#include "common/base/access.h"
#include "common/base/shared.h"
#include "coordinator/core/control.h"
#include "coordinator/core/task.h"

namespace zq::core {

/// The coordinator started on this journal. Tokens of the epoch start at epoch << 32.
struct EpochStarted {
    JournalId journal = 0;
    std::string program;
    friend bool operator==(const EpochStarted&, const EpochStarted&) = default;
};

struct TaskSubmitted {
    Shared<TaskSpec> spec;
    Digest request;
    TaskState state = TaskState::kQueued;  // or kScheduled, kBlocked
    std::int64_t rank = 0;
    Instant due_at;
    Instant expires_at;
    Instant deadline_at;
    std::string upstream;   // blocked: what became so far of each that it waits for, in order
    bool labelled = false;  // its record has the labels; false in what older programs have written
    std::uint64_t bytes = 0;  // what it counts for; 0 in what older programs have written
    friend bool operator==(const TaskSubmitted&, const TaskSubmitted&) = default;
};

/// A scheduled or waiting task may be assigned now.
struct TaskReady {
    std::int64_t rank = 0;
    friend bool operator==(const TaskReady&, const TaskReady&) = default;
};

struct TaskAssigned {
    Lease lease;
    friend bool operator==(const TaskAssigned&, const TaskAssigned&) = default;
};

/// A lost lease, whose task nobody else got, is its holder's again: the loss is taken back.
struct LeaseResumed {
    LeaseToken token;
    std::uint32_t losses = 0;  // of the task, after it
    friend bool operator==(const LeaseResumed&, const LeaseResumed&) = default;
};

struct ProgressNoted {
    LeaseToken token;
    std::uint32_t percent = 0;
    std::string step;
    std::string message;
    friend bool operator==(const ProgressNoted&, const ProgressNoted&) = default;
};

/// What a task becomes when an attempt ends, with its counters after it.
struct Next {
    TaskState state = TaskState::kQueued;
    DeadReason dead_reason = DeadReason::kNone;
    std::int64_t rank = 0;  // queued
    Instant due_at;         // retry_wait
    std::uint32_t failures = 0;
    std::uint32_t losses = 0;
    std::uint32_t deferrals = 0;
    std::uint32_t waits = 0;
    bool feedback = false;  // the attempt's reason is told to the next one
    Spent spent;            // where there is a budget
    friend bool operator==(const Next&, const Next&) = default;
};

/// An attempt ended: completed, skipped, failed, released, lost, undelivered or cancelled.
struct AttemptEnded {
    Attempt attempt;
    Next next;
    friend bool operator==(const AttemptEnded&, const AttemptEnded&) = default;
};

/// A cancel was asked of a running task.
struct CancelRequested {
    std::string reason;
    friend bool operator==(const CancelRequested&, const CancelRequested&) = default;
};

/// A waiting task was cancelled.
struct TaskCancelled {
    std::string reason;
    friend bool operator==(const TaskCancelled&, const TaskCancelled&) = default;
};

/// The ttl passed before the first attempt; or the deadline passed while it waited: then it is
/// `expired` if it never started, else dead.
struct TaskExpired {
    TaskState state = TaskState::kExpired;  // or kDead
    bool deadline = false;
    friend bool operator==(const TaskExpired&, const TaskExpired&) = default;
};

/// A worker served this role for the first time.
struct RoleServed {
    RoleName role;
    friend bool operator==(const RoleServed&, const RoleServed&) = default;
};

/// Content is in the artifact store; `inlined`: in the journal's own database.
struct ContentStored {
    Digest digest;
    std::uint64_t size = 0;
    bool inlined = false;
    std::vector<std::string> secrets = {};  // kinds of those that were found in its text
    friend bool operator==(const ContentStored&, const ContentStored&) = default;
};

/// The answer to a client's write, remembered so that a repetition gets the same one.
struct RequestRecorded {
    ClientId client;
    std::uint64_t request = 0;
    LeaseToken token;
    friend bool operator==(const RequestRecorded&, const RequestRecorded&) = default;
};

/// The holder saved something for the next attempt. `dropped`: the number of an older checkpoint
/// that is not kept any more, `released` its content; 0: none.
struct CheckpointSaved {
    LeaseToken token;
    CheckpointRef checkpoint;
    std::uint32_t dropped = 0;
    Digest released;
    friend bool operator==(const CheckpointSaved&, const CheckpointSaved&) = default;
};

/// A person is asked. With `question.parked` the attempt's end follows at once.
struct QuestionAsked {
    LeaseToken token;
    Question question;  // open
    friend bool operator==(const QuestionAsked&, const QuestionAsked&) = default;
};

/// The open question got its answer, or its time is over. A parked task is queued again.
struct QuestionClosed {
    std::string question;                            // its id
    QuestionState state = QuestionState::kAnswered;  // or kNoAnswer
    std::string choice;
    std::string answer;
    std::int64_t rank = 0;                       // of the task, where it is queued again
    std::optional<Spent> budget_from;            // the task may use its budget once more
    DeadReason dead_reason = DeadReason::kNone;  // where it ends the task
    TaskState next = TaskState::kQueued;         // of one that was parked, where it does not die
    bool allow_secrets = false;                  // the answer may hold what looks like a secret
    friend bool operator==(const QuestionClosed&, const QuestionClosed&) = default;
};

struct CondemnedContent {
    Digest digest;
    std::uint64_t size = 0;
    bool inlined = false;
    friend bool operator==(const CondemnedContent&, const CondemnedContent&) = default;
};

/// Contents that nothing refers to leave: inline bytes with this event, files after it is durable.
/// `removed_upto`: the files of all such events up to this one are gone.
struct ContentsCondemned {
    std::vector<CondemnedContent> contents;
    Seq removed_upto = 0;
    friend bool operator==(const ContentsCondemned&, const ContentsCondemned&) = default;
};

/// What the attempts of an ended task left is let go: its logs, or all the rest and its
/// checkpoints. Names, sizes and digests stay. `released`: one digest for each reference.
struct ArtifactsRemoved {
    Seq submitted_seq = 0;  // of the task: its id may have had an earlier life
    RemovedKind kind = RemovedKind::kArtifacts;
    std::vector<Digest> released;
    std::uint64_t bytes = 0;
    RetentionRule rule = RetentionRule::kAge;
    friend bool operator==(const ArtifactsRemoved&, const ArtifactsRemoved&) = default;
};

/// An ended task leaves the projections, with its attempts and its idempotency key.
struct TaskRemoved {
    Seq submitted_seq = 0;
    std::vector<Digest> released;
    std::uint64_t bytes = 0;
    std::string reason;  // of whoever removed it by hand
    RetentionRule rule = RetentionRule::kAge;
    friend bool operator==(const TaskRemoved&, const TaskRemoved&) = default;
};

/// What the running attempt has used so far, in all.
struct UsageNoted {
    LeaseToken token;
    Usage usage;
    friend bool operator==(const UsageNoted&, const UsageNoted&) = default;
};

/// Nothing is left of a waiting task's budget: a person is asked, or it is dead.
struct BudgetReached {
    Spent spent;
    std::optional<Question> question;  // open and parked
    friend bool operator==(const BudgetReached&, const BudgetReached&) = default;
};

/// An ended task becomes another. It may be long out of memory, and its events long dropped: its
/// whole record is here, before and after, and its attempts, which stay as they are.
struct Revision {
    Task before;
    Task after;  // changed_seq and edited_seq follow from the event
    std::vector<Attempt> attempts;
    std::optional<TaskSpec> spec;      // the envelope from now on, where it was changed
    std::vector<std::string> changed;  // its fields that were
    std::string reason;
    friend bool operator==(const Revision&, const Revision&) = default;
};

/// It is queued again. `released`: the contents of checkpoints that are not kept, one digest each.
struct TaskReplayed {
    Shared<Revision> revision;
    bool fresh = false;
    std::vector<Digest> released;
    friend bool operator==(const TaskReplayed&, const TaskReplayed&) = default;
};

/// Its envelope was repaired; it stays ended.
struct TaskEdited {
    Shared<Revision> revision;
    friend bool operator==(const TaskEdited&, const TaskEdited&) = default;
};

/// One that a blocked task waits for has ended; or (`upstream` is empty) it was decided before what
/// that means.
struct UpstreamEnded {
    TaskId upstream;
    bool well = false;
    TaskState state = TaskState::kBlocked;  // then: or kQueued, kScheduled, kSkipped, kDead
    std::int64_t rank = 0;                  // queued, scheduled
    Instant due_at;                         // scheduled
    Instant expires_at;                     // queued, scheduled: where it has a ttl
    friend bool operator==(const UpstreamEnded&, const UpstreamEnded&) = default;
};

/// What is said of a role, a limit key or a worker from now on, whole; nothing where `control` is
/// as it is made.
struct ControlChanged {
    ControlKind kind = ControlKind::kRole;
    std::string name;
    Control control;
    std::string reason;  // of whoever changed it, also where nothing is said any more
    friend bool operator==(const ControlChanged&, const ControlChanged&) = default;
};

/// The texts of a task's earlier events are erased (redact.h), of all lives of its id; it has no
/// row any more. `contents`: what those events refer to, which leaves as soon as nothing else does.
struct TextsErased {
    std::vector<ErasedBody> bodies;  // in the order of seq
    std::vector<Digest> contents;
    std::string reason;
    friend bool operator==(const TextsErased&, const TextsErased&) = default;
};

/// What a key may do from now on, whole; nothing where it is not known any more.
struct AccessChanged {
    std::string fingerprint;  // of the key, 16 hex digits
    std::optional<KeyAccess> access;
    std::string reason;  // of whoever changed it
    friend bool operator==(const AccessChanged&, const AccessChanged&) = default;
};

using EventBody =
    std::variant<EpochStarted, TaskSubmitted, TaskReady, TaskAssigned, LeaseResumed, ProgressNoted,
                 AttemptEnded, CancelRequested, TaskCancelled, TaskExpired, RoleServed,
                 ContentStored, RequestRecorded, CheckpointSaved, QuestionAsked, QuestionClosed,
                 ContentsCondemned, ArtifactsRemoved, TaskRemoved, UsageNoted, BudgetReached,
                 TaskReplayed, TaskEdited, UpstreamEnded, ControlChanged, AccessChanged,
                 TextsErased>;

/// `task.id` is empty for events that are not about one task.
struct Event {
    Seq seq = 0;
    Instant at;
    Epoch epoch = 0;
    TaskKey task;
    Identity identity;
    EventBody body;
    friend bool operator==(const Event&, const Event&) = default;
};

/// The envelope that an event brings; null if it brings none.
const TaskSpec* spec_in(const EventBody& body);
/// The same to keep.
std::optional<Shared<TaskSpec>> shared_spec(const EventBody& body);
/// What an event says of an ended task that becomes another; null if it says nothing of that.
const Revision* revision_of(const EventBody& body);

/// The kind's word, such as `task_submitted`.
std::string_view kind_of(const EventBody& body);
/// Every kind's word, in the order of their numbers.
std::span<const std::string_view> event_kinds();
/// The role that an event is about which is not about a task; null if it is about none.
const RoleName* role_in(const EventBody& body);

}  // namespace zq::core
