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

constexpr std::size_t kPassBytes = 16UL << 20;  // read in one pass

std::size_t bytes_of(const Received& received) {
    std::size_t bytes = 0;
    for (const std::string& frame : received.frames) bytes += frame.size();
    return bytes;
}

ClockReading read_clocks() {
    return {boottime(), wall_time()};
}

}  // namespace

Loop::Loop(const LoopParts& parts)
    : parts_(parts), turn_({parts.journal, parts.pipeline, parts.control, parts.clock}) {
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
    turn_.begin_service(read_clocks());
    while (!turn_.is_stopping() || !turn_.may_end(boottime())) {
        wait();
        if (parts_.fail_fd >= 0 && items_[kFail].readable) {
            return fail(ErrorCode::IO, "the ZAP handler has ended: nobody could be authenticated");
        }
        if (items_[kStop].readable && !turn_.is_stopping()) begin_stop();
        auto now = turn_.wake(read_clocks());
        if (!now) return Failure(now.error());
        if (turn_.may_read()) {
            take_messages(*now);
            take_store_requests(*now);
        }
        turn_.finish(*now);
    }
    return {};
}

void Loop::wait() {
    std::vector<PollItem> items = items_;
    // While too much is uncommitted nothing more is read.
    if (parts_.pipeline.is_full()) items.resize(kResults + 1);
    turn_.begin_wait(boottime());
    poll(items, turn_.longest_wait());
    for (std::size_t i = 0; i < items_.size(); ++i) {
        items_[i].readable = i < items.size() && items[i].readable;
    }
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

void Loop::begin_stop() {
    signalfd_siginfo info{};
    static_cast<void>(!::read(parts_.stop_fd, &info, sizeof info));
    log_info("stopping", {{"signal", std::to_string(info.ssi_signo)}});
    turn_.stop(boottime());
}

}  // namespace zq::coordinator
