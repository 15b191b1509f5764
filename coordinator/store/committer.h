// The commit thread of the SQLite journal: the one connection that writes and checkpoints, and the
// rules of failure. It knows nothing of the loop but the queue between them.
//
// - One transaction per batch, durable when it is answered.
// - A full disk with the transaction rolled back: the reserve is given up and the same batch is
//   committed once more. Full again: kFull, nothing is stored, and later batches get kFull until
//   the same one comes back.
// - Any other failure leaves the outcome unknown: kUnknown for this batch and all later ones.
#pragma once

#include "coordinator/store/batch_writer.h"
#include "coordinator/store/commit_queue.h"
#include "coordinator/store/storage_reserve.h"

namespace zq::store {

/// Bounds of the write-ahead log, in pages of 4 KiB.
struct LogBounds {
    int checkpoint_pages = 4'096;  // copied back when nothing else waits
    int most_pages = 32'768;       // copied back before the next batch
};

class Committer {
  public:
    Committer(Database database, BatchWriter writer, const Meta& meta, std::string folder,
              StorageBounds storage, LogBounds log);

    /// The thread's body: serves the queue until a StopOrder.
    void serve(CommitQueue& queue);

    bool storage_low() const { return reserve_.is_low(); }

  private:
    CommitResult commit(const Batch& batch);
    Result<Meta> try_commit(const Batch& batch);
    Result<void> settle();
    Result<void> stop();
    Result<void> anchor_end();
    void write(const Anchor& anchor);
    void keep_log_short(const CommitQueue& queue);
    void rest();
    void poison(const Error& error);

    Database database_;
    BatchWriter writer_;
    Meta meta_;
    StorageReserve reserve_;
    LogBounds log_;
    int checkpointed_pages_ = 0;  // of the log as it was after the last checkpoint
    std::chrono::steady_clock::time_point looked_{};
    std::optional<std::string> poisoned_;
};

}  // namespace zq::store
