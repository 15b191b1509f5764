#include "coordinator/edge/stats.h"

#include <algorithm>

#include "coordinator/edge/cluster.h"
#include "coordinator/edge/rows.h"

namespace zq::edge {
namespace {

using Rows = std::map<std::string, wire::StatsRow>;
using States = std::array<std::uint64_t, kTaskStates>;

wire::DurationStats durations_of(const store::Durations& durations) {
    return {durations.count(), durations.percentile(50), durations.percentile(90),
            durations.percentile(99)};
}

/// What happened in the window.
void put_flow(wire::StatsRow& row, const store::Rollup& rollup) {
    row.submitted = rollup.submitted;
    row.completed = rollup.completed;
    row.skipped = rollup.skipped;
    row.cancelled = rollup.cancelled;
    row.dead = rollup.dead;
    row.expired = rollup.expired;
    row.dlq_growth = static_cast<std::int64_t>(rollup.dead + rollup.expired) -
                     static_cast<std::int64_t>(rollup.dlq_left);
    row.started = rollup.started;
    row.retries = rollup.retries;
    row.failed = rollup.failed;
    row.lost = rollup.lost;
    row.wait = durations_of(rollup.wait);
    row.run = durations_of(rollup.run);
    row.total = durations_of(rollup.total);
    row.cost_usd_micros = rollup.cost_usd_micros;
    row.input_tokens = rollup.input_tokens;
    row.output_tokens = rollup.output_tokens;
}

Result<void> read_flow(store::Reader& reader, const wire::Stats& stats, Millis span, Instant since,
                       Rows& rows) {
    const bool all = stats.by == StatsBy::kAll;
    const StatsBy by = all ? StatsBy::kRole : stats.by;
    auto sums = reader.rollups(kDefaultNamespace, by, span, since);
    if (!sums) return Failure(sums.error());
    store::Rollup together;
    for (const auto& [name, rollup] : *sums) {
        if (all) {
            together.add(rollup);
        } else {
            put_flow(rows[name], rollup);
        }
    }
    if (all) put_flow(rows[{}], together);
    return {};
}

/// How things stand, with the row of each role, or the one of all.
struct Standing {
    const core::State& state;
    const wire::Stats& stats;
    Instant now;
    Rows& rows;
    std::map<std::string, States> depths{};

    std::string name_of(const RoleName& role) const {
        return stats.by == StatsBy::kAll ? std::string() : role.text;
    }

    void add_depths(const core::Policy& policy) {
        for (const auto& [key, role] : state.index.roles) {
            const std::string name = name_of(key.role);
            wire::StatsRow& row = rows[name];
            row.oldest = std::max(row.oldest, oldest_wait(state, policy, role, now));
            States& sums = depths[name];
            for (std::size_t i = 0; i < kTaskStates; ++i) sums.at(i) += role.states.at(i);
        }
        for (const auto& [name, sums] : depths) {
            for (std::size_t i = 0; i < kTaskStates; ++i) {
                if (sums.at(i) == 0) continue;
                rows[name].depth.push_back({static_cast<TaskState>(i), sums.at(i)});
            }
        }
    }

    void add_session(const std::string& name, const core::Session& session) {
        wire::StatsRow& row = rows[name];
        ++row.workers;
        row.slots += session.slots;
        row.heard = std::max(row.heard, now - session.heard_at);
    }

    void add_sessions() {
        for (const auto& [id, session] : state.now.sessions) {
            if (stats.by == StatsBy::kAll) add_session({}, session);
            if (stats.by == StatsBy::kWorker) add_session(session.worker.text, session);
            if (stats.by != StatsBy::kRole) continue;
            for (const RoleName& role : session.roles) add_session(role.text, session);
        }
    }

    Result<void> add_dead(store::Reader& reader) {
        auto dead = reader.dead_counts();
        if (!dead) return Failure(dead.error());
        for (const auto& [key, number] : *dead) rows[name_of(key.role)].dlq += number;
        return {};
    }
};

}  // namespace

Result<wire::StatsReply> read_stats(const core::State& state, const core::Policy& policy,
                                    store::Reader& reader, const wire::Stats& stats, Instant now) {
    const Millis span = store::span_for(stats.window).length;
    wire::StatsReply reply;
    reply.now = now;
    reply.since = store::bucket_of(now - stats.window, span);
    Rows rows;
    if (auto ok = read_flow(reader, stats, span, reply.since, rows); !ok) {
        return Failure(ok.error());
    }
    Standing standing{state, stats, now, rows};
    standing.add_sessions();
    if (stats.by == StatsBy::kAll || stats.by == StatsBy::kRole) {
        standing.add_depths(policy);
        if (auto ok = standing.add_dead(reader); !ok) return Failure(ok.error());
    }
    RowBudget budget(kRowBytes);
    for (auto& [name, row] : rows) {
        row.name = name;
        reply.more = !budget.take(row);
        if (reply.more) break;
        reply.rows.push_back(std::move(row));
    }
    return reply;
}

}  // namespace zq::edge
