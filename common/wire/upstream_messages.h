// What became of the tasks that a task waited for: asked on the artifacts socket (protocol.md,
// "Artifacts"), because whoever asks fetches their artifacts next.
#pragma once

#include "common/base/task_state.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// Asks for those that the task waited for, in the order of their ids, from the `skip`-th on.
struct Upstream {
    static constexpr std::string_view kType = "UPSTREAM";
    TaskId task;
    std::uint32_t skip = 0;
    std::uint32_t limit = 0;  // rows at most; the answer may hold fewer
    friend bool operator==(const Upstream&, const Upstream&) = default;
};
template <class V, Of<Upstream> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v.optional("skip", m.skip);
    v("limit", m.limit);
}

struct UpstreamRow {
    TaskId id;
    TaskState state = TaskState::kCompleted;  // one that has not ended is not waited for any more
    DeadReason dead_reason = DeadReason::kNone;
    std::uint32_t attempt = 0;  // its last
    std::string summary;
    std::string reason;
    std::vector<ArtifactRef> artifacts;  // of that attempt, logs left out
    WorkerName worker;                   // of that attempt
    Identity identity;                   // likewise
    Digest command;                      // likewise; zero: unsaid
    Instant ended_at;
    friend bool operator==(const UpstreamRow&, const UpstreamRow&) = default;
};
template <class V, Of<UpstreamRow> T>
void describe(V& v, T& m) {
    v("task_id", m.id);
    v("state", m.state);
    v.optional("dead_reason", m.dead_reason);
    v.optional("attempt", m.attempt);
    v.optional("summary", m.summary);
    v.optional("reason", m.reason);
    v.optional("artifacts", m.artifacts);
    v.optional("worker", m.worker);
    v.optional("identity", m.identity);
    v.optional("command", m.command);
    v.optional("ended_at", m.ended_at);
}

/// Answers UPSTREAM.
struct UpstreamRows {
    static constexpr std::string_view kType = "UPSTREAM_ROWS";
    std::vector<UpstreamRow> rows;
    std::uint32_t total = 0;  // that the task waited for
    friend bool operator==(const UpstreamRows&, const UpstreamRows&) = default;
};
template <class V, Of<UpstreamRows> T>
void describe(V& v, T& m) {
    v.optional("rows", m.rows);
    v("total", m.total);
}

}  // namespace zq::wire
