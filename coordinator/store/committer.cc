#include "coordinator/store/committer.h"

#include "common/base/check.h"

namespace zq::store {
namespace {

constexpr std::chrono::milliseconds kRoomAgainAfter{200};  // between two looks at a full disk

/// Visits a variant with one lambda per alternative.
template <class... F>
struct Cases : F... {
    using F::operator()...;
};
template <class... F>
Cases(F...) -> Cases<F...>;

}  // namespace

Committer::Committer(CommitterParts parts, const std::string& folder, StorageBounds storage,
                     LogBounds bounds, CommitQueue& queue)
    : reserve_(folder, storage),
      bounds_(bounds),
      queue_(queue),
      follower_(Projector(std::move(parts.database), std::move(parts.writer), parts.meta, bounds,
                          reserve_),
                bounds, reserve_, failure_,
                [this] {
                    // By the count of batches: behind the answer of the one that led to it.
                    if (bounds_.project_every == 0) tell_failure();
                    queue_.signal();
                }),
      log_(std::move(parts.log)),
      last_seq_(parts.meta.last_seq),
      head_(parts.meta.chain_head) {}

void Committer::serve() {
    const std::chrono::milliseconds rest_after(bounds_.rest_after.count);
    bool stopped = false;
    while (!stopped) {
        auto order = queue_.next(rest_after);
        if (order) {
            std::visit(
                Cases{[&](CommitOrder& commit_order) {
                          CommitResult result = commit_when_it_fits(commit_order.batch);
                          if (is_turn()) {
                              follower_.project();
                              scrub_log();
                          }
                          queue_.answer({std::move(result), commit_order.bytes});
                      },
                      [&](SettleOrder& settle_order) { settle_order.done.set_value(settle()); },
                      [&](StopOrder& stop_order) {
                          stop_order.done.set_value(stop());
                          stopped = true;
                      }},
                *order);
        }
        if (bounds_.project_every == 0 && queue_.is_empty() && !stopped) scrub_log();
        tell_failure();
    }
}

/// By the count of batches, where that is what decides.
bool Committer::is_turn() {
    return bounds_.project_every != 0 && ++committed_batches_ % bounds_.project_every == 0;
}

std::optional<CommitResult> Committer::commit_here(Batch& batch) {
    std::unique_lock at_log(at_log_, std::try_to_lock);
    if (!at_log.owns_lock()) return std::nullopt;
    CommitResult result = commit(batch);
    // Tried again until it fits: that is the other thread's.
    if (result.status == CommitStatus::kFull) return std::nullopt;
    return result;
}

/// What was decided can't be taken back: the same batch again until it fits.
CommitResult Committer::commit_when_it_fits(Batch& batch) {
    const auto once = [&] {
        std::lock_guard at_log(at_log_);
        return commit(batch);
    };
    CommitResult result = once();
    while (result.status == CommitStatus::kFull) {
        waits_for_room_ = true;
        if (queue_.await_stop(kRoomAgainAfter)) break;
        result = once();
    }
    waits_for_room_ = false;
    return result;
}

CommitResult Committer::commit(Batch& batch) {
    const Seq first_seq = batch.events.front().seq;
    const Seq last_seq = batch.events.back().seq;
    if (auto why = failure_.text()) return {CommitStatus::kUnknown, last_seq, {}, *why};
    if (first_seq != last_seq_ + 1) {
        // Only behind one that was given up may there be others.
        ZQ_CHECK(first_seq > last_seq_);
        return {CommitStatus::kFull, last_seq, {}, "a batch before this one did not fit"};
    }
    // What is acknowledged has its place in the tables: their room is not used up by the log.
    if (follower_.is_full()) return {CommitStatus::kFull, last_seq, {}, "the disk is full"};
    std::vector<EventRow> rows = make_rows(batch.events, head_);
    log_.settled(follower_.settled());
    auto done = log_.append(rows, batch.contents, first_seq);
    if (!done && done.error().code == ErrorCode::STORAGE_FULL && reserve_.release()) {
        done = log_.append(rows, batch.contents, first_seq);
    }
    if (!done && done.error().code == ErrorCode::STORAGE_FULL) {
        return {CommitStatus::kFull, last_seq, {}, done.error().message};
    }
    if (!done) {
        failure_.set(done.error());
        return {CommitStatus::kUnknown, last_seq, {}, done.error().message};
    }
    last_seq_ = last_seq;
    head_ = rows.back().hash;
    follower_.add(std::move(batch), std::move(rows), log_.is_long());
    return {CommitStatus::kCommitted, last_seq, head_, {}};
}

Result<void> Committer::settle() {
    auto done = follower_.settle();
    if (done) scrub_log();
    return done;
}

Result<void> Committer::stop() {
    auto done = follower_.stop();
    if (!done) return done;
    std::lock_guard at_log(at_log_);
    log_.settled(follower_.settled());
    log_.remove();
    return done;
}

/// The log has what was erased until its files are emptied: at once where nothing is in them that
/// the tables have not on disk, else before their next turns.
void Committer::scrub_log() {
    std::lock_guard at_log(at_log_);
    if (follower_.erasures() != erasures_) {
        erasures_ = follower_.erasures();
        log_.scrub();
    }
    log_.settled(follower_.settled());
    if (log_.is_scrubbed() || failure_.is_set()) return;
    if (!log_.is_settled()) return follower_.settle_soon();
    if (auto done = log_.wipe(); !done) failure_.set(done.error());
}

/// The loop learns of a failure outside of commits too: it must stop, not find out with its next
/// batch.
void Committer::tell_failure() {
    auto why = failure_.text();
    if (!why || told_.exchange(true)) return;
    queue_.answer(
        {{CommitStatus::kUnknown, follower_.projected(), {}, *why}, 0, Answered::Of::kUpkeep});
}

}  // namespace zq::store
