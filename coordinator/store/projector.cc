#include "coordinator/store/projector.h"

#include "coordinator/store/erase.h"

namespace zq::store {

Projector::Projector(Database database, BatchWriter writer, const Meta& meta, LogBounds bounds,
                     StorageReserve& reserve)
    : database_(std::move(database)),
      writer_(std::move(writer)),
      meta_(meta),
      bounds_(bounds),
      reserve_(reserve),
      settled_(meta.last_seq) {}

Result<void> Projector::write(const LoggedChanges& next, Sync sync) {
    if (sync != sync_) {
        const char* mode = sync == Sync::kFull ? "FULL" : "NORMAL";
        if (auto ok = database_.run(std::string("PRAGMA synchronous = ") + mode); !ok) return ok;
        sync_ = sync;
    }
    auto meta = try_write(next);
    if (!meta && meta.error().code == ErrorCode::STORAGE_FULL && !database_.in_transaction() &&
        reserve_.release()) {
        meta = try_write(next);
    }
    if (!meta && database_.in_transaction()) return fail(ErrorCode::IO, meta.error().message);
    if (!meta) return Failure(meta.error());
    meta_ = *meta;
    if (sync == Sync::kFull) settled_ = meta_.last_seq;
    note_erased(next.batch.events);
    return {};
}

Result<Meta> Projector::try_write(const LoggedChanges& next) {
    auto write = [&]() -> Result<Meta> {
        if (auto ok = database_.run("BEGIN IMMEDIATE"); !ok) return Failure(ok.error());
        auto meta = writer_.write(next.batch, next.rows, meta_);
        if (!meta) return meta;
        if (auto ok = erase_texts(database_, next.batch.events); !ok) return Failure(ok.error());
        if (auto ok = database_.run("COMMIT"); !ok) return Failure(ok.error());
        return meta;
    };
    auto meta = write();
    if (!meta && database_.in_transaction()) {
        // What a failed rollback leaves is for the caller to see: the transaction is still open.
        static_cast<void>(database_.run("ROLLBACK"));
    }
    return meta;
}

/// What was erased, or was content of such a task, is still in the logs.
void Projector::note_erased(const std::vector<core::Event>& events) {
    for (const core::Event& event : events) {
        if (std::holds_alternative<core::TextsErased>(event.body)) erased_upto_ = event.seq;
        const bool condemns = std::holds_alternative<core::ContentsCondemned>(event.body);
        if (erased_upto_ == event.seq || (condemns && erased_upto_ != 0)) wipe_log_ = true;
    }
}

Result<void> Projector::write_trailing() {
    if (!writer_.trails(meta_)) return {};
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
        done = write();
    }
    if (!done && done.error().code == ErrorCode::STORAGE_FULL) return {};
    return done;
}

/// A reader that is in the midst of something hinders it: then after a later batch, or when nothing
/// is to be done.
Result<bool> Projector::wipe_log() {
    auto done = database_.checkpoint(Checkpoint::kEmpty);
    if (!done && done.error().code != ErrorCode::STORAGE_FULL) return Failure(done.error());
    if (!done || database_.log_pages() != 0) return false;
    settled_ = meta_.last_seq;
    checkpointed_pages_ = 0;
    wipe_log_ = false;
    return true;
}

Result<void> Projector::settle() {
    auto done = database_.checkpoint(Checkpoint::kTruncate);
    if (!done && done.error().code == ErrorCode::STORAGE_FULL && reserve_.release()) {
        done = database_.checkpoint(Checkpoint::kTruncate);
    }
    if (!done) return done;
    checkpointed_pages_ = 0;
    settled_ = meta_.last_seq;
    return {};
}

/// Evidence only: a full disk leaves it out.
Result<void> Projector::write(const Anchor& anchor) {
    // Of nothing, or made of a state that had texts which are erased since.
    if (anchor.seq == 0 || anchor.seq < erased_upto_) return {};
    auto done = write_anchor(database_, anchor);
    if (!done && done.error().code == ErrorCode::STORAGE_FULL) return {};
    return done;
}

Result<void> Projector::anchor_end() {
    auto last = last_anchor(database_);
    if (!last) return Failure(last.error());
    if (*last == meta_.last_seq) return {};
    auto anchor = take_anchor(database_);
    if (!anchor) return Failure(anchor.error());
    return write(*anchor);
}

Result<void> Projector::keep_log_short(bool idle) {
    const int pages = database_.log_pages();
    if (pages < checkpointed_pages_) checkpointed_pages_ = 0;  // the log began anew
    const int grown = pages - checkpointed_pages_;
    const bool may = grown >= bounds_.checkpoint_pages && idle;
    if (may || grown >= bounds_.most_pages) return checkpoint();
    return {};
}

Result<void> Projector::copy_log_back() {
    return database_.log_pages() == checkpointed_pages_ ? Result<void>() : checkpoint();
}

/// A full disk only postpones the copying; the commits themselves are in the log.
Result<void> Projector::checkpoint() {
    const int pages = database_.log_pages();
    auto done = database_.checkpoint(Checkpoint::kPassive);
    checkpointed_pages_ = pages;
    if (!done && done.error().code == ErrorCode::STORAGE_FULL) return {};
    return done;
}

}  // namespace zq::store
