// The journal in an SQLite database: FOLDER/journal.db, held by FOLDER/lock, with the commit log
// before it (commit_log.h) and FOLDER/reserve kept for a full disk. This is the loop's side;
// committer.h is the thread that writes.
#pragma once

#include <chrono>
#include <future>
#include <thread>

#include "common/platform/files.h"
#include "coordinator/store/committer.h"
#include "coordinator/store/schema.h"

namespace zq::store {

struct SqliteJournalOptions {
    std::string folder;  // made if missing, for this user alone
    /// How long to wait for the folder while another process has it: one that was just killed keeps
    /// its locks until the kernel has taken its memory apart.
    Millis lock_patience{};
    StorageBounds storage;
    LogBounds log;
    int page_bytes = kPageBytes;  // of a database that is made now
    /// Events between two anchors, about; more where one takes long.
    std::uint64_t anchor_every = 100'000;
    /// Open tasks whose records stay in memory; those of the others are read when they are needed.
    std::size_t tasks_in_memory = 4'096;
};

class SqliteJournal : public Journal {
  public:
    explicit SqliteJournal(SqliteJournalOptions options);
    /// Like `close`, with nobody to tell how it went.
    ~SqliteJournal() override;

    Result<Recovery> acquire(core::State& state) override;
    Result<void> settle() override;
    void append(Batch batch) override;
    bool append_now(Batch batch) override;
    std::vector<CommitResult> results() override;
    int results_fd() const override;
    std::size_t uncommitted_batches() const override { return batches_; }
    std::size_t uncommitted_bytes() const override { return bytes_; }
    bool storage_low() const override;
    bool waits_for_room() const override;
    Instant leadership_until() const override { return kNever; }
    void catch_up() override;
    Result<std::unique_ptr<Reader>> open_reader() override;
    Result<std::unique_ptr<Reader>> open_trailing_reader() override;
    Seq projected() const override;
    void project_soon(Seq upto) override;
    bool trails_far() const override;
    Result<void> close() override;

  private:
    Result<void> take_folder();
    Result<Recovery> open_and_restore(core::State& state);
    Result<Meta> take_over_log(Database& database, BatchWriter& writer, CommitLog& log,
                               core::State& state, const Meta& meta) const;
    void keep_anchored(Seq committed);
    void join();

    SqliteJournalOptions options_;
    FileHandle lock_;
    CommitQueue queue_;
    std::unique_ptr<Committer> committer_;  // of the threads, once they run
    std::thread thread_;
    std::thread tables_thread_;
    std::vector<CommitResult> at_once_;  // of batches that were committed on the loop's thread
    Seq next_seq_ = 1;
    std::size_t batches_ = 0;
    std::size_t bytes_ = 0;
    Seq wanted_ = 0;                      // the follower was told that so much is to be read soon
    Seq restored_ = 0;                    // the last event that the start found
    Seq anchored_ = 0;                    // the last anchor, or the one that is being taken
    std::future<Result<Anchor>> taking_;  // beside the commits, on a thread and reader of its own
    std::chrono::steady_clock::time_point anchoring_since_{};
    std::chrono::steady_clock::time_point next_anchor_at_{};
};

/// Takes FOLDER/lock for this process, waiting at most `patience` for it. Errors: CONFLICT, with
/// whose fault it is; IO.
Result<FileHandle> lock_data_folder(const std::string& folder, Millis patience);

}  // namespace zq::store
