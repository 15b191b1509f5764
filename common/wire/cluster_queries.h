// Reading the coordinator itself: WORKERS, LEASES, STATUS and what they answer (protocol.md,
// "Reading").
#pragma once

#include "common/base/task_state.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// Connected workers.
struct Workers {
    static constexpr std::string_view kType = "WORKERS";
    friend bool operator==(const Workers&, const Workers&) = default;
};
template <class V, Of<Workers> T>
void describe(V&, T&) {}

struct WorkerRow {
    WorkerName worker;
    Identity identity;
    StateId state_id;
    std::uint64_t incarnation = 0;
    std::vector<RoleName> roles;
    std::uint32_t slots = 0;
    std::uint32_t free = 0;
    std::uint32_t running = 0;
    Instant connected_at;
    Instant heard_at;
    std::string program;
    std::vector<std::string> labels;
    bool paused = false;
    bool draining = false;
    friend bool operator==(const WorkerRow&, const WorkerRow&) = default;
};
template <class V, Of<WorkerRow> T>
void describe(V& v, T& m) {
    v("worker", m.worker);
    v("identity", m.identity);
    v("state_id", m.state_id);
    v("incarnation", m.incarnation);
    v("roles", m.roles);
    v("slots", m.slots);
    v("free", m.free);
    v("running", m.running);
    v("connected_at", m.connected_at);
    v("heard_at", m.heard_at);
    v.optional("program", m.program);
    v.optional("labels", m.labels);
    v.optional("paused", m.paused);
    v.optional("draining", m.draining);
}

struct WorkerRows {
    static constexpr std::string_view kType = "WORKER_ROWS";
    std::vector<WorkerRow> rows;
    friend bool operator==(const WorkerRows&, const WorkerRows&) = default;
};
template <class V, Of<WorkerRows> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
}

/// Who holds what.
struct Leases {
    static constexpr std::string_view kType = "LEASES";
    RoleName role;  // empty: any
    friend bool operator==(const Leases&, const Leases&) = default;
};
template <class V, Of<Leases> T>
void describe(V& v, T& m) {
    v.optional("to", m.role);
}

struct LeaseRow {
    TaskId task;
    RoleName role;
    std::uint32_t attempt = 0;
    WorkerName worker;
    Identity identity;
    bool by_hand = false;
    bool confirmed = false;  // the holder has listed it since the coordinator's start
    Instant since;
    Instant deadline;
    TaskState state = TaskState::kRunning;
    friend bool operator==(const LeaseRow&, const LeaseRow&) = default;
};
template <class V, Of<LeaseRow> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("to", m.role);
    v("attempt", m.attempt);
    v("worker", m.worker);
    v("identity", m.identity);
    v.optional("by_hand", m.by_hand);
    v.optional("confirmed", m.confirmed);
    v("since", m.since);
    v("deadline", m.deadline);
    v("state", m.state);
}

struct LeaseRows {
    static constexpr std::string_view kType = "LEASE_ROWS";
    std::vector<LeaseRow> rows;
    bool more = false;
    friend bool operator==(const LeaseRows&, const LeaseRows&) = default;
};
template <class V, Of<LeaseRows> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v.optional("more", m.more);
}

/// The state of the coordinator.
struct Status {
    static constexpr std::string_view kType = "STATUS";
    friend bool operator==(const Status&, const Status&) = default;
};
template <class V, Of<Status> T>
void describe(V&, T&) {}

struct RoleRow {
    RoleName role;
    std::uint64_t queued = 0;
    std::uint64_t waiting = 0;  // scheduled and retry_wait
    std::uint64_t running = 0;  // and cancelling
    std::uint64_t dead = 0;     // and expired
    std::uint32_t workers = 0;
    std::uint32_t slots = 0;
    Millis oldest{};               // how long the oldest queued task has waited
    std::uint64_t kept = 0;        // ended tasks that have a record, dead ones too
    std::uint64_t kept_bytes = 0;  // of logs, artifacts and checkpoints that they hold
    std::uint64_t dead_bytes = 0;  // of that: the dead and expired ones
    std::uint64_t open_bytes = 0;  // of open tasks' envelopes and inputs
    bool paused = false;
    bool closed = false;
    Limits limits;  // that hold
    friend bool operator==(const RoleRow&, const RoleRow&) = default;
};
template <class V, Of<RoleRow> T>
void describe(V& v, T& m) {
    v("role", m.role);
    v("queued", m.queued);
    v("waiting", m.waiting);
    v("running", m.running);
    v("dead", m.dead);
    v("workers", m.workers);
    v("slots", m.slots);
    v("oldest_ms", m.oldest);
    v.optional("kept", m.kept);
    v.optional("kept_bytes", m.kept_bytes);
    v.optional("dead_bytes", m.dead_bytes);
    v.optional("open_bytes", m.open_bytes);
    v.optional("paused", m.paused);
    v.optional("closed", m.closed);
    v.optional("limits", m.limits);
}

struct StatusReply {
    static constexpr std::string_view kType = "STATUS_REPLY";
    std::string program;
    std::string journal;
    Instant started_at;
    Instant now;
    std::uint64_t last_seq = 0;
    Digest chain_head;
    std::vector<RoleRow> roles;
    std::map<std::string, std::string> counters;  // name to decimal number
    bool storage_full = false;
    friend bool operator==(const StatusReply&, const StatusReply&) = default;
};
template <class V, Of<StatusReply> T>
void describe(V& v, T& m) {
    v("program", m.program);
    v("journal", m.journal);
    v("started_at", m.started_at);
    v("now", m.now);
    v("last_seq", m.last_seq);
    v("chain_head", m.chain_head);
    v("roles", m.roles);
    v.optional("counters", m.counters);
    v.optional("storage_full", m.storage_full);
}

}  // namespace zq::wire
