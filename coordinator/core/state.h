// The one value the core works on. It has a durable part, which journaled events alone change and
// which recovery restores hash for hash, indexes that follow from it, and a volatile part
// (sessions, credit, lease clocks, progress) which notices change and a restart forgets. Only
// apply.cc writes it.
#pragma once

#include <absl/container/btree_set.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "coordinator/core/command.h"
#include "coordinator/core/event.h"
#include "coordinator/core/open_tasks.h"
#include "coordinator/core/policy.h"
#include "coordinator/core/ready_queue.h"

namespace zq::core {

struct RequestKey {
    Identity identity;
    ClientId client;
    std::uint64_t request = 0;
    friend auto operator<=>(const RequestKey&, const RequestKey&) = default;
};

struct RequestRecord {
    TaskKey task;
    LeaseToken token;
    Instant at;
    friend bool operator==(const RequestRecord&, const RequestRecord&) = default;
};

/// Changed by events alone.
struct Durable {
    JournalId journal = 0;
    Epoch epoch = 0;
    std::uint64_t last_token = 0;  // number of the last lease token given
    Seq last_seq = 0;
    Instant last_at;
    OpenTasks open;
    std::set<RoleKey> roles_served;
    std::map<RequestKey, RequestRecord> requests;
    std::map<ControlKey, Control> controls;
    std::map<std::string, KeyAccess> access;  // known keys, by their fingerprint
};

struct RoleIndex {
    ReadyQueue ready;
    std::uint64_t waiting = 0;                        // scheduled, blocked, retry_wait, …
    std::uint64_t running = 0;                        // running, cancelling
    std::uint64_t bytes = 0;                          // of all open tasks
    std::array<std::uint64_t, kTaskStates> states{};  // open tasks by their state

    std::uint64_t open() const { return ready.size() + waiting + running; }
    friend bool operator==(const RoleIndex&, const RoleIndex&) = default;
};

/// The open tasks of one limit key.
struct LimitKeyIndex {
    std::uint64_t running = 0;                // running, cancelling
    std::map<RoleName, std::uint64_t> ready;  // how many, by role
    friend bool operator==(const LimitKeyIndex&, const LimitKeyIndex&) = default;
};

enum class TimerKind : std::uint8_t {
    kReady,
    kExpire,
    kNoAnswer,
    kDeadline,
    kResolve,
};
struct Timer {
    Instant due;
    Seq submitted_seq = 0;
    TimerKind kind = TimerKind::kReady;
    TaskKey task;
    friend auto operator<=>(const Timer&, const Timer&) = default;
};

/// Follows from the durable part.
struct Indexes {
    std::map<RoleKey, RoleIndex> roles;
    std::map<std::pair<Namespace, std::string>, LimitKeyIndex> limit_keys;
    std::uint64_t bytes = 0;  // of all open tasks
    std::map<Identity, std::uint64_t> open_by_submitter;
    std::set<std::pair<Instant, ControlKey>> held;  // controls that say nothing else, by the end
    std::set<Timer> timers;
    std::map<std::uint64_t, TaskKey> leases;  // token number of every current lease
    std::map<std::uint64_t, TaskKey> lost;    // token number of every lost lease that may come back
    std::map<StateId, std::set<std::uint64_t>> by_holder;  // tokens of the leases of each worker
    std::set<std::pair<Instant, TaskKey>> asking;  // open questions, by when they were asked
    std::map<std::pair<Namespace, std::string>, TaskKey> by_idempotency_key;
    std::map<std::pair<Namespace, std::string>, TaskKey> by_unique_key;
    std::map<std::pair<Instant, Seq>, RequestKey> requests_by_time;
    std::map<std::pair<Identity, ClientId>, std::uint32_t> requests_per_client;
    std::map<std::pair<Namespace, GroupName>, std::uint64_t> open_in_group;
    /// The blocked tasks that wait for a task which has not ended, in the order of their submits.
    std::map<TaskKey, std::set<std::pair<Seq, TaskKey>>> dependants;
    /// How many open tasks name a task as one they wait for, or have waited for: it is their input.
    std::map<TaskKey, std::uint64_t> needed;
    /// Tasks that ended, and attempts that ended, since the store last projected: memory wins over
    /// rows.
    std::map<TaskKey, Shared<Task>> ended;
    std::map<std::pair<TaskKey, std::uint32_t>, Attempt> attempts;
    /// Likewise: contents that were stored or referred to, and that were condemned; tasks that were
    /// removed, and ended ones whose artifacts or logs were. By the event that says so.
    std::map<Digest, Seq> used;
    std::map<Digest, Seq> condemned;
    std::map<TaskKey, Seq> removed;
    std::map<TaskKey, Seq> artifacts_removed;
    /// What the store must project with the next batch.
    absl::btree_set<SharedKey> changed_tasks;
    std::set<std::pair<TaskKey, std::uint32_t>> changed_attempts;
};

struct Session {
    SessionId id = 0;
    Namespace ns;
    WorkerName worker;
    Identity identity;
    StateId state_id;
    std::uint64_t incarnation = 0;
    std::vector<RoleName> roles;
    std::vector<std::string> labels;  // sorted
    std::uint32_t slots = 0;
    std::uint32_t free = 0;  // credit left
    std::uint64_t last_assigned =
        0;                    // token number; orders idle sessions, least recently used first
    std::uint64_t heard = 0;  // id of its last HELLO, READY or HEARTBEAT
    Instant connected_at;
    Instant heard_at;
    std::string program;
};

/// When a lease ends if it is not renewed. It expires one heartbeat interval after `deadline`.
struct LeaseClock {
    Instant deadline;
    bool confirmed = false;  // the holder has listed it since it was given or restored
    SessionId session = 0;   // of its holder; 0: by hand, or not connected
    /// When the coordinator ends the attempt, whose time was over before; unset: it has no bound,
    /// or its holder has not been heard since the start and may have ended it long ago.
    Instant ends_by;
};

struct ProgressView {
    std::uint32_t percent = 0;
    std::string step;
    std::string message;
    Instant at;
    Instant journaled_at;
};

/// When a submitter's task of a role was started last, with the token's number; or, with 0, when it
/// had ready tasks again.
struct Turn {
    Instant at;
    std::uint64_t token = 0;
};

/// A worker that is not connected any more.
struct Seen {
    WorkerName worker;
    Instant at;  // when it was heard last
};

/// Lost at a restart.
struct Volatile {
    std::map<SessionId, Session> sessions;
    std::map<std::pair<Namespace, WorkerName>, SessionId> by_name;
    std::map<StateId, SessionId> by_state_id;
    std::set<std::pair<Instant, SessionId>> by_heard;  // the longest silent first
    std::map<RoleKey, std::set<std::pair<std::uint64_t, SessionId>>> idle;  // by last_assigned
    std::map<std::uint64_t, LeaseClock> clocks;                             // by token number
    std::set<std::pair<Instant, std::uint64_t>> deadlines;
    std::set<std::pair<Instant, std::uint64_t>> overdue;  // of the clocks, by ends_by
    std::map<TaskKey, ProgressView> progress;
    std::set<RoleKey> to_match;
    std::map<RoleKey, Seen> seen;  // the last worker that left a role
    /// Of all that have ready tasks.
    std::map<std::pair<RoleKey, Submitter>, Turn> turns;
    /// Roles with ready tasks that may start later, and when they are to be looked at again.
    std::map<RoleKey, Instant> waiting;
    std::set<std::pair<Instant, RoleKey>> wakes;
    /// Until when the starts of a role or limit key are spent, in microseconds (gates.h); those of
    /// which nothing is spent any more may be missing.
    std::map<ControlKey, std::int64_t> rates;
    std::set<std::pair<std::int64_t, ControlKey>> rates_by_time;
    Instant rates_from;  // the last event before the start: what was spent up to it is not known
};

struct State {
    Durable durable;
    Indexes index;
    Volatile now;
};

/// The task: open, or ended since the last projection. Null: ask the facts.
const Task* find_task(const State& state, const TaskKey& key);
/// The task whose current lease has this token; null if none has.
const Task* find_holder(const State& state, const LeaseToken& token);
/// The queued task whose lost lease has this token and may still be resumed; null if none has.
const Task* find_lost(const State& state, const LeaseToken& token);
/// The moment at which the loop must send Tick; kNever if nothing is due ever.
Instant next_deadline(const State& state, const Policy& policy);

}  // namespace zq::core
