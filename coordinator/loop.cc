#include "coordinator/loop.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>

#include "common/platform/clock.h"
#include "common/platform/log.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kStop = 0;  // places in items_
constexpr std::size_t kFail = 1;
constexpr std::size_t kResults = 2;
constexpr std::size_t kStore = 3;
constexpr std::size_t kKeys = 4;
constexpr std::size_t kFirstDoor = 5;

constexpr std::size_t kPassBytes = 16UL << 20;  // read in one pass
/// Of one who waits for its answer: a worker's report and its credit come together.
constexpr std::size_t kFewMessages = 2;
/// Events of one turn: work comes so fast that the IO thread may let it gather.
constexpr std::size_t kManyEvents = 16;

std::size_t bytes_of(const Received& received) {
    std::size_t bytes = 0;
    for (const std::string& frame : received.frames) bytes += frame.size();
    return bytes;
}

Micros now_micros() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

ClockReading read_clocks() {
    return {boottime(), wall_time()};
}

}  // namespace

Loop::Loop(const LoopParts& parts)
    : parts_(parts), turn_({parts.journal, parts.pipeline, parts.control, parts.clock}) {
    // A pollable item per source; descriptors that are absent point at that of the signals.
    const int stop = parts_.signals;
    const int results = parts_.journal.results_fd();
    items_ = {{nullptr, stop, false},
              {nullptr, parts_.fail_fd < 0 ? stop : parts_.fail_fd, false},
              {nullptr, results < 0 ? stop : results, false},
              {nullptr, parts_.store_requests.fd(), false},
              {nullptr, parts_.keys_fd < 0 ? stop : parts_.keys_fd, false}};
    for (std::size_t i = 0; i < parts_.doors.size(); ++i) {
        items_.push_back({parts_.doors.at(i).socket.raw(), -1, false});
    }
}

Result<void> Loop::run() {
    turn_.begin_service(read_clocks());
    parts_.notifier.ready("serving " + std::to_string(parts_.pipeline.state().durable.open.size()) +
                          " open tasks");
    while (!turn_.is_stopping() || !turn_.may_end(boottime())) {
        wait();
        if (parts_.fail_fd >= 0 && items_[kFail].readable) {
            return fail(ErrorCode::IO, "the ZAP handler has ended: nobody could be authenticated");
        }
        parts_.notifier.alive(boottime());
        auto now = turn_.wake(read_clocks());
        if (!now) return Failure(now.error());
        if (items_[kStop].readable) take_signals(*now);
        // Before any message: a key that is gone is refused from then on.
        if (parts_.keys_fd >= 0 && items_[kKeys].readable) parts_.control.follow_keys(*now);
        parts_.doors.count_arrivals(parts_.counters);
        intake_.begin_turn(now_micros());
        taken_ = 0;
        if (turn_.may_read()) {
            take_messages();
            serve_messages(*now);
            note_load();
            take_store_requests(*now);
        }
        const bool alone = taken_ <= kFewMessages && intake_.is_empty();
        if (auto ok = turn_.finish(*now, alone); !ok) return ok;
        for (const edge::Connection& gone : parts_.control.take_gone()) {
            intake_.forget_lookups(gone.door, gone.routing_id, gone.user_id);
        }
        intake_.end_turn(now_micros());
    }
    return {};
}

void Loop::wait() {
    std::vector<PollItem> items = items_;
    // While too much is uncommitted nothing more is read.
    if (parts_.pipeline.is_full()) items.resize(kResults + 1);
    turn_.begin_wait(boottime());
    Millis patience = turn_.longest_wait();
    if (!parts_.pipeline.is_full() && !intake_.is_empty()) {
        const Micros next = intake_.next_pass(now_micros(), lookups());
        if (next != Intake::kNever)
            patience = std::min(patience, Millis{(next.count + 999) / 1000});
    }
    poll(items, parts_.notifier.longest_wait(patience));
    for (std::size_t i = 0; i < items_.size(); ++i) {
        items_[i].readable = i < items.size() && items[i].readable;
    }
}

void Loop::take_messages() {
    std::size_t left = limits::kTurnMessages;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < parts_.doors.size(); ++i) {
        std::size_t turn = limits::kTurnMessages / parts_.doors.size();
        if (!items_[kFirstDoor + i].readable) continue;
        while (left > 0 && turn > 0 && bytes < kPassBytes) {
            auto received = parts_.doors.at(i).socket.receive();
            if (!received) break;
            bytes += bytes_of(*received);
            --left;
            --turn;
            ++taken_;
            auto refused = intake_.put({i, std::move(*received)});
            if (refused) parts_.control.turn_away(refused->door, std::move(refused->received));
        }
    }
}

/// Where much is committed, every message that comes or leaves would have the IO thread take this
/// one's processor. A flood that changes nothing is no such load: others wait beside it.
void Loop::note_load() {
    const std::size_t events = parts_.pipeline.batch_events();
    const bool calm = taken_ != 0 && events <= kFewMessages;
    if (loaded_ ? !calm : events < kManyEvents) return;
    loaded_ = !loaded_;
    parts_.doors.hold_back_io(loaded_);
}

void Loop::serve_messages(Instant now) {
    intake_.begin_pass(now_micros(), lookups());
    while (auto incoming = intake_.next(now_micros())) {
        parts_.control.handle(incoming->door, std::move(incoming->received), now);
    }
    if (intake_.has_given_lookup()) looked_up_at_ = parts_.pipeline.durable_seq();
}

/// One for each commit; and none while one waits for the tables: all that wait are answered in one
/// turn.
Lookups Loop::lookups() const {
    const bool looked_up =
        parts_.pipeline.has_uncommitted() && looked_up_at_ == parts_.pipeline.durable_seq();
    const bool waits = looked_up || parts_.pipeline.has_questions();
    return waits ? Lookups::kHeld : Lookups::kGiven;
}

void Loop::take_store_requests(Instant now) {
    if (!items_[kStore].readable) return;
    for (StoreRequest& request : parts_.store_requests.take()) {
        parts_.control.handle(std::move(request), now);
    }
}

void Loop::take_signals(Instant now) {
    signalfd_siginfo info{};
    while (::read(parts_.signals, &info, sizeof info) == sizeof info) {
        if (turn_.is_stopping()) continue;
        if (info.ssi_signo != SIGHUP || hang_up_.ends()) {
            begin_stop(info.ssi_signo);
            continue;
        }
        parts_.notifier.reloading();
        parts_.reload(now);
        parts_.notifier.ready("serving, with the settings as they are now");
    }
}

void Loop::begin_stop(std::uint32_t signal) {
    log_info("stopping", {{"signal", std::to_string(signal)}});
    parts_.notifier.stopping("ending: the last answers leave");
    turn_.stop(boottime());
}

}  // namespace zq::coordinator
