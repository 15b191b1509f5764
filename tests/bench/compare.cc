// `zq-compare`: zq and Redis Streams with an append-only file that is synced always, under the same
// load loops, in turns. Prints each figure's median and range, then one line of JSON with the
// ratios; scripts/compare.sh starts it.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

#include "cli/bench/crew.h"
#include "cli/bench/figures.h"
#include "cli/bench/floor.h"
#include "cli/bench/loads.h"
#include "cli/bench/own_server.h"
#include "cli/bench/reports.h"
#include "cli/bench/zq_queue.h"
#include "tests/bench/redis_queue.h"

namespace zq::tests {
namespace {

using cli::Expected;
using cli::QueueMaker;
using cli::Rate;

struct Options {
    std::string folder;  // on the disk that is meant
    std::string redis = "/usr/bin/redis-server";
    int repetitions = 3;
    double seconds = 2;
    std::uint64_t backlog = 1'000'000;
};

/// Through all scopes, so that the servers end.
[[noreturn]] void give_up(const cli::Problem& problem) {
    throw std::runtime_error(problem.error.message +
                             (problem.hint.empty() ? "" : ": " + problem.hint));
}

template <class T>
T must(Expected<T> value) {
    if (!value) give_up(value.error());
    return std::move(*value);
}

/// One queue's server, fresh for each measurement.
class Peer {
  public:
    virtual ~Peer() = default;
    virtual QueueMaker maker(bool with_results) const = 0;
    virtual double rss_mib() const = 0;
};

class ZqPeer : public Peer {
  public:
    explicit ZqPeer(const Options& options)
        : server_(must(cli::OwnServer::start({options.folder, false}))) {}
    QueueMaker maker(bool with_results) const override {
        cli::ZqQueueOptions options;
        options.endpoint = server_->endpoint();
        if (with_results) options.reply_to = "bench";
        return [options] { return std::make_unique<cli::ZqQueue>(options); };
    }
    double rss_mib() const override { return server_->rss_mib(); }

  private:
    std::unique_ptr<cli::OwnServer> server_;
};

class RedisPeer : public Peer {
  public:
    explicit RedisPeer(const Options& options)
        : folder_(options.folder + "/redis"), port_(cli::free_port()) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        child_.emplace(must(cli::Child::start(
            options.redis,
            {"--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", folder_, "--save", "",
             "--appendonly", "yes", "--appendfsync", "always", "--logfile", folder_ + "/log"})));
        // It listens within moments; its first answer is waited for by set_up.
        ::usleep(500'000);
        RedisQueue(port_).set_up();
    }
    ~RedisPeer() override {
        child_->signal(SIGTERM);
        if (!child_->ends_within(seconds(60))) child_->signal(SIGKILL);
        child_->ends_within(seconds(10));
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    RedisPeer(const RedisPeer&) = delete;
    RedisPeer& operator=(const RedisPeer&) = delete;

    QueueMaker maker(bool) const override {
        return [port = port_] { return std::make_unique<RedisQueue>(port); };
    }
    double rss_mib() const override { return RedisQueue(port_).rss_mib(); }

  private:
    std::string folder_;
    int port_;
    std::optional<cli::Child> child_;
};

/// Values of both, by figure.
struct Sheet {
    std::map<std::string, std::vector<double>> zq;
    std::map<std::string, std::vector<double>> redis;

    double ratio(const std::string& figure) const {
        const double theirs = cli::median(redis.at(figure));
        return theirs > 0 ? cli::median(zq.at(figure)) / theirs : 0;
    }
};

void print_row(const std::string& figure, const std::string& peer, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::printf("%-14s %-6s %12.1f   %.1f..%.1f  n=%zu\n", figure.c_str(), peer.c_str(),
                cli::median(values), values.front(), values.back(), values.size());
}

/// Runs `measure` for both in turns; what came first goes second the next time.
void in_turns(const Options& options, Sheet& sheet, const std::string& figure, int repetitions,
              const std::function<double(const Peer&)>& measure) {
    for (int i = 0; i < repetitions; ++i) {
        for (const bool zq : {i % 2 == 0, i % 2 != 0}) {
            if (zq) {
                sheet.zq[figure].push_back(measure(ZqPeer(options)));
            } else {
                sheet.redis[figure].push_back(measure(RedisPeer(options)));
            }
        }
    }
    print_row(figure, "zq", sheet.zq[figure]);
    print_row(figure, "redis", sheet.redis[figure]);
    std::fflush(stdout);
}

double submit_rate(const Peer& peer, const cli::SubmitLoad& load) {
    const QueueMaker make = peer.maker(false);
    return must(cli::rate_of([&]() -> Expected<Rate> { return cli::run_submits(*make(), load); }))
        .per_second();
}

double life_rate(const Peer& peer, const Options& options) {
    cli::LifeLoad load;
    load.seconds = options.seconds;
    const QueueMaker make = peer.maker(true);
    return must(cli::rate_of([&] { return cli::run_lives(make, load); })).per_second();
}

double dispatch_p50(const Peer& peer) {
    const QueueMaker make = peer.maker(true);
    const auto times = must(cli::times_of([&] { return cli::run_dispatches(make, 500); }));
    return times.dispatched.quantile(0.5);
}

double backlog_rss(const Peer& peer, const Options& options) {
    submit_rate(peer, {1, 1024, 3600, options.backlog});
    return peer.rss_mib();
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string flag = argv[i];
        const char* value = argv[i + 1];
        if (flag == "--folder") {
            options.folder = value;
        } else if (flag == "--redis") {
            options.redis = value;
        } else if (flag == "--repetitions") {
            options.repetitions = std::atoi(value);
        } else if (flag == "--seconds") {
            options.seconds = std::atof(value);
        } else if (flag == "--backlog") {
            options.backlog = std::strtoull(value, nullptr, 10);
        } else {
            cli::fatal("no such flag: " + flag);
        }
    }
    const bool ok = !options.folder.empty() && options.repetitions > 0 && options.seconds > 0 &&
                    options.backlog > 0 && argc % 2 == 1;
    if (!ok) {
        cli::fatal(
            "usage: zq-compare --folder DIR [--redis PROGRAM] [--repetitions N]"
            " [--seconds S] [--backlog TASKS]");
    }
    return options;
}

int run(const Options& options) {
    Sheet sheet;
    std::printf("%-14s %-6s %12s   %s\n", "FIGURE", "PEER", "MEDIAN", "RANGE");
    std::vector<double> floors;
    for (int i = 0; i < options.repetitions; ++i) {
        floors.push_back(must(cli::measure_floor(options.folder)).p50());
    }
    print_row("floor us", "", floors);
    // Of one at a time: rate and median, from the same runs.
    std::vector<double> alone;
    const auto submits = [&](const std::string& figure, std::size_t connections,
                             std::size_t in_flight) {
        in_turns(options, sheet, figure, options.repetitions, [&](const Peer& peer) {
            return submit_rate(peer, {connections, in_flight, options.seconds});
        });
    };
    in_turns(options, sheet, "submit_1", options.repetitions, [&](const Peer& peer) {
        const QueueMaker make = peer.maker(false);
        const Rate rate = must(cli::rate_of([&]() -> Expected<Rate> {
            return cli::run_submits(*make(), {1, 1, options.seconds});
        }));
        if (dynamic_cast<const ZqPeer*>(&peer) != nullptr) {
            alone.push_back(rate.latencies.quantile(0.5));
        }
        return rate.per_second();
    });
    print_row("submit_1 us", "zq", alone);
    submits("submit_64", 1, 64);
    submits("submit_1024", 1, 1024);
    submits("lockstep_64", 64, 1);
    in_turns(options, sheet, "life", options.repetitions,
             [&](const Peer& peer) { return life_rate(peer, options); });
    in_turns(options, sheet, "dispatch_p50", options.repetitions, dispatch_p50);
    in_turns(options, sheet, "backlog_rss", 1,
             [&](const Peer& peer) { return backlog_rss(peer, options); });
    std::printf("{\"ratios\":{");
    const char* before = "";
    for (const char* figure : {"submit_1", "submit_64", "submit_1024", "lockstep_64", "life",
                               "dispatch_p50", "backlog_rss"}) {
        std::printf("%s\"%s\":%.3f", before, figure, sheet.ratio(figure));
        before = ",";
    }
    std::printf("},\"floor\":{\"submit_1\":%.3f}}\n", cli::median(alone) / cli::median(floors));
    return 0;
}

}  // namespace
}  // namespace zq::tests

int main(int argc, char** argv) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    try {
        return zq::tests::run(zq::tests::read_options(argc, argv));
    } catch (const std::exception& failure) {
        zq::cli::fatal(failure.what());
    }
}
