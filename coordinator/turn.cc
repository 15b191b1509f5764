#include "coordinator/turn.h"

#include <algorithm>
#include <utility>

#include "common/platform/clock.h"
#include "common/platform/log.h"

namespace zq::coordinator {
namespace {

constexpr Millis kLongestWait = seconds(1);
constexpr Millis kBacklogWait = millis(10);  // before a slow peer is tried again
constexpr Millis kRefusing = millis(250);    // at the end: lets last answers leave
constexpr Millis kLongestEnd = seconds(10);
constexpr int kRounds = 8;  // of Match or Tick in one turn

}  // namespace

void Turn::begin_service(ClockReading reading) {
    woke_ = reading.boot;
    note_storage();  // the start's own commits may have met a full disk
    run(core::BeginService{}, read_clock(reading));
}

void Turn::begin_wait(Millis boot) {
    may_wait_ = timeout();
    waited_from_ = boot;
}

Result<Instant> Turn::wake(ClockReading reading) {
    const Instant now = read_clock(reading);
    note_stalls(reading.boot);
    if (auto ok = take_commits(now); !ok) return Failure(ok.error());
    note_storage();
    may_read_ = !parts_.pipeline.is_full();
    return now;
}

Result<void> Turn::take_commits(Instant now) {
    const Seq before = parts_.pipeline.durable_seq();
    auto readable = parts_.pipeline.collect();
    if (!readable) return Failure(readable.error());
    parts_.control.wake(*readable, now);
    if (parts_.pipeline.durable_seq() != before) {
        commit_since_ = parts_.pipeline.has_uncommitted() ? woke_ : Millis{};
    }
    return {};
}

Result<void> Turn::finish(Instant now, bool alone) {
    if (may_read_ && !stopping_) decide_due(now);
    if (may_read_ && !stopping_) parts_.control.retain(now);
    parts_.control.expire(now);
    // While a commit is under way the next batch grows: what comes meanwhile shares one sync.
    if (alone && parts_.journal.uncommitted_batches() == 0) {
        if (parts_.pipeline.append_now()) {
            if (auto ok = take_commits(now); !ok) return ok;
            note_storage();  // what it met is not told by a later commit's answer
        }
    } else if (parts_.journal.uncommitted_batches() == 0 || parts_.pipeline.batch_is_large()) {
        parts_.pipeline.append();
    }
    if (commit_since_.count == 0 && parts_.pipeline.has_uncommitted()) commit_since_ = woke_;
    parts_.control.flush(now);
    return {};
}

Instant Turn::read_clock(ClockReading reading) {
    const Instant before = parts_.clock.now();
    const Instant now = parts_.clock.advance(reading);
    if (read_at_.count != 0) {
        slewed_ = std::max(Millis{}, slewed_ + (now - before) - (reading.boot - read_at_));
    }
    read_at_ = reading.boot;
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

/// Three ways not to listen: the last turn took long, the process did not get to run when its wait
/// was over, a commit does not end.
void Turn::note_stalls(Millis woke) {
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
    // A full disk was told of when it began, and may last.
    if (!waits_for_room_) {
        log_warn("the coordinator did not listen for a while",
                 {{"ms", std::to_string(stalled.count)}});
    }
    run(core::NoteStall{stalled}, parts_.clock.now());
}

void Turn::note_storage() {
    const bool low = parts_.journal.storage_low();
    const bool waits = parts_.journal.waits_for_room();
    parts_.control.note_storage(low);
    if (std::exchange(storage_low_, low) != low) {
        if (low) {
            log_warn("the disk is nearly full: submits are refused, completions still land");
        } else {
            log_info("the disk has room: submits are taken");
        }
    }
    if (std::exchange(waits_for_room_, waits) != waits) {
        if (waits) {
            log_error("the disk is full: nothing is acknowledged until there is room");
        } else {
            log_info("the disk has room: commits go on");
        }
    }
}

void Turn::run(core::CommandBody body, Instant now) {
    core::Command command;
    command.now = now;
    command.identity = kSystemIdentity;
    command.body = std::move(body);
    parts_.pipeline.run(command);
}

void Turn::decide_due(Instant now) {
    const core::State& state = parts_.pipeline.state();
    const core::Policy& policy = parts_.pipeline.policy();
    for (int i = 0; i < kRounds && core::next_deadline(state, policy) <= now; ++i) {
        run(core::Tick{}, now);
    }
    for (int i = 0; i < kRounds && !state.now.to_match.empty(); ++i) run(core::Match{}, now);
    parts_.control.serve_claims(now);
}

bool Turn::has_work(Instant now) const {
    const core::State& state = parts_.pipeline.state();
    return !state.now.to_match.empty() ||
           core::next_deadline(state, parts_.pipeline.policy()) <= now;
}

Millis Turn::timeout() const {
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

void Turn::stop(Millis boot) {
    stopping_ = true;
    end_at_ = boot + kRefusing;
    parts_.control.shut_down();
}

bool Turn::may_end(Millis boot) const {
    if (boot >= end_at_ + kLongestEnd) return true;
    const bool waits = parts_.pipeline.has_uncommitted() || parts_.pipeline.has_questions();
    const bool settled = !waits || parts_.journal.waits_for_room();
    return boot >= end_at_ && settled && !parts_.control.has_backlog();
}

}  // namespace zq::coordinator
