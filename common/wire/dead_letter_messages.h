// What a client may do with work that has ended (protocol.md, "Work that has ended"): run it again,
// repair it, remove it. Each is remembered under its request id, and answered by CHANGED.
#pragma once

#include <optional>

#include "common/wire/worker_messages.h"

namespace zq::wire {

/// What becomes another in a task's envelope. What is absent stays as it is.
struct Changes {
    RoleName role;
    std::optional<std::string> type;
    std::optional<std::string> instructions;
    std::optional<std::string> payload;  // JSON text; empty: none any more
    std::optional<std::uint32_t> priority;
    std::optional<std::uint32_t> max_attempts;
    std::optional<Millis> run_timeout;              // 0: none any more
    std::optional<Millis> ttl;                      // 0: none any more
    std::optional<std::string> limit_key;           // empty: none any more
    std::optional<std::vector<std::string>> needs;  // empty: none any more
    bool allow_secrets = false;                     // in it, from now on
    friend bool operator==(const Changes&, const Changes&) = default;
};
template <class V, Of<Changes> T>
void describe(V& v, T& c) {
    v.optional("to", c.role);
    v.optional("type", c.type);
    v.optional("instructions", c.instructions);
    v.optional("payload", c.payload);
    v.optional("priority", c.priority);
    v.optional("max_attempts", c.max_attempts);
    v.optional("run_timeout_ms", c.run_timeout);
    v.optional("ttl_ms", c.ttl);
    v.optional("limit_key", c.limit_key);
    v.optional("needs", c.needs);
    v.optional("allow_secrets", c.allow_secrets);
}

/// Queues a task that has ended again: under its id, with its history, its artifacts and the number
/// of its next attempt. Failures, losses and deferrals are counted from 0; its ttl begins anew.
struct Replay {
    static constexpr std::string_view kType = "REPLAY";
    TaskId task;
    bool fresh = false;             // checkpoints and feedback are forgotten
    bool keep_checkpoints = false;  // with `fresh`: but for these
    bool dead_only = false;         // CONFLICT unless it is dead or expired
    Changes changes;
    std::string reason;
    friend bool operator==(const Replay&, const Replay&) = default;
};
template <class V, Of<Replay> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v.optional("fresh", m.fresh);
    v.optional("keep_checkpoints", m.keep_checkpoints);
    v.optional("dead_only", m.dead_only);
    v.optional("changes", m.changes);
    v.optional("reason", m.reason);
}

/// Repairs a dead or expired task, which stays what it is.
struct Edit {
    static constexpr std::string_view kType = "EDIT";
    TaskId task;
    Changes changes;
    std::string reason;
    friend bool operator==(const Edit&, const Edit&) = default;
};
template <class V, Of<Edit> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("changes", m.changes);
    v.optional("reason", m.reason);
}

/// Removes a dead or expired task for good, with its attempts; contents that nothing refers to any
/// more leave with retention. `erase`: any ended task, and the texts of all its events too, or
/// those of one that was removed before; admins alone.
struct Remove {
    static constexpr std::string_view kType = "REMOVE";
    TaskId task;
    std::string reason;
    bool erase = false;
    friend bool operator==(const Remove&, const Remove&) = default;
};
template <class V, Of<Remove> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v.optional("reason", m.reason);
    v.optional("erase", m.erase);
}

/// Answers REPLAY, EDIT and REMOVE: it is done, now or by an earlier sending of the request.
struct Changed {
    static constexpr std::string_view kType = "CHANGED";
    TaskId task;
    friend bool operator==(const Changed&, const Changed&) = default;
};
template <class V, Of<Changed> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
}

}  // namespace zq::wire
