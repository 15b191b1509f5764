// A backup: a coordinator's data at one moment, made while it runs, proved and given a new life
// without it. It is laid out as a data folder:
//
//     DIR/journal.db     a copy of the database as of one commit
//     DIR/artifacts/     every content that it names and does not hold itself
//     DIR/backup.json    the mark: written last, when all the rest is on disk; until then there is
//                        DIR/backup.unfinished
//
// Without the mark it is unfinished, and refused. A coordinator does not serve a backup: it has the
// journal id, and so the lease tokens, of the original. `restore_backup` makes a folder that may be
// served.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "coordinator/store/restore.h"
#include "coordinator/store/verify.h"

namespace zq::store {

inline constexpr int kBackupVersion = 1;  // of the layout and the mark

/// What the mark says.
struct BackupMark {
    JournalId journal = 0;
    int format = 0;  // of the database
    Seq last_seq = 0;
    Digest chain_head;
    std::uint64_t artifacts = 0;  // contents in files
    std::uint64_t bytes = 0;      // of the database and these files
    Instant at;                   // when it was finished
    std::string program;          // that made it
    friend bool operator==(const BackupMark&, const BackupMark&) = default;
};

/// Where a backup may go: an absolute path without links, outside of the data folder. Makes the
/// folder if it is missing. Errors: INVALID, CONFLICT (it is not empty), both with field `folder`;
/// IO.
Result<std::string> take_backup_folder(const std::string& folder, const std::string& data);

struct BackupOrder {
    std::string data;  // the folder of the running coordinator
    std::string into;  // from take_backup_folder
    std::string program;
};

/// Makes a backup of the journal that this process writes to, on a connection of its own; ends soon
/// after `stop` becomes true. What it has made is removed where it fails. Errors: STORAGE_FULL,
/// NOT_FOUND and DIGEST_MISMATCH (a content of the artifact store, by name), SHUTTING_DOWN
/// (`stop`), IO.
Result<BackupMark> write_backup(const BackupOrder& order, const std::atomic<bool>& stop);

/// Errors: NOT_FOUND (no backup there), CONFLICT (one that is unfinished) and IO (a damaged mark),
/// both with field `folder`; UNSUPPORTED_VERSION.
Result<BackupMark> read_backup_mark(const std::string& folder);
/// True for an unfinished one too.
bool is_backup(const std::string& folder);

/// The journal with every content's bytes, and that it is the one of which the mark speaks. Errors:
/// as read_backup_mark and verify.
Result<VerifyReport> verify_backup(const std::string& folder);

/// Verifies, then lays out a data folder with a journal id of its own. Errors: as verify_backup and
/// restore; IO with the first problem and field `folder` where it is damaged.
Result<RestoreReport> restore_backup(const std::string& folder, const RestoreOrder& order);

}  // namespace zq::store
