#include "coordinator/store/committer.h"

#include <algorithm>
#include <thread>

#include "common/base/check.h"

namespace zq::store {
namespace {

constexpr std::chrono::milliseconds kRoomAgainAfter{200};  // between two looks at a full disk

/// What is to be read is worth a quarter of a second of the reader's time, not a stalled disk's.
constexpr std::chrono::milliseconds kTablesWait{1};
constexpr int kTablesWaits = 250;

/// Visits a variant with one lambda per alternative.
template <class... F>
struct Cases : F... {
    using F::operator()...;
};
template <class... F>
Cases(F...) -> Cases<F...>;

}  // namespace

Committer::Committer(CommitterParts parts, const std::string& folder, StorageBounds storage,
                     LogBounds bounds)
    : reserve_(folder, storage),
      bounds_(bounds),
      log_(std::move(parts.log)),
      last_seq_(parts.meta.last_seq),
      head_(parts.meta.chain_head),
      projector_(std::move(parts.database), std::move(parts.writer), parts.meta, bounds, reserve_),
      committed_(parts.meta.last_seq),
      projected_(parts.meta.last_seq) {}

void Committer::serve(CommitQueue& queue) {
    bool stopped = false;
    while (!stopped) {
        auto order = queue.next(patience());
        if (!order) {
            const bool trails = is_time(true);
            if (trails) {
                std::lock_guard at_tables(at_tables_);
                project_slice();
                queue.signal();
            } else {
                rest();
            }
            tell_failure(queue);
            continue;
        }
        std::visit(Cases{[&](CommitOrder& commit_order) {
                             CommitResult result = commit_when_it_fits(commit_order.batch, queue);
                             if (is_turn()) project();
                             queue.answer({std::move(result), commit_order.bytes});
                         },
                         [&](SettleOrder& settle_order) { settle_order.done.set_value(settle()); },
                         [&](StopOrder& stop_order) {
                             stop_order.done.set_value(stop());
                             stopped = true;
                         },
                         [&](AnchorOrder& anchor_order) {
                             std::lock_guard at_tables(at_tables_);
                             if (!poisoned()) check(projector_.write(anchor_order.anchor));
                         },
                         [&](ProjectOrder& project_order) {
                             std::lock_guard at_log(at_log_);
                             wanted_ = std::max(wanted_, project_order.awaited);
                         }},
                   *order);
        if (!stopped) take_care(queue);
        tell_failure(queue);
    }
}

/// By the count of batches, where that is what decides.
bool Committer::is_turn() {
    return bounds_.project_every != 0 && ++committed_batches_ % bounds_.project_every == 0;
}

/// After an order: what may be done while nothing else waits, or must be done though.
void Committer::take_care(const CommitQueue& queue) {
    if (is_time(queue.is_empty())) {
        std::lock_guard at_tables(at_tables_);
        project_slice();
        queue.signal();
    }
    if (Clock::now() - looked_ > std::chrono::milliseconds(bounds_.rest_after.count)) {
        looked_ = Clock::now();
        reserve_.refresh();
    }
    if (!queue.is_empty()) return;
    wipe_logs();
    std::lock_guard at_tables(at_tables_);
    if (!poisoned()) check(projector_.keep_log_short(true));
}

// The log.

std::optional<CommitResult> Committer::commit_here(Batch& batch) {
    std::unique_lock at_log(at_log_, std::try_to_lock);
    if (!at_log.owns_lock()) return std::nullopt;
    CommitResult result = commit(batch);
    // Tried again until it fits: that is the other thread's.
    if (result.status == CommitStatus::kFull) return std::nullopt;
    return result;
}

bool Committer::should_be_woken() {
    std::lock_guard at_log(at_log_);
    return !std::exchange(woken_, true);
}

/// What was decided can't be taken back: the same batch again until it fits.
CommitResult Committer::commit_when_it_fits(Batch& batch, CommitQueue& queue) {
    const auto once = [&] {
        std::lock_guard at_log(at_log_);
        return commit(batch);
    };
    CommitResult result = once();
    while (result.status == CommitStatus::kFull) {
        waits_for_room_ = true;
        if (queue.await_stop(kRoomAgainAfter)) break;
        if (tables_full_) {
            std::lock_guard at_tables(at_tables_);
            project_slice();
        }
        result = once();
    }
    waits_for_room_ = false;
    return result;
}

CommitResult Committer::commit(Batch& batch) {
    const Seq first_seq = batch.events.front().seq;
    const Seq last_seq = batch.events.back().seq;
    if (poisoned_) return {CommitStatus::kUnknown, last_seq, {}, *poisoned_};
    if (first_seq != last_seq_ + 1) {
        // Only behind one that was given up may there be others.
        ZQ_CHECK(first_seq > last_seq_);
        return {CommitStatus::kFull, last_seq, {}, "a batch before this one did not fit"};
    }
    // What is acknowledged has its place in the tables: their room is not used up by the log.
    if (tables_full_) return {CommitStatus::kFull, last_seq, {}, "the disk is full"};
    std::vector<EventRow> rows = make_rows(batch.events, head_);
    auto done = log_.append(rows, batch.contents, first_seq);
    if (!done && done.error().code == ErrorCode::STORAGE_FULL && reserve_.release()) {
        done = log_.append(rows, batch.contents, first_seq);
    }
    if (!done && done.error().code == ErrorCode::STORAGE_FULL) {
        return {CommitStatus::kFull, last_seq, {}, done.error().message};
    }
    if (!done) {
        poisoned_ = "the journal stopped after a failure: " + done.error().message;
        return {CommitStatus::kUnknown, last_seq, {}, done.error().message};
    }
    last_seq_ = last_seq;
    committed_.store(last_seq, std::memory_order_release);
    head_ = rows.back().hash;
    trail_.add(std::move(batch), std::move(rows));
    trails_far_ = trail_.is_far();
    return {CommitStatus::kCommitted, last_seq, head_, {}};
}

// The tables.

/// How long the thread may wait for an order.
std::chrono::milliseconds Committer::patience() {
    const auto rest = std::chrono::milliseconds(bounds_.rest_after.count);
    std::lock_guard at_log(at_log_);
    woken_ = !trail_.is_empty();
    if (trail_.is_empty() || poisoned_ || bounds_.project_every != 0) return rest;
    if (tables_full_) return kRoomAgainAfter;
    if (projected() < wanted_) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(trail_.until_due());
    return std::clamp(left, std::chrono::milliseconds(0), rest);
}

/// Whether a part of the trail is to be brought into the tables now; `idle`: nothing else waits.
bool Committer::is_time(bool idle) {
    std::lock_guard at_log(at_log_);
    if (trail_.is_empty() || poisoned_ || bounds_.project_every != 0) return false;
    return trail_.is_far() || (idle && (projected() < wanted_ || trail_.is_due()));
}

void Committer::project_slice() {
    std::optional<LoggedChanges> slice;
    Sync sync = Sync::kNone;
    {
        std::lock_guard at_log(at_log_);
        if (poisoned_) return;
        slice = trail_.take();
        if (log_.is_long()) sync = Sync::kFull;
    }
    if (!slice) return;
    projecting_ = true;
    const auto done = projector_.write(*slice, sync);
    tables_full_ = !done && done.error().code == ErrorCode::STORAGE_FULL;
    if (!tables_full_) check(done);
    if (done) check(projector_.keep_log_short(false));
    projecting_ = false;
    std::lock_guard at_log(at_log_);
    if (tables_full_) trail_.put_back(std::move(*slice));
    projected_.store(projector_.meta().last_seq, std::memory_order_release);
    log_.settled(projector_.settled());
    trail_.note_written();
    trails_far_ = trail_.is_far();
}

void Committer::project_all() {
    const auto trails = [&] {
        std::lock_guard at_log(at_log_);
        return !trail_.is_empty() && !poisoned_;
    };
    do {
        if (!trails()) return;
        project_slice();
    } while (!tables_full_);
}

std::unique_lock<std::mutex> Committer::await_tables() {
    std::unique_lock at_tables(at_tables_, std::try_to_lock);
    for (int waits = 0; !at_tables.owns_lock() && waits < kTablesWaits; ++waits) {
        if (waits_for_room()) break;
        std::this_thread::sleep_for(kTablesWait);
        at_tables.try_lock();
    }
    return at_tables;
}

bool Committer::project() {
    if (committed_.load(std::memory_order_acquire) == projected()) return false;
    const auto at_tables = await_tables();
    if (!at_tables.owns_lock()) return false;
    const Seq before = projected();
    project_all();
    return projected() != before;
}

void Committer::catch_up() {
    const auto at_tables = await_tables();
    if (!at_tables.owns_lock()) return;
    project_all();
    if (!poisoned()) check(projector_.write_trailing());
}

/// The logs have what was overwritten until they are emptied.
void Committer::wipe_logs() {
    std::lock_guard at_tables(at_tables_);
    if (poisoned()) return;
    if (projector_.has_erased()) {
        auto wiped = projector_.wipe_log();
        if (!wiped) return check(Failure(wiped.error()));
        if (!*wiped) return;
        std::lock_guard at_log(at_log_);
        log_.scrub();
        log_.settled(projector_.settled());
    }
    std::lock_guard at_log(at_log_);
    if (log_.is_scrubbed() || !log_.is_settled()) return;
    auto done = log_.wipe();
    if (!done) poisoned_ = "the journal stopped after a failure: " + done.error().message;
}

/// Nothing waits: time to copy the log back and to look at the disk.
void Committer::rest() {
    reserve_.refresh();
    looked_ = Clock::now();
    wipe_logs();
    std::lock_guard at_tables(at_tables_);
    if (poisoned()) return;
    check(projector_.write_trailing());
    if (!poisoned()) check(projector_.copy_log_back());
}

Result<void> Committer::settle() {
    std::lock_guard at_tables(at_tables_);
    project_all();
    if (auto why = poisoned()) return fail(ErrorCode::IO, *why);
    if (tables_full_) return fail(ErrorCode::STORAGE_FULL, "the disk is full");
    auto done = projector_.settle();
    // After a failed sync the kernel may call lost pages clean: nothing more can be promised.
    if (!done && done.error().code == ErrorCode::IO) poison(done.error());
    std::lock_guard at_log(at_log_);
    log_.settled(projector_.settled());
    return done;
}

Result<void> Committer::stop() {
    {
        std::lock_guard at_tables(at_tables_);
        project_all();
        if (!poisoned() && !tables_full_) {
            check(projector_.write_trailing());
            if (!poisoned()) check(projector_.anchor_end());
        }
    }
    auto done = settle();
    std::lock_guard at_log(at_log_);
    // What could not be brought over stays in the logs for the next start.
    if (!done) {
        projector_.keep_log_on_close();
    } else if (log_.is_settled()) {
        log_.remove();
    }
    return done;
}

// Failures.

/// The loop learns of a failure outside of commits too: it must stop, not find out with its next
/// batch.
void Committer::tell_failure(CommitQueue& queue) {
    auto why = poisoned();
    if (!why || std::exchange(told_, true)) return;
    queue.answer({{CommitStatus::kUnknown, projected(), {}, *why}, 0, Answered::Of::kUpkeep});
}

std::optional<std::string> Committer::poisoned() {
    std::lock_guard at_log(at_log_);
    return poisoned_;
}

void Committer::poison(const Error& error) {
    std::lock_guard at_log(at_log_);
    if (!poisoned_) poisoned_ = "the journal stopped after a failure: " + error.message;
}

/// Of what nobody waits for; on the tables' side.
void Committer::check(const Result<void>& done) {
    if (done) return;
    projector_.keep_log_on_close();
    poison(done.error());
}

}  // namespace zq::store
