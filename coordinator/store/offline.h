// A data folder that no coordinator uses, opened to be read: for verify, info, export, and as the
// source of restore and archive. Nothing in the folder changes but its lock file, unless a
// coordinator was killed: what its commit log has is brought into the database first, as a start
// would do it. Where the folder cannot be written to at all, the database is read as it stands; if
// it has a log, a private copy of both is.
#pragma once

#include <optional>
#include <string>

#include "common/platform/files.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

class OfflineJournal {
  public:
    /// Errors: NOT_FOUND (no journal there), CONFLICT (a coordinator uses it), UNSUPPORTED_VERSION,
    /// IO, STORAGE_FULL (no room for the copy).
    static Result<OfflineJournal> open(const std::string& folder);

    OfflineJournal(OfflineJournal&& other) noexcept;
    OfflineJournal& operator=(OfflineJournal&&) = delete;
    ~OfflineJournal();

    Database& database() { return *database_; }
    int format() const { return format_; }
    const std::string& folder() const { return folder_; }

  private:
    OfflineJournal() = default;
    Result<void> take_lock();
    Result<void> open_database();
    Result<std::string> copy_log_too();

    std::string folder_;
    FileHandle lock_;
    bool writable_ = false;
    std::string copy_;  // a folder to remove at the end; empty: none
    std::optional<Database> database_;
    int format_ = 0;
};

}  // namespace zq::store
