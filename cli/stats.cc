// `stats`: the queue in figures, in all and by role, type, worker, model or label.
#include <array>

#include "cli/command_table.h"
#include "cli/records.h"
#include "cli/session.h"
#include "common/base/money.h"
#include "common/base/nearest.h"

namespace zq::cli {
namespace {

constexpr std::uint64_t kPermille = 1000;

constexpr auto kColumns = std::to_array<Column>({
    {"id", "OF"},
    {"queued", "QUEUED"},
    {"running", "RUNNING"},
    {"oldest_ms", "OLDEST", Cell::kDuration},
    {"submitted", "SUBMITTED"},
    {"completed", "DONE"},
    {"failed", "FAILED"},
    {"failure_rate", "RATE"},
    {"retries", "RETRIES"},
    {"lost", "LOST"},
    {"dlq", "DLQ"},
    {"dlq_growth", "GROWTH"},
    {"wait_p50_ms", "WAIT P50", Cell::kDuration},
    {"wait_p90_ms", "WAIT P90", Cell::kDuration, Where::kWide},
    {"wait_p99_ms", "WAIT P99", Cell::kDuration, Where::kWide},
    {"run_p50_ms", "RUN P50", Cell::kDuration},
    {"run_p90_ms", "RUN P90", Cell::kDuration, Where::kWide},
    {"run_p99_ms", "RUN P99", Cell::kDuration},
    {"total_p50_ms", "TOTAL P50", Cell::kDuration, Where::kWide},
    {"total_p90_ms", "TOTAL P90", Cell::kDuration, Where::kWide},
    {"total_p99_ms", "TOTAL P99", Cell::kDuration, Where::kWide},
    {"workers", "WORKERS"},
    {"slots", "SLOTS"},
    {"heard_ms", "HEARD", Cell::kDuration},
    {"cost_usd", "COST USD"},
    {"input_tokens", "INPUT TOKENS", Cell::kText, Where::kWide},
    {"output_tokens", "OUTPUT TOKENS", Cell::kText, Where::kWide},
    {"started", "STARTED", Cell::kText, Where::kWide},
    {"skipped", "SKIPPED", Cell::kText, Where::kWide},
    {"cancelled", "CANCELLED", Cell::kText, Where::kWide},
    {"dead", "DEAD", Cell::kText, Where::kWide},
    {"expired", "EXPIRED", Cell::kText, Where::kWide},
    {"depth", "DEPTH", Cell::kText, Where::kOnAsking},
    {"by", "BY", Cell::kText, Where::kOnAsking},
    {"since", "SINCE", Cell::kTime, Where::kOnAsking},
    {"failure_permille", "FAILED PERMILLE", Cell::kText, Where::kOnAsking},
    {"cost_usd_micros", "MICROS", Cell::kText, Where::kOnAsking},
});

std::string name_of(const wire::StatsRow& row, StatsBy by) {
    if (by == StatsBy::kAll) return "all";
    return row.name.empty() ? "-" : row.name;
}

std::uint64_t tasks_in(const wire::StatsRow& row, TaskState state) {
    for (const wire::StateCount& one : row.depth) {
        if (one.state == state) return one.tasks;
    }
    return 0;
}

void put_depth(Json& record, const wire::StatsRow& row) {
    Json depth = Json::object();
    for (const wire::StateCount& one : row.depth) {
        depth.set(to_string(one.state), to_json(one.tasks));
    }
    record.set("depth", std::move(depth));
    record.set("queued", to_json(tasks_in(row, TaskState::kQueued)));
    record.set("running", to_json(tasks_in(row, TaskState::kRunning)));
    record.set("oldest_ms", to_json(row.oldest));
    record.set("dlq", to_json(row.dlq));
    record.set("workers", to_json(row.workers));
    record.set("slots", to_json(row.slots));
    record.set("heard_ms", to_json(row.heard));
}

void put_durations(Json& record, const std::string& name, const wire::DurationStats& stats) {
    record.set(name + "_count", to_json(stats.count));
    record.set(name + "_p50_ms", to_json(stats.p50));
    record.set(name + "_p90_ms", to_json(stats.p90));
    record.set(name + "_p99_ms", to_json(stats.p99));
}

/// Of the attempts that ended by themselves or were lost: those that failed or were lost.
void put_rate(Json& record, const wire::StatsRow& row) {
    const std::uint64_t bad = row.failed + row.lost;
    const std::uint64_t all = bad + row.completed + row.skipped;
    const std::uint64_t permille = all == 0 ? 0 : (bad * kPermille + all / 2) / all;
    record.set("failure_permille", to_json(permille));
    const std::string text =
        std::to_string(permille / 10) + "." + std::to_string(permille % 10) + "%";
    record.set("failure_rate", Json::text(all == 0 ? "-" : text));
}

Json stats_record(const wire::StatsReply& reply, const wire::StatsRow& row, StatsBy by) {
    Json record = Json::object();
    record.set("id", Json::text(name_of(row, by)));
    record.set("by", Json::text(to_string(by)));
    record.set("since", to_json(reply.since));
    put_depth(record, row);
    record.set("submitted", to_json(row.submitted));
    record.set("started", to_json(row.started));
    record.set("completed", to_json(row.completed));
    record.set("skipped", to_json(row.skipped));
    record.set("cancelled", to_json(row.cancelled));
    record.set("dead", to_json(row.dead));
    record.set("expired", to_json(row.expired));
    record.set("failed", to_json(row.failed));
    record.set("lost", to_json(row.lost));
    record.set("retries", to_json(row.retries));
    put_rate(record, row);
    record.set("dlq_growth", to_json(row.dlq_growth));
    put_durations(record, "wait", row.wait);
    put_durations(record, "run", row.run);
    put_durations(record, "total", row.total);
    record.set("cost_usd_micros", to_json(row.cost_usd_micros));
    record.set("cost_usd", Json::text(usd_text(row.cost_usd_micros)));
    record.set("input_tokens", to_json(row.input_tokens));
    record.set("output_tokens", to_json(row.output_tokens));
    return with_schema("zq/stats/v1", record);
}

Expected<wire::Stats> read_query(const Arguments& args) {
    wire::Stats stats;
    const std::string by = args.text("by");
    if (args.has("by") && (!from_text(by, stats.by) || stats.by == StatsBy::kAll)) {
        return usage("--by takes role, type, worker, model or label, not '" + by + "'");
    }
    auto window = args.duration("window");
    if (!window) return tl::unexpected(window.error());
    stats.window = window->value_or(stats.window);
    if (stats.window < limits::kStatsWindowMin || stats.window > limits::kStatsWindowMax) {
        return usage("--window takes a time from 5m to 7d");
    }
    return stats;
}

Ending run_stats(const Context& context) {
    auto query = read_query(context.args);
    if (!query) return tl::unexpected(query.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    auto reply = (*session)->call<wire::StatsReply>(*query);
    if (!reply) return tl::unexpected(reply.error());
    const bool all = query->by == StatsBy::kAll;
    View view{Shape::kList, "zq/stats-list/v1", kColumns, {}, reply->more};
    if (all && context.output.is_json()) view.shape = Shape::kOne;
    for (const wire::StatsRow& row : reply->rows) {
        view.records.push_back(stats_record(*reply, row, query->by));
    }
    return print(view, context.output);
}

constexpr auto kFlags = std::to_array<Flag>({
    {"by", "WHAT", "A row for each role, type, worker, model or label"},
    {"window", "D", "What happened within D: 5m to 7d, such as 24h (default 1h)"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"stats",
     "Watch",
     "",
     "The queue in figures",
     "Now: open tasks by state, the oldest queued one, the dead-letter queue, workers and the\n"
     "longest silence among them (in all and by role). In the window: tasks by their end, failed\n"
     "and lost attempts and their share, retries, growth of the dead-letter queue, times (WAIT "
     "from\n"
     "the submit to the first start, RUN of an attempt, TOTAL from the submit to the end), cost\n"
     "and tokens. Times are right within an eighth. A window begins with a whole bucket: of five\n"
     "minutes up to 2h 55m back, of an hour before that; what happened is kept for eight days.\n"
     "`-`: tasks without one; `*`: what came after 500 others in one bucket.",
     kFlags,
     {true, true, false},
     0,
     0,
     run_stats},
});

}  // namespace

std::span<const Command> stats_commands() {
    return kCommands;
}

}  // namespace zq::cli
