// `zq bench backlog|fleet|query`: what much waiting, many peers and much history cost.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "cli/bench/crew.h"
#include "cli/bench/fleet.h"
#include "cli/bench/reports.h"
#include "cli/bench/setting.h"
#include "cli/command_table.h"
#include "cli/session.h"

namespace zq::cli {
namespace {

constexpr std::uint64_t kMostTasks = 2'000'000;
constexpr std::size_t kOfOneProcess = 1'000;  // connections of a fleet
constexpr double kForEver = 24.0 * 3600;
constexpr int kQueries = 100;
constexpr Millis kReadyWithin = seconds(120);

/// Puts this many tasks there.
Expected<Rate> fill(const Target& target, std::uint64_t tasks) {
    const QueueMaker make = maker_of(target, false);
    return rate_of([&] { return run_submits(*make(), {1, 1024, kForEver, tasks}); });
}

/// Ends this many of those that wait.
Expected<Rate> drain(const Target& target, std::uint64_t tasks) {
    const QueueMaker make = maker_of(target, false);
    return rate_of([&] { return run_drain(*make(), 4, 64, tasks); });
}

Ending run_backlog(const Context& context) {
    auto setting = read_setting(context.args);
    if (!setting) return tl::unexpected(setting.error());
    auto tasks = number_or(context.args, "tasks", kMostTasks, 100'000);
    if (!tasks) return tl::unexpected(tasks.error());
    const std::string params = "tasks=" + std::to_string(*tasks);
    return repeat(*setting, context.output,
                  [&](Target& target, Figures& figures) -> Expected<void> {
                      const auto add = [&](const char* name, double value, const char* unit) {
                          figures.add("backlog", params, name, value, unit);
                      };
                      const auto filled = fill(target, *tasks);
                      if (!filled) return tl::unexpected(filled.error());
                      add("fill_rate", filled->per_second(), "task/s");
                      add("rss", target.own->rss_mib(), "MiB");
                      add("disk", target.own->disk_mib(), "MiB");
                      const auto restart = target.own->restart();
                      if (!restart) return tl::unexpected(restart.error());
                      add("restart", *restart, "s");
                      add("rss_after_restart", target.own->rss_mib(), "MiB");
                      const auto drained = drain(target, *tasks);
                      if (!drained) return tl::unexpected(drained.error());
                      add("drain_rate", drained->per_second(), "task/s");
                      return {};
                  });
}

/// Waits until as many processes have said so.
Expected<void> await_ready(int fd, std::size_t count) {
    char bytes[64];
    const std::int64_t until = now_ns() + kReadyWithin.count * 1'000'000;
    while (count > 0 && !interrupted()) {
        if (now_ns() > until) {
            return problem(ErrorCode::IO,
                           "not all of the fleet was connected within " + to_string(kReadyWithin),
                           "see the messages above; --workers and --polls say how many there are");
        }
        std::vector<PollItem> items{{nullptr, fd, false}};
        if (poll(items, millis(200)) == 0) continue;
        const ssize_t got = ::read(fd, bytes, std::min(count, sizeof bytes));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return problem(ErrorCode::IO, "a client process failed: see its message");
        count -= static_cast<std::size_t>(got);
    }
    return {};
}

Ending run_fleet_bench(const Context& context) {
    auto setting = read_setting(context.args);
    if (!setting) return tl::unexpected(setting.error());
    auto workers = number_or(context.args, "workers", 20'000, 1'000);
    if (!workers) return tl::unexpected(workers.error());
    auto polls = context.args.number("polls", 0, limits::kPolls);
    if (!polls) return tl::unexpected(polls.error());
    const std::uint64_t parked = polls->value_or(0);
    const bool busy = context.args.has("busy");
    const std::string params = "workers=" + std::to_string(*workers) + (busy ? ",busy" : "") +
                               ",polls=" + std::to_string(parked);
    return repeat(
        *setting, context.output, [&](Target& target, Figures& figures) -> Expected<void> {
            const double empty = target.own->rss_mib();
            if (busy) {
                if (auto ok = fill(target, *workers); !ok) return tl::unexpected(ok.error());
            }
            int ready[2];
            if (::pipe(ready) != 0) return problem(ErrorCode::IO, "no pipe for the fleet");
            Crew crew;
            std::size_t processes = 0;
            const auto spread = [&](std::uint64_t all, const auto& start) {
                for (std::uint64_t begun = 0; begun < all; begun += kOfOneProcess, ++processes) {
                    start(std::min<std::uint64_t>(kOfOneProcess, all - begun));
                }
            };
            spread(*workers, [&](std::size_t count) {
                crew.start([&, count](int stop_fd) {
                    ZqQueue queue(target.queue);
                    return run_fleet(queue, {count, busy}, ready[1], stop_fd);
                });
            });
            spread(parked, [&](std::size_t count) {
                crew.start([&, count](int stop_fd) {
                    ZqQueueOptions options = target.queue;
                    options.reply_to = "nobody";
                    ZqQueue queue(options);
                    return run_polls(queue, count, ready[1], stop_fd);
                });
            });
            ::close(ready[1]);
            const auto all = await_ready(ready[0], processes);
            ::close(ready[0]);
            if (!all) return tl::unexpected(all.error());
            // What their coming took is over within a moment.
            ::usleep(2'000'000);
            const double before = target.own->cpu_seconds();
            ::usleep(static_cast<useconds_t>(setting->seconds * 1e6));
            const double used = target.own->cpu_seconds() - before;
            figures.add("fleet", params, "cpu", 100 * used / setting->seconds, "% of a core");
            figures.add("fleet", params, "rss", target.own->rss_mib(), "MiB");
            figures.add(
                "fleet", params, "rss_of_one",
                (target.own->rss_mib() - empty) * 1024 / static_cast<double>(*workers + parked),
                "KiB");
            crew.stop();
            if (auto ended = crew.reports(); !ended) return tl::unexpected(ended.error());
            return {};
        });
}

struct Question {
    const char* name;
    wire::Body body;
};

std::vector<Question> questions(const std::string& role) {
    wire::List list;
    list.limit = 100;
    wire::List of_role = list;
    of_role.role = RoleName(role);
    wire::List dead = list;
    dead.states = {TaskState::kDead, TaskState::kExpired};
    wire::List running = list;
    running.states = {TaskState::kRunning};
    wire::Stats stats;
    return {{"ls", list},     {"ls_role", of_role},       {"ls_running", running},
            {"dlq_ls", dead}, {"status", wire::Status{}}, {"stats", stats}};
}

Expected<Latencies> time_question(Session& session, const Question& question) {
    Latencies latencies;
    for (int n = 0; n < kQueries && !interrupted(); ++n) {
        const std::int64_t start = now_ns();
        auto reply = session.try_call(question.body);
        if (!reply) return problem(reply.error().error);
        latencies.add(now_ns() - start);
    }
    return latencies;
}

/// Tasks that have ended, then tasks that wait.
Expected<void> fill_history(const Target& target, std::uint64_t ended, std::uint64_t open) {
    if (ended > 0) {
        if (auto ok = fill(target, ended); !ok) return tl::unexpected(ok.error());
        if (auto ok = drain(target, ended); !ok) return tl::unexpected(ok.error());
    }
    if (auto ok = fill(target, open); !ok) return tl::unexpected(ok.error());
    return {};
}

Ending run_query(const Context& context) {
    auto setting = read_setting(context.args);
    if (!setting) return tl::unexpected(setting.error());
    auto tasks = number_or(context.args, "tasks", kMostTasks, 10'000);
    if (!tasks) return tl::unexpected(tasks.error());
    auto finished = context.args.number("finished", 0, 100'000'000);
    if (!finished) return tl::unexpected(finished.error());
    const std::uint64_t ended = finished->value_or(0);
    const std::string params =
        "tasks=" + std::to_string(*tasks) + ",finished=" + std::to_string(ended);
    return repeat(
        *setting, context.output, [&](Target& target, Figures& figures) -> Expected<void> {
            if (auto ok = fill_history(target, ended, *tasks); !ok) {
                return tl::unexpected(ok.error());
            }
            auto session = Session::open(ClientOptions{target.profile});
            if (!session) return tl::unexpected(session.error());
            auto rows = (*session)->call<wire::Tasks>(wire::List{});
            if (!rows) return tl::unexpected(rows.error());
            std::vector<Question> asked = questions(target.queue.role);
            if (!rows->rows.empty()) {
                asked.push_back({"show_and_why", wire::Get{rows->rows.front().id, false}});
            }
            for (const Question& question : asked) {
                auto latencies = time_question(**session, question);
                if (!latencies) return tl::unexpected(latencies.error());
                figures.add("query", params, std::string(question.name) + "_p50",
                            latencies->quantile(0.5), "us");
                figures.add("query", params, std::string(question.name) + "_p99",
                            latencies->quantile(0.99), "us");
            }
            return {};
        });
}

constexpr auto kBacklogFlags = std::to_array<Flag>({
    {"tasks", "N", "That wait (default 100000)"},
    kRepetitionsFlag,
    kDataFlag,
    kCurveFlag,
});

constexpr auto kFleetFlags = std::to_array<Flag>({
    {"workers", "N", "Connected at once (default 1000)"},
    {"busy", "", "Each holds a task and renews its lease", Takes::kNothing},
    {"polls", "N", "Long polls beside them (default 0)"},
    {"time", "T", "How long it is watched (default 3s; a heartbeat comes every 5 s)"},
    kRepetitionsFlag,
    kDataFlag,
    kCurveFlag,
});

constexpr auto kQueryFlags = std::to_array<Flag>({
    {"tasks", "N", "That are open (default 10000)"},
    {"finished", "N", "That have ended before (default 0)"},
    kRepetitionsFlag,
    kDataFlag,
    kCurveFlag,
});

constexpr auto kCommands = std::to_array<Command>({
    {"bench backlog", "Measure", "", "What waiting tasks cost, and a start after kill -9",
     "Fills a coordinator of its own, kills it, starts it again, and lets workers end all tasks.",
     kBacklogFlags, kBenchUses, 0, 0, run_backlog},
    {"bench fleet", "Measure", "", "What connected workers and long polls cost", "", kFleetFlags,
     kBenchUses, 0, 0, run_fleet_bench},
    {"bench query", "Measure", "", "How long questions take, beside many tasks", "", kQueryFlags,
     kBenchUses, 0, 0, run_query},
});

}  // namespace

std::span<const Command> bench_scale_commands() {
    return kCommands;
}

}  // namespace zq::cli
