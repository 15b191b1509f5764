#include "coordinator/store/follower.h"

#include <algorithm>
#include <thread>

namespace zq::store {
namespace {

constexpr std::chrono::milliseconds kRoomAgainAfter{200};  // between two looks at a full disk

/// What is to be read is worth a quarter of a second of the reader's time, not a stalled disk's.
constexpr std::chrono::milliseconds kTablesWait{1};
constexpr int kTablesWaits = 250;

/// Who waits for the tables all the time has them written in larger slices: after one, the next is
/// not begun for so many times as long as it took.
constexpr int kHurriedRest = 2;

}  // namespace

Follower::Follower(Projector projector, LogBounds bounds, StorageReserve& reserve,
                   FailureNote& failure, std::function<void()> on_moved)
    : bounds_(bounds),
      reserve_(reserve),
      failure_(failure),
      on_moved_(std::move(on_moved)),
      projector_(std::move(projector)),
      committed_(projector_.meta().last_seq),
      projected_(projector_.meta().last_seq),
      settled_(projector_.settled()) {}

void Follower::serve() {
    while (true) {
        const Woken woken = wait();
        if (woken == Woken::kToEnd) return;
        if (failure_.is_set()) continue;
        if (is_time()) {
            std::lock_guard at_tables(at_tables_);
            project_slice();
        } else if (woken == Woken::kByTime && !has_trail()) {
            rest();
        }
        take_care();
    }
}

void Follower::end() {
    {
        std::lock_guard at_trail(at_trail_);
        ends_ = true;
    }
    arrived_.notify_one();
}

void Follower::add(Batch batch, std::vector<EventRow> rows, bool log_is_long) {
    bool wakes = false;
    {
        std::lock_guard at_trail(at_trail_);
        committed_.store(batch.events.back().seq, std::memory_order_release);
        trail_.add(std::move(batch), std::move(rows));
        log_is_long_ = log_is_long;
        trails_far_ = trail_.is_far();
        wakes = waits_long_ || (trail_.is_due() && !full_);
    }
    if (wakes) arrived_.notify_one();
}

void Follower::want(Seq upto) {
    {
        std::lock_guard at_trail(at_trail_);
        wanted_ = std::max(wanted_, upto);
    }
    arrived_.notify_one();
}

void Follower::put(const Anchor& anchor) {
    {
        std::lock_guard at_trail(at_trail_);
        anchor_ = anchor;
    }
    arrived_.notify_one();
}

/// Until there is something to do, or nothing was for a while. kByTime: nothing was all the time.
Follower::Woken Follower::wait() {
    std::unique_lock at_trail(at_trail_);
    const Clock::duration rest = std::chrono::milliseconds(bounds_.rest_after.count);
    const auto until = Clock::now() + (full_ ? kRoomAgainAfter : rest);
    waits_long_ = trail_.is_empty();
    const auto has_come = [&] {
        if (ends_) return true;
        if (bounds_.project_every != 0 || failure_.is_set()) return false;
        if (anchor_) return true;
        if (trail_.is_empty() || full_) return false;
        return waits_long_ || patience() <= Clock::duration::zero();
    };
    bool come = has_come();
    while (!come && Clock::now() < until) {
        // What comes meanwhile may make it impatient.
        arrived_.wait_until(at_trail, std::min(until, Clock::now() + patience()));
        come = has_come();
    }
    const bool was_empty = std::exchange(waits_long_, false);
    if (ends_) return Woken::kToEnd;
    return !come && was_empty ? Woken::kByTime : Woken::kForWork;
}

/// How long what is there may wait; under at_trail_.
Follower::Clock::duration Follower::patience() const {
    const Clock::duration rest = std::chrono::milliseconds(bounds_.rest_after.count);
    const bool acts = !full_ && !failure_.is_set() && bounds_.project_every == 0;
    if (trail_.is_empty() || !acts) return rest;
    Clock::duration wait = trail_.until_due();
    if (projected() < wanted_) wait = std::min(wait, hurried_from_ - Clock::now());
    return std::clamp<Clock::duration>(wait, {}, rest);
}

bool Follower::is_time() {
    std::lock_guard at_trail(at_trail_);
    if (trail_.is_empty() || bounds_.project_every != 0) return false;
    const bool hurries = projected() < wanted_ && Clock::now() >= hurried_from_;
    return full_ || hurries || trail_.is_due();
}

bool Follower::has_trail() {
    std::lock_guard at_trail(at_trail_);
    return !trail_.is_empty();
}

void Follower::project_slice() {
    const auto start = Clock::now();
    std::optional<LoggedChanges> slice;
    Sync sync = Sync::kNone;
    {
        std::lock_guard at_trail(at_trail_);
        slice = trail_.take();
        if (log_is_long_) sync = Sync::kFull;
    }
    if (!slice || failure_.is_set()) return;
    const bool had_erased = projector_.has_erased();
    const auto done = projector_.write(*slice, sync);
    full_ = !done && done.error().code == ErrorCode::STORAGE_FULL;
    if (!full_) check(done);
    if (done) check(projector_.keep_log_short(false));
    if (projector_.has_erased() && !had_erased) wipe_log();
    projected_.store(projector_.meta().last_seq, std::memory_order_release);
    settled_.store(projector_.settled(), std::memory_order_release);
    std::lock_guard at_trail(at_trail_);
    if (full_) trail_.put_back(std::move(*slice));
    if (sync == Sync::kFull) log_is_long_ = false;
    trail_.note_written();
    trails_far_ = trail_.is_far();
    const auto end = Clock::now();
    hurried_from_ = end + kHurriedRest * (end - start);
    on_moved_();
}

/// What is committed by now: while more comes, there is no end.
void Follower::project_all() {
    const Seq upto = committed_.load(std::memory_order_acquire);
    while (projected() < upto && has_trail() && !failure_.is_set()) {
        project_slice();
        if (full_) return;
    }
}

std::unique_lock<std::mutex> Follower::await_tables() {
    std::unique_lock at_tables(at_tables_, std::try_to_lock);
    for (int waits = 0; !at_tables.owns_lock() && waits < kTablesWaits && !is_full(); ++waits) {
        std::this_thread::sleep_for(kTablesWait);
        at_tables.try_lock();
    }
    return at_tables;
}

void Follower::project() {
    if (committed_.load(std::memory_order_acquire) == projected()) return;
    const auto at_tables = await_tables();
    if (at_tables.owns_lock()) project_all();
}

void Follower::catch_up() {
    const auto at_tables = await_tables();
    if (!at_tables.owns_lock()) return;
    project_all();
    if (!failure_.is_set()) check(projector_.write_trailing());
}

/// What is done beside, after a slice or where there is none.
void Follower::take_care() {
    const bool is_due =
        Clock::now() - looked_ > std::chrono::milliseconds(bounds_.rest_after.count);
    if (is_due) {
        looked_ = Clock::now();
        reserve_.refresh();
    }
    std::optional<Anchor> anchor;
    bool idle = false;
    {
        std::lock_guard at_trail(at_trail_);
        anchor = std::exchange(anchor_, std::nullopt);
        idle = trail_.is_empty();
    }
    std::lock_guard at_tables(at_tables_);
    if (anchor && !failure_.is_set()) check(projector_.write(*anchor));
    if (projector_.has_erased() && (idle || is_due)) wipe_log();
    if (!failure_.is_set()) check(projector_.keep_log_short(idle));
}

/// Nothing waits: time to copy the log back.
void Follower::rest() {
    std::lock_guard at_tables(at_tables_);
    if (failure_.is_set()) return;
    check(projector_.write_trailing());
    if (failure_.is_set()) return;
    bool settles = false;
    {
        std::lock_guard at_trail(at_trail_);
        settles = std::exchange(log_is_long_, false);
    }
    if (!settles) return check(projector_.copy_log_back());
    if (auto done = projector_.wipe_log(); !done) check(Failure(done.error()));
    settled_.store(projector_.settled(), std::memory_order_release);
}

void Follower::settle_soon() {
    std::lock_guard at_trail(at_trail_);
    log_is_long_ = true;
}

/// The tables' log has what was overwritten until it is emptied; a reader may hinder that.
void Follower::wipe_log() {
    if (failure_.is_set()) return;
    auto wiped = projector_.wipe_log();
    if (!wiped) return check(Failure(wiped.error()));
    if (!*wiped) return;
    settled_.store(projector_.settled(), std::memory_order_release);
    erasures_.fetch_add(1, std::memory_order_release);
}

Result<void> Follower::settle() {
    std::lock_guard at_tables(at_tables_);
    project_all();
    if (auto why = failure_.text()) return fail(ErrorCode::IO, *why);
    if (full_) return fail(ErrorCode::STORAGE_FULL, "the disk is full");
    const bool erased = projector_.has_erased();
    auto done = projector_.settle();
    // After a failed sync the kernel may call lost pages clean: nothing more can be promised.
    if (!done && done.error().code == ErrorCode::IO) check(done);
    if (done && erased) wipe_log();
    settled_.store(projector_.settled(), std::memory_order_release);
    return done;
}

Result<void> Follower::stop() {
    {
        std::lock_guard at_tables(at_tables_);
        project_all();
        if (!failure_.is_set() && !full_) check(projector_.write_trailing());
        if (!failure_.is_set() && !full_) check(projector_.anchor_end());
    }
    auto done = settle();
    std::lock_guard at_tables(at_tables_);
    if (!done) projector_.keep_log_on_close();
    return done;
}

void Follower::check(const Result<void>& done) {
    if (done) return;
    projector_.keep_log_on_close();
    failure_.set(done.error());
    on_moved_();
}

}  // namespace zq::store
