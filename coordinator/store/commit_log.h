// The commit log: where a batch is made durable, with one write over old blocks and one sync. What
// it holds is brought into the database soon after (projector.h), and at a start what a killed
// process left. It is never the only place of anything for long.
//
// Two files take turns, FOLDER/commit-log.0 and .1. A file begins with a block that names it, then
// records, each on a block of its own, so that no later write touches a block that was synced:
//
//     0                16         32                         integers are big-endian
//     +----------------+----------+---------- - - - ---------+
//     | zq commit log 1| salt 16  | zeros up to 4,096         |
//     +----------------+----------+---------- - - - ---------+
//     0     4         20       24          32       36         40           72
//     +-----+---------+--------+-----------+--------+----------+------------+- - - -+- - - -+
//     |zqcl | salt 16 | size 4 | first seq 8| events 4| contents 4| chain head 32| payload | zeros
//     |
//     +-----+---------+--------+-----------+--------+----------+------------+- - - -+- - - -+
//
// `size` is the record's without the zeros. The payload: for each event {header size 4, header,
// body size 4, body}, for each inline content {digest 32, size 8, bytes}. The chain's head after
// the batch stands for a checksum: it covers every header and body, and each content has its
// digest. The salt is new and random whenever a file is begun anew, so that nothing that an older
// turn has left there (it may be a peer's text) is taken for a record.
//
// One thread at a time.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "common/platform/files.h"
#include "coordinator/store/event_rows.h"
#include "coordinator/store/journal.h"

namespace zq::store {

/// A batch as the log has it; what it changed follows from its events.
struct LoggedBatch {
    std::vector<core::Event> events;
    std::vector<EventRow> rows;
    std::vector<InlineContent> contents;
};

class CommitLog {
  public:
    static constexpr std::size_t kTurnBytes = 1 << 20;

    /// Makes the files that are missing; the folder is the caller's to sync. After `turn_bytes` it
    /// is the other file's turn, if that may be written over. Errors: IO, STORAGE_FULL.
    static Result<CommitLog> open(const std::string& folder, std::size_t turn_bytes = kTurnBytes);

    /// Gives each batch after the event `last`, whose chain head is `head`, in order. What a killed
    /// process had not written whole is passed over. Errors: IO (a batch is broken or missing
    /// though later ones are there), UNSUPPORTED_VERSION (a later program's), those of `take`.
    Result<void> read(Seq last, Digest head,
                      const std::function<Result<void>(LoggedBatch)>& take) const;

    /// Makes a batch durable. Errors: STORAGE_FULL (nothing of it is stored: it may come again), IO
    /// (it may be stored or not).
    Result<void> append(const std::vector<EventRow>& rows,
                        const std::vector<InlineContent>& contents, Seq first);

    /// Everything up to `seq` is safe elsewhere: its blocks may be written over.
    void settled(Seq seq) { settled_ = seq; }
    /// The file whose turn it is has had its part: the other one should be settled.
    bool is_long() const { return at_ >= turn_bytes_ && files_[1 - turn_].last > settled_; }
    /// True where everything that was logged is settled.
    bool is_settled() const;
    /// What was logged so far is to go from the files: each is emptied before its next turn.
    void scrub();
    bool is_scrubbed() const { return !files_[0].scrub && !files_[1].scrub; }
    /// Empties both at once. All must be settled. Errors: IO.
    Result<void> wipe();
    /// A journal that is closed in good order needs none. All must be settled.
    void remove();

  private:
    struct File {
        std::string path;
        FileHandle handle;
        Seq last = 0;  // of the events in it
        bool scrub = false;
    };

    CommitLog(std::array<File, 2> files, std::size_t turn_bytes)
        : files_(std::move(files)), turn_bytes_(turn_bytes) {}

    std::array<File, 2> files_;
    std::size_t turn_bytes_;
    std::size_t turn_ = 0;  // whose turn it is
    std::size_t at_ = 0;    // where its next record goes; 0: it is begun anew
    std::string salt_;      // of the file whose turn it is
    Seq settled_ = 0;
};

/// Paths of its files, for who copies a folder.
std::array<std::string, 2> commit_log_paths(const std::string& folder);

}  // namespace zq::store
