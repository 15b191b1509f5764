#include "coordinator/store/committer.h"

#include <algorithm>
#include <thread>

#include "common/base/check.h"
#include "coordinator/store/erase.h"

namespace zq::store {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRoomAgainAfter{200};  // between two looks at a full disk

/// The loop looks at the disk's state at least that often.
constexpr std::chrono::seconds kLoopLooks{2};

/// Statistics are worth a quarter of a second of the loop's time, not a stalled disk's.
constexpr std::chrono::milliseconds kCatchUpWait{1};
constexpr int kCatchUpWaits = 250;

/// Visits a variant with one lambda per alternative.
template <class... F>
struct Cases : F... {
    using F::operator()...;
};
template <class... F>
Cases(F...) -> Cases<F...>;

}  // namespace

Committer::Committer(Database database, BatchWriter writer, const Meta& meta, std::string folder,
                     StorageBounds storage, LogBounds log)
    : database_(std::move(database)),
      writer_(std::move(writer)),
      meta_(meta),
      reserve_(std::move(folder), storage),
      log_(log) {}

void Committer::serve(CommitQueue& queue) {
    bool stopped = false;
    while (!stopped) {
        auto order = queue.next(rest_after());
        std::lock_guard at_work(at_work_);
        if (!order) {
            rest();
            tell_failure(queue);
            continue;
        }
        std::visit(Cases{[&](CommitOrder& commit_order) {
                             queue.answer({commit_when_it_fits(commit_order.batch, queue),
                                           commit_order.bytes});
                             keep_log_short(queue);
                             tell_failure(queue);
                         },
                         [&](SettleOrder& settle_order) { settle_order.done.set_value(settle()); },
                         [&](StopOrder& stop_order) {
                             stop_order.done.set_value(stop());
                             stopped = true;
                         },
                         [&](AnchorOrder& anchor_order) { write(anchor_order.anchor); },
                         [&](UpkeepOrder&) {
                             keep_log_short(queue);
                             tell_failure(queue);
                         }},
                   *order);
    }
}

std::optional<CommitResult> Committer::commit_here(const Batch& batch) {
    std::unique_lock at_work(at_work_, std::try_to_lock);
    if (!at_work.owns_lock()) return std::nullopt;
    CommitResult result = commit(batch);
    // Tried again until it fits: that is the other thread's.
    if (result.status == CommitStatus::kFull) return std::nullopt;
    return result;
}

void Committer::catch_up() {
    std::unique_lock at_work(at_work_, std::try_to_lock);
    for (int waits = 0; !at_work.owns_lock() && waits < kCatchUpWaits; ++waits) {
        if (waits_for_room()) return;
        std::this_thread::sleep_for(kCatchUpWait);
        at_work.try_lock();
    }
    if (at_work.owns_lock()) write_trailing();
}

void Committer::write_trailing() {
    if (poisoned_ || !writer_.trails(meta_)) return;
    auto write = [&]() -> Result<void> {
        auto steps = [&]() -> Result<void> {
            if (auto ok = database_.run("BEGIN IMMEDIATE"); !ok) return ok;
            if (auto ok = writer_.catch_up(meta_); !ok) return ok;
            return database_.run("COMMIT");
        };
        auto done = steps();
        if (done) return done;
        writer_.forget_trailing();
        if (database_.in_transaction()) static_cast<void>(database_.run("ROLLBACK"));
        if (database_.in_transaction()) return fail(ErrorCode::IO, done.error().message);
        return done;
    };
    auto done = write();
    if (!done && done.error().code == ErrorCode::STORAGE_FULL && reserve_.release()) {
        // No answer wakes the loop for this: it is to see by itself that the reserve is gone.
        gone_until_ = steady_clock::now() + kLoopLooks;
        done = write();
    }
    if (!done && done.error().code != ErrorCode::STORAGE_FULL) poison(done.error());
}

bool Committer::log_is_long() {
    std::unique_lock at_work(at_work_, std::try_to_lock);
    if (!at_work.owns_lock()) return false;
    return database_.log_pages() - checkpointed_pages_ >= log_.checkpoint_pages || wipe_log_;
}

/// What was decided can't be taken back: the same batch again until it fits.
CommitResult Committer::commit_when_it_fits(const Batch& batch, CommitQueue& queue) {
    CommitResult result = commit(batch);
    while (result.status == CommitStatus::kFull) {
        waits_for_room_ = true;
        if (queue.await_stop(kRoomAgainAfter)) break;
        result = commit(batch);
    }
    waits_for_room_ = false;
    return result;
}

/// The loop learns of a failure outside of commits too: it must stop, not find out with its next
/// batch.
void Committer::tell_failure(CommitQueue& queue) {
    if (!poisoned_ || std::exchange(told_, true)) return;
    queue.answer(
        {{CommitStatus::kUnknown, meta_.last_seq, {}, *poisoned_}, 0, Answered::Of::kUpkeep});
}

CommitResult Committer::commit(const Batch& batch) {
    const Seq last_seq = batch.events.back().seq;
    if (poisoned_) return {CommitStatus::kUnknown, last_seq, {}, *poisoned_};
    if (batch.events.front().seq != meta_.last_seq + 1) {
        // Only behind one that was given up may there be others.
        ZQ_CHECK(batch.events.front().seq > meta_.last_seq);
        return {CommitStatus::kFull, last_seq, {}, "a batch before this one did not fit"};
    }
    auto meta = try_commit(batch);
    if (!meta && meta.error().code == ErrorCode::STORAGE_FULL && !database_.in_transaction() &&
        reserve_.release()) {
        looked_ = steady_clock::now();  // not made again before the loop has seen that it is gone
        meta = try_commit(batch);
    }
    if (meta) {
        meta_ = *meta;
        return {CommitStatus::kCommitted, last_seq, meta_.chain_head, {}};
    }
    if (meta.error().code == ErrorCode::STORAGE_FULL && !database_.in_transaction()) {
        return {CommitStatus::kFull, last_seq, {}, meta.error().message};
    }
    poison(meta.error());
    return {CommitStatus::kUnknown, last_seq, {}, meta.error().message};
}

Result<Meta> Committer::try_commit(const Batch& batch) {
    auto write = [&]() -> Result<Meta> {
        if (auto ok = database_.run("BEGIN IMMEDIATE"); !ok) return Failure(ok.error());
        auto meta = writer_.write(batch, meta_);
        if (!meta) return meta;
        if (auto ok = erase_texts(database_, batch.events); !ok) return Failure(ok.error());
        if (auto ok = database_.run("COMMIT"); !ok) return Failure(ok.error());
        return meta;
    };
    auto meta = write();
    if (!meta && database_.in_transaction()) {
        // What a failed rollback leaves is for the caller to see: the transaction is still open.
        static_cast<void>(database_.run("ROLLBACK"));
    }
    if (meta) note_erased(batch);
    return meta;
}

/// What was erased, or was content of such a task, is still in the log.
void Committer::note_erased(const Batch& batch) {
    for (const core::Event& event : batch.events) {
        if (std::holds_alternative<core::TextsErased>(event.body)) erased_upto_ = event.seq;
        const bool condemns = std::holds_alternative<core::ContentsCondemned>(event.body);
        if (erased_upto_ == event.seq || (condemns && erased_upto_ != 0)) wipe_log_ = true;
    }
}

/// The log has what was overwritten until it is emptied. A reader that is in the midst of something
/// hinders that: then after a later batch, or when nothing is to be done.
void Committer::wipe_log() {
    if (!wipe_log_ || poisoned_) return;
    auto done = database_.checkpoint(Checkpoint::kEmpty);
    if (!done && done.error().code != ErrorCode::STORAGE_FULL) return poison(done.error());
    if (!done || database_.log_pages() != 0) return;
    checkpointed_pages_ = 0;
    wipe_log_ = false;
}

Result<void> Committer::settle() {
    if (poisoned_) return fail(ErrorCode::IO, *poisoned_);
    auto done = database_.checkpoint(Checkpoint::kTruncate);
    if (!done && done.error().code == ErrorCode::STORAGE_FULL && reserve_.release()) {
        done = database_.checkpoint(Checkpoint::kTruncate);
    }
    if (done) {
        checkpointed_pages_ = 0;
    } else if (done.error().code == ErrorCode::IO) {
        // After a failed sync the kernel may call lost pages clean: nothing more can be promised.
        poison(done.error());
    }
    return done;
}

/// Evidence only: a full disk leaves it out. Any other failure is one of the disk.
void Committer::write(const Anchor& anchor) {
    // Made of a state that had texts which are erased since.
    if (poisoned_ || anchor.seq < erased_upto_) return;
    auto done = write_anchor(database_, anchor);
    if (!done && done.error().code != ErrorCode::STORAGE_FULL) poison(done.error());
}

/// A journal that is closed in good order says what it led to.
Result<void> Committer::anchor_end() {
    if (poisoned_) return fail(ErrorCode::IO, *poisoned_);
    auto last = last_anchor(database_);
    if (!last) return Failure(last.error());
    if (*last == meta_.last_seq) return {};
    auto anchor = take_anchor(database_);
    if (!anchor) return Failure(anchor.error());
    write(*anchor);
    return {};
}

Result<void> Committer::stop() {
    write_trailing();
    auto anchored = anchor_end();
    auto done = settle();
    if (done && !anchored) done = anchored;
    // What could not be brought over stays in the log for the next start.
    if (!done) database_.keep_log_on_close();
    return done;
}

void Committer::keep_log_short(const CommitQueue& queue) {
    if (steady_clock::now() - looked_ > rest_after()) {
        looked_ = steady_clock::now();
        if (looked_ >= gone_until_) reserve_.refresh();
    }
    const int pages = database_.log_pages();
    if (pages < checkpointed_pages_) checkpointed_pages_ = 0;  // the log began anew
    if (wipe_log_ && queue.is_empty()) wipe_log();
    const bool may = pages - checkpointed_pages_ >= log_.checkpoint_pages && queue.is_empty();
    const bool must = pages - checkpointed_pages_ >= log_.most_pages;
    if (poisoned_ || (!may && !must)) return;
    auto done = database_.checkpoint(Checkpoint::kPassive);
    checkpointed_pages_ = pages;
    // A full disk only postpones the copying; the commits themselves are in the log.
    if (!done && done.error().code != ErrorCode::STORAGE_FULL) poison(done.error());
}

/// Nothing waits: time to copy the log back and to look at the disk.
void Committer::rest() {
    looked_ = steady_clock::now();
    if (looked_ >= gone_until_) reserve_.refresh();
    write_trailing();
    const int pages = database_.log_pages();
    wipe_log();
    if (poisoned_ || pages == checkpointed_pages_) return;
    auto done = database_.checkpoint(Checkpoint::kPassive);
    checkpointed_pages_ = pages;
    if (!done && done.error().code != ErrorCode::STORAGE_FULL) poison(done.error());
}

void Committer::poison(const Error& error) {
    poisoned_ = "the journal stopped after a failure: " + error.message;
    database_.keep_log_on_close();
}

}  // namespace zq::store
