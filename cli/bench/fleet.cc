#include "cli/bench/fleet.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "cli/bench/zq_line.h"

namespace zq::cli {
namespace {

constexpr Millis kLook = millis(20);  // between two looks at the clock

void say_ready(int fd) {
    if (::write(fd, "r", 1) != 1) fatal("nobody waits for the fleet");
}

class FleetWorker {
  public:
    explicit FleetWorker(ZqQueue& queue) : line_(queue, {}) {
        line_.say(fresh_hello(RoleName(queue.options().role), 1));
    }
    PollItem item() const { return line_.item(); }
    bool is_welcome() const { return welcome_; }
    bool is_busy() const { return held_.has_value(); }

    void take() {
        while (auto message = line_.hear()) {
            if (std::holds_alternative<wire::Welcome>(message->body)) {
                welcome_ = true;
                beat();
            } else if (const auto* assign = std::get_if<wire::Assign>(&message->body)) {
                held_ = wire::HeldLease{assign->task.id, assign->attempt, assign->lease};
                seen_ = assign->lease;
            }
        }
    }

    void beat() {
        wire::Heartbeat beat;
        beat.free = held_ ? 0 : 1;
        beat.seen = seen_;
        if (held_) beat.leases = {*held_};
        line_.say(std::move(beat));
    }

  private:
    ZqLine line_;
    bool welcome_ = false;
    std::optional<wire::HeldLease> held_;
    LeaseToken seen_;
};

}  // namespace

std::string run_fleet(ZqQueue& queue, const Fleet& fleet, int ready_fd, int stop_fd) {
    std::vector<FleetWorker> workers;
    workers.reserve(fleet.workers);
    std::vector<PollItem> items{{nullptr, stop_fd, false}};
    for (std::size_t i = 0; i < fleet.workers; ++i) {
        workers.emplace_back(queue);
        items.push_back(workers.back().item());
    }
    bool ready = false;
    const std::int64_t round = fleet.heartbeat.count * 1'000'000;
    std::int64_t round_begun = now_ns();
    std::size_t next = 0;  // worker whose heartbeat is due
    while (!items[0].readable) {
        poll(items, kLook);
        for (std::size_t i = 0; i < workers.size(); ++i) {
            if (items[i + 1].readable) workers[i].take();
        }
        const std::int64_t since = now_ns() - round_begun;
        const auto due = std::min<std::size_t>(
            workers.size(),
            static_cast<std::size_t>(static_cast<double>(since) / static_cast<double>(round) *
                                     static_cast<double>(workers.size())));
        for (; next < due; ++next) {
            if (workers[next].is_welcome()) workers[next].beat();
        }
        if (since >= round) {
            round_begun = now_ns();
            next = 0;
        }
        if (ready) continue;
        ready = std::all_of(workers.begin(), workers.end(), [&](const FleetWorker& worker) {
            return fleet.busy ? worker.is_busy() : worker.is_welcome();
        });
        if (ready) say_ready(ready_fd);
    }
    return {};
}

std::string run_polls(ZqQueue& queue, std::size_t polls, int ready_fd, int stop_fd) {
    std::vector<std::unique_ptr<ResultReader>> readers;
    std::vector<PollItem> items{{nullptr, stop_fd, false}};
    for (std::size_t i = 0; i < polls; ++i) {
        readers.push_back(queue.result_reader());
        items.push_back(readers.back()->item());
    }
    say_ready(ready_fd);
    while (!items[0].readable) {
        poll(items, millis(100));
        for (std::size_t i = 0; i < polls; ++i) {
            if (items[i + 1].readable) readers[i]->take();
        }
    }
    return {};
}

}  // namespace zq::cli
