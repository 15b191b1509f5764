#include "coordinator/loop.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "common/platform/clock.h"
#include "common/platform/log.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kStop = 0;  // places in items_
constexpr std::size_t kFail = 1;
constexpr std::size_t kResults = 2;
constexpr std::size_t kStore = 3;
constexpr std::size_t kFirstDoor = 4;

constexpr Millis kLongestWait = seconds(1);
constexpr Millis kBacklogWait = millis(10);  // before a slow peer is tried again
constexpr Millis kRefusing = millis(250);    // at the end: lets last answers leave
constexpr Millis kLongestEnd = seconds(10);
constexpr std::size_t kPassBytes = 16UL << 20;  // read in one pass
constexpr int kRounds = 8;                      // of Match or Tick in one pass

std::size_t bytes_of(const Received& received) {
    std::size_t bytes = 0;
    for (const std::string& frame : received.frames) bytes += frame.size();
    return bytes;
}

}  // namespace

Loop::Loop(const LoopParts& parts) : parts_(parts) {
    // A pollable item per source; descriptors that are absent point at the stop descriptor.
    const int stop = parts_.stop_fd;
    const int results = parts_.journal.results_fd();
    items_ = {{nullptr, stop, false},
              {nullptr, parts_.fail_fd < 0 ? stop : parts_.fail_fd, false},
              {nullptr, results < 0 ? stop : results, false},
              {nullptr, parts_.store_requests.fd(), false}};
    for (std::size_t i = 0; i < parts_.doors.size(); ++i) {
        items_.push_back({parts_.doors.at(i).socket.raw(), -1, false});
    }
}

Result<void> Loop::run() {
    woke_ = boottime();
    run(core::BeginService{}, read_clock());
    while (!stopping_ || !may_end()) {
        wait();
        if (parts_.fail_fd >= 0 && items_[kFail].readable) {
            return fail(ErrorCode::IO, "the ZAP handler has ended: nobody could be authenticated");
        }
        if (items_[kStop].readable && !stopping_) begin_stop();
        const Instant now = read_clock();
        note_stalls();
        if (auto ok = pass(now); !ok) return ok;
    }
    return {};
}

void Loop::wait() {
    std::vector<PollItem> items = items_;
    // While too much is uncommitted nothing more is read.
    if (parts_.pipeline.is_full()) items.resize(kResults + 1);
    may_wait_ = timeout();
    waited_from_ = boottime();
    poll(items, may_wait_);
    for (std::size_t i = 0; i < items_.size(); ++i) {
        items_[i].readable = i < items.size() && items[i].readable;
    }
}

Instant Loop::read_clock() {
    const Millis boot = boottime();
    const Instant before = parts_.clock.now();
    const Instant now = parts_.clock.advance({boot, wall_time()});
    if (read_at_.count != 0) {
        slewed_ = std::max(Millis{}, slewed_ + (now - before) - (boot - read_at_));
    }
    read_at_ = boot;
    if (parts_.clock.believes_wall() == distrusted_) {
        distrusted_ = !parts_.clock.believes_wall();
        const std::string ahead = std::to_string(parts_.clock.wall_ahead().count);
        if (distrusted_) {
            log_warn("the wall clock is off by more than a minute: not followed",
                     {{"wall_ahead_ms", ahead}, {"now", to_rfc3339(now)}});
        } else {
            log_info("the wall clock is followed again", {{"wall_ahead_ms", ahead}});
        }
    }
    return now;
}

/// Three ways not to listen: the last pass took long, the process did not get to run when its wait
/// was over, a commit does not end.
void Loop::note_stalls() {
    const Millis woke = boottime();
    const std::pair<Millis, Millis> spans[] = {
        {woke_, waited_from_},
        {waited_from_ + may_wait_, woke},
        {commit_since_.count == 0 ? woke : commit_since_, woke}};
    Millis stalled{};
    for (const auto& [from, to] : spans) stalled = stalled + stalls_.note(from, to);
    woke_ = woke;
    // Leases run on the boot clock, at the workers too: what `now` gained on it is not theirs.
    if (slewed_ >= seconds(1)) {
        run(core::NoteStall{std::exchange(slewed_, Millis{})}, parts_.clock.now());
    }
    if (stalled.count == 0) return;
    log_warn("the coordinator did not listen for a while", {{"ms", std::to_string(stalled.count)}});
    run(core::NoteStall{stalled}, parts_.clock.now());
}

void Loop::run(core::CommandBody body, Instant now) {
    core::Command command;
    command.now = now;
    command.identity = kSystemIdentity;
    command.body = std::move(body);
    parts_.pipeline.run(command);
}

Result<void> Loop::pass(Instant now) {
    auto committed = parts_.pipeline.collect();
    if (!committed) return Failure(committed.error());
    parts_.control.wake(*committed, now);
    if (!committed->empty()) commit_since_ = parts_.pipeline.has_uncommitted() ? woke_ : Millis{};
    parts_.control.note_storage(parts_.journal.storage_low());
    if (!parts_.pipeline.is_full()) {
        take_messages(now);
        take_store_requests(now);
        if (!stopping_) decide_due(now);
    }
    parts_.control.expire(now);
    parts_.pipeline.append();
    if (commit_since_.count == 0 && parts_.pipeline.has_uncommitted()) commit_since_ = woke_;
    parts_.control.flush(now);
    return {};
}

void Loop::take_messages(Instant now) {
    std::size_t left = limits::kBatchMessages;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < parts_.doors.size(); ++i) {
        std::size_t turn = limits::kBatchMessages / parts_.doors.size();
        if (!items_[kFirstDoor + i].readable) continue;
        while (left > 0 && turn > 0 && bytes < kPassBytes) {
            auto received = parts_.doors.at(i).socket.receive();
            if (!received) break;
            bytes += bytes_of(*received);
            --left;
            --turn;
            parts_.control.handle(i, std::move(*received), now);
        }
    }
}

void Loop::take_store_requests(Instant now) {
    if (!items_[kStore].readable) return;
    for (const StoreRequest& request : parts_.store_requests.take()) {
        parts_.control.handle(request, now);
    }
}

void Loop::decide_due(Instant now) {
    const core::State& state = parts_.pipeline.state();
    const core::Policy& policy = parts_.pipeline.policy();
    for (int i = 0; i < kRounds && core::next_deadline(state, policy) <= now; ++i) {
        run(core::Tick{}, now);
    }
    for (int i = 0; i < kRounds && !state.now.to_match.empty(); ++i) run(core::Match{}, now);
    parts_.control.serve_claims(now);
}

bool Loop::has_work(Instant now) const {
    const core::State& state = parts_.pipeline.state();
    return !state.now.to_match.empty() ||
           core::next_deadline(state, parts_.pipeline.policy()) <= now;
}

Millis Loop::timeout() {
    const Instant now = parts_.clock.now();
    Millis wait = kLongestWait;
    if (parts_.control.has_backlog() || stopping_) wait = kBacklogWait;
    if (parts_.pipeline.is_full()) return wait;
    if (!stopping_ && has_work(now)) return {};
    const Instant due = std::min(
        stopping_ ? kNever : core::next_deadline(parts_.pipeline.state(), parts_.pipeline.policy()),
        parts_.control.next_deadline());
    if (due != kNever) wait = std::clamp(due - now, Millis{}, wait);
    return wait;
}

void Loop::begin_stop() {
    signalfd_siginfo info{};
    static_cast<void>(!::read(parts_.stop_fd, &info, sizeof info));
    log_info("stopping", {{"signal", std::to_string(info.ssi_signo)}});
    stopping_ = true;
    end_at_ = boottime() + kRefusing;
    parts_.control.shut_down();
}

bool Loop::may_end() const {
    const Millis now = boottime();
    if (now >= end_at_ + kLongestEnd) return true;
    return now >= end_at_ && !parts_.pipeline.has_uncommitted() && !parts_.control.has_backlog();
}

}  // namespace zq::coordinator
