// The one connection that writes the database and checkpoints it: brings what the commit log has
// made durable into the tables, many batches in one transaction. These are not synced one by one;
// until they are, a power cut takes them back and the log has them still. It knows nothing of
// threads: follower.h lets one in at a time.
//
// A full disk with the transaction rolled back: the reserve is given up and it is tried once more.
#pragma once

#include <vector>

#include "coordinator/store/anchors.h"
#include "coordinator/store/batch_writer.h"
#include "coordinator/store/storage_reserve.h"
#include "coordinator/store/trail.h"

namespace zq::store {

/// Bounds of the database's write-ahead log, in pages: of 8 KiB, where it is not an old one.
struct LogBounds {
    int checkpoint_pages = 2'048;     // copied back when nothing else waits
    int most_pages = 4'096;           // copied back before anything else
    Millis rest_after = millis(500);  // with nothing to do: copied back, and the disk looked at
    /// Not 0: every so many batches what is committed is brought into the tables before the last of
    /// them is answered, and never by the follower's own idea. For tests that repeat a run call for
    /// call.
    std::uint64_t project_every = 0;
    std::size_t turn_bytes = 1 << 20;  // of the commit log's files (commit_log.h)
};

enum class Sync : std::uint8_t { kNone, kFull };

class Projector {
  public:
    /// `reserve` must outlive it.
    Projector(Database database, BatchWriter writer, const Meta& meta, LogBounds bounds,
              StorageReserve& reserve);

    /// Writes a batch that follows on, in one transaction; with kFull everything is on disk
    /// afterwards. Errors: STORAGE_FULL (nothing of it is stored), IO.
    Result<void> write(const LoggedChanges& next, Sync sync);
    /// What is in the tables.
    const Meta& meta() const { return meta_; }
    /// What of it no power cut takes back.
    Seq settled() const { return settled_; }

    // Errors of the rest: IO. A full disk only leaves them for later, where nothing else is said.

    /// Statistics that trail behind the other tables.
    Result<void> write_trailing();
    Result<void> write(const Anchor& anchor);
    /// Everything is copied back and on disk, the write-ahead log is empty. Errors: also
    /// STORAGE_FULL.
    Result<void> settle();
    /// The write-ahead log is copied back where it is long; `idle`: sooner, for nothing waits.
    Result<void> keep_log_short(bool idle);
    /// The same however short it is.
    Result<void> copy_log_back();
    /// Says what a journal that is closed in good order led to.
    Result<void> anchor_end();

    /// Erased texts are in logs until those are emptied.
    bool has_erased() const { return wipe_log_; }
    /// Empties the database's, unless a reader is in the way. True: nothing erased is there now.
    Result<bool> wipe_log();
    void keep_log_on_close() { database_.keep_log_on_close(); }

  private:
    Result<Meta> try_write(const LoggedChanges& next);
    Result<void> checkpoint();
    void note_erased(const std::vector<core::Event>& events);

    Database database_;
    BatchWriter writer_;
    Meta meta_;
    LogBounds bounds_;
    StorageReserve& reserve_;
    Sync sync_ = Sync::kFull;  // as the connection is set
    Seq settled_ = 0;
    int checkpointed_pages_ = 0;  // of the log as it was after the last checkpoint
    bool wipe_log_ = false;       // the log has what was erased; a start empties it
    Seq erased_upto_ = 0;  // an anchor of an earlier event may hash texts that are erased since
};

}  // namespace zq::store
