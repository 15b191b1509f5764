#include "coordinator/store/offline.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "coordinator/store/log_recovery.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite_journal.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

Failure in_use(const std::string& folder) {
    return fail(ErrorCode::CONFLICT, "a coordinator is using " + folder +
                                         ": stop it first, or ask it for a copy with"
                                         " `zq backup create`");
}

/// The same lock where the folder may only be read.
Result<FileHandle> share_lock(const std::string& folder) {
    const std::string path = folder + "/lock";
    FileHandle lock(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!lock.is_open() && errno == ENOENT) return lock;  // never used where it is
    if (!lock.is_open()) {
        return fail(ErrorCode::IO, "cannot open " + path + ": " + std::strerror(errno));
    }
    if (::flock(lock.fd(), LOCK_SH | LOCK_NB) == 0) return lock;
    return in_use(folder);
}

}  // namespace

OfflineJournal::OfflineJournal(OfflineJournal&& other) noexcept
    : folder_(std::move(other.folder_)),
      lock_(std::move(other.lock_)),
      writable_(other.writable_),
      copy_(std::exchange(other.copy_, {})),
      database_(std::move(other.database_)),
      format_(other.format_) {}

OfflineJournal::~OfflineJournal() {
    database_.reset();
    std::error_code ignored;
    if (!copy_.empty()) fs::remove_all(copy_, ignored);
}

Result<OfflineJournal> OfflineJournal::open(const std::string& folder) {
    if (::access(journal_path(folder).c_str(), F_OK) != 0) {
        return fail(ErrorCode::NOT_FOUND, "there is no journal in " + folder);
    }
    OfflineJournal journal;
    journal.folder_ = folder;
    if (auto ok = journal.take_lock(); !ok) return Failure(ok.error());
    if (auto ok = journal.open_database(); !ok) return Failure(ok.error());
    auto format = format_version(*journal.database_);
    if (!format) return Failure(format.error());
    if (*format == 0) return fail(ErrorCode::NOT_FOUND, "the journal in " + folder + " is empty");
    journal.format_ = *format;
    return journal;
}

Result<void> OfflineJournal::take_lock() {
    writable_ =
        ::access(folder_.c_str(), W_OK) == 0 && ::access(journal_path(folder_).c_str(), W_OK) == 0;
    auto lock = writable_ ? lock_data_folder(folder_, {}) : share_lock(folder_);
    if (!lock && lock.error().code == ErrorCode::CONFLICT) return in_use(folder_);
    if (!lock) return Failure(lock.error());
    lock_ = std::move(*lock);
    return {};
}

Result<void> OfflineJournal::open_database() {
    std::string path = journal_path(folder_);
    OpenMode mode = OpenMode::kExisting;
    if (!writable_) {
        std::error_code none;
        const bool has_log = fs::file_size(path + "-wal", none) > 0 && !none;
        if (has_log || has_commit_log(folder_)) {
            auto copied = copy_log_too();
            if (!copied) return Failure(copied.error());
            path = *copied;
        } else {
            mode = OpenMode::kUnchanging;
        }
    }
    const std::string place = copy_.empty() ? folder_ : copy_;
    if (mode == OpenMode::kExisting && has_commit_log(place)) {
        if (auto ok = bring_over(place); !ok) return ok;
    }
    auto database = Database::open(path, mode);
    if (!database) return Failure(database.error());
    database->keep_log_on_close();
    database_ = std::move(*database);
    return database_->run("PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON");
}

/// SQLite reads a log only where it may write beside it.
Result<std::string> OfflineJournal::copy_log_too() {
    std::error_code failed;
    std::string pattern = (fs::temp_directory_path(failed) / "zq-journal-XXXXXX").string();
    if (failed || ::mkdtemp(pattern.data()) == nullptr) {
        return fail(ErrorCode::IO, "cannot make a folder for a copy of the journal: " + pattern);
    }
    copy_ = pattern;
    const std::string from = journal_path(folder_);
    std::vector<std::string> files{from};
    if (fs::exists(from + "-wal", failed)) files.push_back(from + "-wal");
    for (const std::string& path : commit_log_paths(folder_)) {
        if (fs::exists(path, failed)) files.push_back(path);
    }
    for (const std::string& path : files) {
        const std::string to = copy_ + path.substr(folder_.size());
        if (fs::copy_file(path, to, failed)) continue;
        return fail(
            failed == std::errc::no_space_on_device ? ErrorCode::STORAGE_FULL : ErrorCode::IO,
            "cannot copy " + path + " to " + copy_ + ": " + failed.message());
    }
    return journal_path(copy_);
}

}  // namespace zq::store
