// Everything that can ask the core to decide: what peers say, what the clock says, what the loop
// says. A command carries all that `decide` may know beside the state: the time, a seed, and facts
// about what is no longer in memory, looked up by the edge.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/access.h"
#include "common/base/shared.h"
#include "coordinator/core/control.h"
#include "coordinator/core/task.h"

namespace zq::core {

/// Names a worker's connection, given out by the edge; never a routing id, never reused.
using SessionId = std::uint64_t;
/// Names where an answer goes, given out by the edge; 0: nowhere.
using ReturnPath = std::uint64_t;

/// What is asked of an ended task: whether it is past an age (its own, that of its logs, that of
/// its artifacts), or whether its role holds more bytes than it may.
enum class RetentionDue : std::uint8_t { kTask, kLogs, kArtifacts, kBytes };
/// What an ended task still holds, by its rows.
struct EndedTask {
    RetentionDue due = RetentionDue::kTask;
    TaskKey key;
    RoleName role;
    TaskState state = TaskState::kCompleted;
    Seq submitted_seq = 0;
    Instant ended_at;
    std::vector<Digest> inputs;
    std::vector<Digest> logs;       // empty once they were removed
    std::vector<Digest> artifacts;  // likewise; checkpoints too
    std::uint64_t log_bytes = 0;
    std::uint64_t artifact_bytes = 0;
};

/// What the edge found in the projections about the things a command names. Memory wins: a fact is
/// looked at only where the state does not know the task.
struct Facts {
    std::optional<Task> task;         // the named task, if it has ended
    std::optional<Task> by_key;       // the ended task with the submit's idempotency key
    std::optional<Attempt> attempt;   // the attempt a report names (by number, else the last)
    std::vector<Digest> missing;      // of the contents the command names
    std::map<TaskId, bool> upstream;  // of those a submit waits for, that have ended: how it went
    bool storage_full = false;        // the disk is below its low-water mark
    std::string unmet;                // what a completion lacks by the rules of its task's envelope
    std::optional<Error> payload;     // why the envelope's payload is not what its role takes
    // Of an ended task that is to be replayed, edited or removed:
    std::vector<Attempt> attempts;     // all of them, by number
    std::optional<TaskSpec> spec;      // its envelope, as it is to be (valid)
    std::vector<std::string> changed;  // its fields that become others
    EndedTask held;                    // what it holds
    bool checkpoints_gone = false;     // retention has taken their contents
    // Of a task whose texts are to be erased:
    std::vector<ErasedBody> bodies;  // its events that have any, without them
    std::vector<Digest> contents;    // that its events refer to
    bool known = false;              // there are events of it
};

struct SubmitTask {
    Shared<TaskSpec> spec;  // valid (validate in task_spec.h)
    Digest request;
    std::vector<ArtifactRef> contents;  // inline contents to record as stored
    bool dry_run = false;
};

/// One task of a batch, with what the facts of its SubmitTask would be. An envelope that is not
/// valid has the reason as its `payload` fact.
struct BatchEntry {
    SubmitTask submit;  // `dry_run` is the batch's
    Facts facts;
};

/// Several submits in one commit, each by the rules of SubmitTask, as if those before it had been
/// carried out. At most limits::kBatchTasks, with limits::kBatchContents different contents.
struct SubmitBatch {
    std::vector<BatchEntry> entries;
    bool atomic = false;  // all or none
    bool dry_run = false;
};

/// HELLO.
struct OpenSession {
    SessionId session = 0;
    WorkerName worker;
    StateId state_id;
    std::uint64_t incarnation = 0;
    std::vector<RoleName> roles;
    std::vector<std::string> labels;
    std::uint32_t slots = 1;
    std::vector<LeaseToken> leases;
    std::vector<LeaseToken> reports;
    LeaseToken seen;
    std::string program;
};

/// READY and HEARTBEAT of a worker's session.
struct Renew {
    SessionId session = 0;
    std::uint32_t free = 0;
    LeaseToken seen;
    bool lists_leases = false;  // false for READY: only credit
    std::vector<LeaseToken> leases;
    std::vector<LeaseToken> reports;
};

/// HEARTBEAT of a client that holds by hand.
struct RenewByHand {
    std::vector<LeaseToken> leases;
};

enum class CloseCause : std::uint8_t { kGoodbye, kGone };
struct CloseSession {
    SessionId session = 0;
    CloseCause cause = CloseCause::kGone;
};

/// COMPLETE, SKIP, FAIL, RELEASE. `session` is 0 for a client. An unset token asks to claim a
/// queued task and end it in one commit.
struct EndAttempt {
    enum class Kind : std::uint8_t { kComplete, kSkip, kFail, kRelease };
    Kind kind = Kind::kComplete;
    SessionId session = 0;
    TaskId task;
    LeaseToken token;
    std::string from;
    std::string summary;
    std::string reason;
    FailureClass failure = FailureClass::kError;
    ReleaseCause cause = ReleaseCause::kReleased;
    Millis delay{};                       // of a release, or before the retry of a failure
    std::optional<NewQuestion> question;  // of a release that asks a person
    std::optional<std::int64_t> exit_code;
    std::map<std::string, std::string> output;
    std::vector<ArtifactRef> artifacts;
    std::vector<ArtifactRef> contents;  // inline ones, to record as stored
    Millis duration{};
    Digest report;
    Digest command;  // of what was run
};

struct NoteProgress {
    TaskId task;
    LeaseToken token;
    std::uint32_t percent = 0;
    std::string step;
    std::string message;
};

/// SPEND: totals of the running attempt.
struct NoteUsage {
    TaskId task;
    LeaseToken token;
    Usage usage;
};

struct SaveCheckpoint {
    TaskId task;
    LeaseToken token;
    ArtifactRef ref;
    std::vector<ArtifactRef> contents;  // inline content to record as stored
};

/// ASK, of an attempt that goes on.
struct AskPerson {
    TaskId task;
    LeaseToken token;
    NewQuestion question;  // valid (validate in question.h)
};

/// ANSWER, from outside.
struct AnswerPerson {
    TaskId task;
    std::string question;  // its id; empty: the open one
    std::string choice;
    std::string answer;
    Digest digest;  // of what is approved
    bool allow_secrets = false;
};

/// CLAIM by hand. An unknown wait is the edge's: it asks again when something becomes ready.
struct ClaimTask {
    RoleName role;
    TaskId task;  // empty: the next of the role
    std::string from;
    Millis lease{};
};

struct CancelTask {
    TaskId task;
    std::string reason;
    bool cascade = false;  // those that wait for it too, and so on
};

/// A task that has ended is queued again, under its id and with its history; with the envelope of
/// the facts.
struct ReplayTask {
    TaskId task;
    bool fresh = false;             // checkpoints and feedback are forgotten
    bool keep_checkpoints = false;  // with `fresh`: but for these
    bool dead_only = false;         // refused unless it is dead or expired
    std::string reason;
};

/// A dead or expired task gets the envelope of the facts.
struct EditTask {
    TaskId task;
    std::string reason;
};

/// A dead or expired task goes for good.
struct RemoveTask {
    TaskId task;
    std::string reason;
};

/// An ended task goes for good, and the texts of all its events with it; or those of one that went
/// before. What they are is among the facts.
struct EraseTask {
    TaskId task;
    std::string reason;
};

/// The artifacts thread has content: on disk, or for the journal to keep.
struct StoreContent {
    Digest digest;
    std::uint64_t size = 0;
    std::vector<std::string> secrets = {};  // kinds of those that were found in its text
    bool inlined = false;
};

/// A content that nothing committed refers to, since when.
struct UnusedContent {
    Digest digest;
    std::uint64_t size = 0;
    bool inlined = false;
    Instant since;
};

/// Look whether these may go. At most limits::kTickItems of both. Tasks that are asked for kBytes
/// come alone: of one role, all of them dead or none, the oldest first.
struct Retain {
    std::vector<UnusedContent> contents;
    std::vector<EndedTask> tasks;
    std::uint64_t held = 0;  // kBytes: bytes of all such tasks' logs and artifacts, these included
    Instant begun;           // the pass that found them began
    Seq removed_upto = 0;
};

/// Says something of a role, a limit key or a worker. What is unset stays as it is.
struct SetControl {
    ControlKind kind = ControlKind::kRole;
    std::string name;  // valid for its kind
    std::optional<bool> paused;
    std::optional<bool> closed;  // of a role
    bool drain = false;          // a worker, which must be connected: it ends what it has
    Limits limits;               // those that are set; of a role or a limit key
    bool reset = false;          // its limits are as the configuration says, but for `limits`
    std::string reason;
};

/// What the known keys are and may do, as far as it may have changed: journaled where it has.
struct NoteAccess {
    struct Key {
        std::string fingerprint;
        std::optional<KeyAccess> access;  // none: not known any more
    };
    std::vector<Key> keys;
    std::string reason;
};

/// Give ready tasks to free slots. The loop sends it while `State::to_match` is not empty.
struct Match {};
/// Something is due (`next_deadline`).
struct Tick {};
/// First command of a start.
struct StartEpoch {
    JournalId journal = 0;
    Epoch epoch = 0;
    std::string program;
};
/// The policy is another one from now on, in the midst of service: what it held back is looked at
/// again. Nothing of it is journaled: events record what followed from the policy, never the
/// policy.
struct NotePolicy {
    std::vector<ControlKey> rates;  // of those the configured rate is another one
};
/// The socket is read from now on: restored leases get a full term.
struct BeginService {};
/// The loop did not read for this long: no lease may suffer for it.
struct NoteStall {
    Millis length{};
};

using CommandBody =
    std::variant<SubmitTask, OpenSession, Renew, RenewByHand, CloseSession, EndAttempt,
                 NoteProgress, SaveCheckpoint, AskPerson, AnswerPerson, ClaimTask, CancelTask,
                 ReplayTask, EditTask, RemoveTask, StoreContent, Match, Tick, StartEpoch,
                 BeginService, NoteStall, Retain, NoteUsage, SubmitBatch, SetControl, NoteAccess,
                 NotePolicy, EraseTask>;

struct Command {
    Instant now;
    Identity identity;
    Namespace ns = kDefaultNamespace;
    ReturnPath reply = 0;
    ClientId client;            // of a client's request, else empty
    std::uint64_t request = 0;  // the message's id
    std::uint64_t seed = 0;     // for jitter
    Facts facts;
    CommandBody body;
};

}  // namespace zq::core
