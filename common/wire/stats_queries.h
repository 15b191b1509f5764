// Figures of the queue: STATS and what it answers (protocol.md, "Reading"). What is counted, and
// for how long it is kept, is store/rollup.h's.
#pragma once

#include "common/base/stats_words.h"
#include "common/base/task_state.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// What happened in the last `window`, and, for roles and in all, how things stand now.
struct Stats {
    static constexpr std::string_view kType = "STATS";
    StatsBy by = StatsBy::kAll;
    Millis window = hours(1);  // kStatsWindowMin to kStatsWindowMax
    friend bool operator==(const Stats&, const Stats&) = default;
};
template <class V, Of<Stats> T>
void describe(V& v, T& m) {
    v.optional("by", m.by, StatsBy::kAll);
    v.optional("window_ms", m.window, hours(1));
}

/// Open tasks in one state.
struct StateCount {
    TaskState state = TaskState::kQueued;
    std::uint64_t tasks = 0;
    friend bool operator==(const StateCount&, const StateCount&) = default;
};
template <class V, Of<StateCount> T>
void describe(V& v, T& m) {
    v("state", m.state);
    v("tasks", m.tasks);
}

/// Percentiles, each at most an eighth above the true one.
struct DurationStats {
    std::uint64_t count = 0;
    Millis p50{};
    Millis p90{};
    Millis p99{};
    friend bool operator==(const DurationStats&, const DurationStats&) = default;
};
template <class V, Of<DurationStats> T>
void describe(V& v, T& m) {
    v("count", m.count);
    v("p50_ms", m.p50);
    v("p90_ms", m.p90);
    v("p99_ms", m.p99);
}

struct StatsRow {
    std::string name;  // a role, type, worker or model; empty: in all, or those without one

    // Now; only in all and by role (heard also by worker).
    std::vector<StateCount> depth;  // states without a task are left out
    Millis oldest{};                // how long the oldest queued task has waited
    std::uint64_t dlq = 0;          // dead and expired tasks that are kept
    std::uint32_t workers = 0;
    std::uint32_t slots = 0;
    Millis heard{};  // since a heartbeat of the worker that has been silent longest

    // In the window: tasks.
    std::uint64_t submitted = 0;
    std::uint64_t completed = 0;
    std::uint64_t skipped = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t dead = 0;
    std::uint64_t expired = 0;
    std::int64_t dlq_growth = 0;  // became dead or expired, less what was replayed or removed

    // In the window: attempts.
    std::uint64_t started = 0;
    std::uint64_t retries = 0;  // of those, not the first of their task
    std::uint64_t failed = 0;
    std::uint64_t lost = 0;
    DurationStats wait;   // from a task's submit, or its due time, to its first start
    DurationStats run;    // of an attempt that completed, skipped or failed
    DurationStats total;  // from a task's submit to its end
    std::uint64_t cost_usd_micros = 0;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    friend bool operator==(const StatsRow&, const StatsRow&) = default;
};
template <class V, Of<StatsRow> T>
void describe(V& v, T& m) {
    v.optional("name", m.name);
    v.optional("depth", m.depth);
    v.optional("oldest_ms", m.oldest);
    v.optional("dlq", m.dlq);
    v.optional("workers", m.workers);
    v.optional("slots", m.slots);
    v.optional("heard_ms", m.heard);
    v.optional("submitted", m.submitted);
    v.optional("completed", m.completed);
    v.optional("skipped", m.skipped);
    v.optional("cancelled", m.cancelled);
    v.optional("dead", m.dead);
    v.optional("expired", m.expired);
    v.optional("dlq_growth", m.dlq_growth);
    v.optional("started", m.started);
    v.optional("retries", m.retries);
    v.optional("failed", m.failed);
    v.optional("lost", m.lost);
    v.optional("wait", m.wait);
    v.optional("run", m.run);
    v.optional("total", m.total);
    v.optional("cost_usd_micros", m.cost_usd_micros);
    v.optional("input_tokens", m.input_tokens);
    v.optional("output_tokens", m.output_tokens);
}

struct StatsReply {
    static constexpr std::string_view kType = "STATS_REPLY";
    Instant now;
    Instant since;  // the window begins with the bucket that holds its first moment
    std::vector<StatsRow> rows;
    bool more = false;  // further rows do not fit one message
    friend bool operator==(const StatsReply&, const StatsReply&) = default;
};
template <class V, Of<StatsReply> T>
void describe(V& v, T& m) {
    v("now", m.now);
    v("since", m.since);
    v("rows", m.rows);
    v.optional("more", m.more);
}

}  // namespace zq::wire
