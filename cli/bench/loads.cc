#include "cli/bench/loads.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "cli/bench/crew.h"
#include "common/base/task_spec.h"

namespace zq::cli {
namespace {

constexpr Millis kSilence = seconds(20);  // then something is wrong
constexpr std::uint64_t kWarmUp = 50;     // dispatches that are not counted
constexpr auto kBetweenDispatches = std::chrono::microseconds(1000);
constexpr auto kSettled = std::chrono::milliseconds(300);  // after the connections are made

void rest(std::chrono::microseconds time) {
    ::usleep(static_cast<useconds_t>(time.count()));
}

double seconds_between(std::int64_t from, std::int64_t to) {
    return static_cast<double>(to - from) / 1e9;
}

/// One connection of a submit load.
struct Producer {
    std::unique_ptr<Submitter> submitter;
    std::deque<std::int64_t> asked;  // when, of those that are not acknowledged
};

std::vector<PollItem> items_of(const std::vector<std::unique_ptr<Server>>& servers) {
    std::vector<PollItem> items;
    items.reserve(servers.size());
    for (const auto& server : servers) items.push_back(server->item());
    return items;
}

std::vector<std::unique_ptr<Server>> make_servers(Queue& queue, std::size_t count,
                                                  std::uint32_t slots) {
    std::vector<std::unique_ptr<Server>> servers;
    for (std::size_t i = 0; i < count; ++i) servers.push_back(queue.server());
    for (const auto& server : servers) server->serve(slots);
    return servers;
}

std::uint64_t acknowledged_of(const std::vector<std::unique_ptr<Server>>& servers) {
    std::uint64_t count = 0;
    for (const auto& server : servers) count += server->acknowledged();
    return count;
}

/// Ends each task at once, until it is told to stop. When each arrived goes to `arrived`.
void work_until_told(Queue& queue, std::size_t workers, std::uint32_t slots, int stop_fd,
                     const std::function<void(std::int64_t)>& arrived) {
    auto servers = make_servers(queue, workers, slots);
    std::vector<PollItem> items = items_of(servers);
    items.push_back({nullptr, stop_fd, false});
    while (!items.back().readable) {
        poll(items, millis(100));
        for (std::size_t i = 0; i < servers.size(); ++i) {
            if (!items[i].readable) continue;
            for (const Work& work : servers[i]->take()) {
                arrived(now_ns());
                servers[i]->finish(work);
            }
            servers[i]->flush();
        }
    }
}

/// Waits for `items`; fatal when nothing comes for too long.
void await(std::vector<PollItem>& items, const char* what) {
    if (poll(items, kSilence) > 0) return;
    fatal("for " + to_string(kSilence) + " no " + what +
          " came: is the server still there, and idle"
          " but for this load?");
}

}  // namespace

std::int64_t now_ns() {
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

void fatal(const std::string& what) {
    std::fprintf(stderr, "error: %s\n", what.c_str());
    std::fflush(stderr);
    ::_exit(1);
}

Rate run_submits(Queue& queue, const SubmitLoad& load) {
    std::vector<Producer> producers(load.connections);
    std::vector<PollItem> items;
    for (Producer& producer : producers) {
        producer.submitter = queue.submitter();
        items.push_back(producer.submitter->item());
    }
    rest(kSettled);
    Rate rate;
    const std::int64_t start = now_ns();
    const auto end = start + static_cast<std::int64_t>(load.seconds * 1e9);
    std::int64_t last = start;
    std::uint64_t asked = 0;
    const auto ask = [&](Producer& producer) {
        bool any = false;
        while (asked < load.most && producer.asked.size() < load.in_flight) {
            producer.asked.push_back(now_ns());
            producer.submitter->submit();
            ++asked;
            any = true;
        }
        if (any) producer.submitter->flush();
    };
    for (Producer& producer : producers) ask(producer);
    while (rate.count < asked) {
        await(items, "acknowledgements of submits");
        for (std::size_t i = 0; i < producers.size(); ++i) {
            if (!items[i].readable) continue;
            Producer& producer = producers[i];
            std::size_t count = producer.submitter->acknowledged();
            last = now_ns();
            rate.count += count;
            for (; count > 0; --count) {
                rate.latencies.add(last - producer.asked.front());
                producer.asked.pop_front();
            }
            if (last < end) ask(producer);
        }
    }
    rate.seconds = seconds_between(start, last);
    return rate;
}

Latencies run_submits_until(Queue& queue, int stop_fd) {
    const std::unique_ptr<Submitter> submitter = queue.submitter();
    std::vector<PollItem> items{submitter->item(), {nullptr, stop_fd, false}};
    Latencies latencies;
    while (!items[1].readable) {
        const std::int64_t start = now_ns();
        submitter->submit();
        submitter->flush();
        do {
            await(items, "acknowledgements of submits");
        } while (submitter->acknowledged() == 0);
        latencies.add(now_ns() - start);
        poll(items, {});
    }
    return latencies;
}

Expected<Rate> run_lives(const QueueMaker& make, const LifeLoad& load) {
    Crew crew;
    crew.start([&](int stop_fd) {
        work_until_told(*make(), load.workers, load.slots, stop_fd, [](std::int64_t) {});
        return std::string();
    });
    const std::unique_ptr<Queue> queue = make();
    const std::unique_ptr<Submitter> submitter = queue->submitter();
    const std::unique_ptr<ResultReader> reader = queue->result_reader();
    std::vector<PollItem> items{submitter->item(), reader->item()};
    rest(kSettled);
    Rate rate;
    std::deque<std::int64_t> asked;  // of those without a result: results come about in this order
    std::size_t unacknowledged = 0;
    const std::int64_t start = now_ns();
    const auto end = start + static_cast<std::int64_t>(load.seconds * 1e9);
    std::int64_t last = start;
    while (true) {
        bool any = false;
        while (now_ns() < end && unacknowledged < load.in_flight &&
               asked.size() < load.outstanding) {
            asked.push_back(now_ns());
            submitter->submit();
            ++unacknowledged;
            any = true;
        }
        if (any) submitter->flush();
        if (asked.empty() && unacknowledged == 0) break;
        await(items, "results");
        if (items[0].readable) unacknowledged -= submitter->acknowledged();
        if (!items[1].readable) continue;
        std::size_t count = reader->take();
        if (count > 0) last = now_ns();
        rate.count += count;
        for (; count > 0 && !asked.empty(); --count) {
            rate.latencies.add(last - asked.front());
            asked.pop_front();
        }
    }
    rate.seconds = seconds_between(start, last);
    crew.stop();
    if (auto ended = crew.reports(); !ended) return tl::unexpected(ended.error());
    return rate;
}

Expected<DispatchTimes> run_dispatches(const QueueMaker& make, std::uint64_t tasks) {
    // The worker's process reports when each task arrived, by the clock that all share.
    Crew crew;
    crew.start([&](int stop_fd) {
        std::string times;
        work_until_told(*make(), 1, 1, stop_fd,
                        [&](std::int64_t at) { times += std::to_string(at) + "\n"; });
        return times;
    });
    const std::unique_ptr<Queue> queue = make();
    const std::unique_ptr<Submitter> submitter = queue->submitter();
    const std::unique_ptr<ResultReader> reader = queue->result_reader();
    std::vector<PollItem> items{submitter->item(), reader->item()};
    rest(kSettled);
    DispatchTimes times;
    std::vector<std::int64_t> asked;
    for (std::uint64_t i = 0; i < kWarmUp + tasks; ++i) {
        rest(kBetweenDispatches);
        const std::int64_t start = now_ns();
        asked.push_back(start);
        submitter->submit();
        submitter->flush();
        std::int64_t acknowledged = 0;
        std::int64_t answered = 0;
        while (acknowledged == 0 || answered == 0) {
            await(items, "a task's result");
            if (items[0].readable && submitter->acknowledged() > 0) acknowledged = now_ns();
            if (items[1].readable && reader->take() > 0) answered = now_ns();
        }
        if (i < kWarmUp) continue;
        times.acknowledged.add(acknowledged - start);
        times.answered.add(answered - start);
    }
    crew.stop();
    auto reports = crew.reports();
    if (!reports) return tl::unexpected(reports.error());
    const char* at = reports->front().c_str();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        char* behind = nullptr;
        const std::int64_t arrived = std::strtoll(at, &behind, 10);
        at = behind;
        if (i >= kWarmUp) times.dispatched.add(arrived - asked[i]);
    }
    return times;
}

Rate run_drain(Queue& queue, std::size_t workers, std::uint32_t slots, std::uint64_t tasks) {
    auto servers = make_servers(queue, workers, slots);
    std::vector<PollItem> items = items_of(servers);
    Rate rate;
    const std::int64_t start = now_ns();
    while (rate.count < tasks) {
        await(items, "tasks that wait");
        for (std::size_t i = 0; i < servers.size(); ++i) {
            if (!items[i].readable) continue;
            for (const Work& work : servers[i]->take()) servers[i]->finish(work);
            servers[i]->flush();
        }
        rate.count = acknowledged_of(servers);
    }
    rate.seconds = seconds_between(start, now_ns());
    return rate;
}

}  // namespace zq::cli
