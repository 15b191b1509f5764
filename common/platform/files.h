// Files as the project needs them: whole, durable, private, locked. POSIX only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"

namespace zq {

/// Owns a descriptor.
class FileHandle {
  public:
    FileHandle() = default;
    explicit FileHandle(int fd) : fd_(fd) {}
    FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileHandle& operator=(FileHandle&& other) noexcept;
    ~FileHandle();

    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; }

  private:
    int fd_ = -1;
};

enum class Durability : std::uint8_t { kNone, kSynced };

/// Reads a file of at most `limit` bytes. Errors: NOT_FOUND, TOO_LARGE, IO.
Result<std::string> read_file(const std::string& path, std::uint64_t limit = 64ULL << 20);

/// Writes a file whole: temporary file beside it, rename; with kSynced also fsync of both. `mode`
/// such as 0600. Errors: IO, STORAGE_FULL.
Result<void> write_file(const std::string& path, std::string_view content, unsigned mode,
                        Durability durability);

/// Writes a file's bytes over themselves and syncs it: what can be read is on disk then. A sync
/// alone does not say that: after a failed one the kernel may keep pages that never reached the
/// disk, call them clean, and pass over them in the next sync. Errors: NOT_FOUND, IO, STORAGE_FULL.
Result<void> rewrite_file(const std::string& path);

/// fsync of a folder, so that names made or removed in it last.
Result<void> sync_folder(const std::string& path);

/// Makes a folder and its parents where they are missing. New ones get `mode`. With kSynced their
/// names last, also where an earlier process made them and came no further.
Result<void> make_folders(const std::string& path, unsigned mode,
                          Durability durability = Durability::kNone);

/// Takes an exclusive lock on a file (made if missing), held until the handle closes or the process
/// ends. Errors: CONFLICT (another process holds it), IO.
Result<FileHandle> lock_file(const std::string& path);

/// Names of a folder's entries, sorted, without `.` and `..`. Errors: NOT_FOUND, IO.
Result<std::vector<std::string>> list_folder(const std::string& path);

/// `file:///…` of an absolute form of the path.
std::string file_uri(const std::string& path);

/// n bytes of the kernel's randomness.
std::string random_bytes(std::size_t n);
std::uint64_t random_u64();

}  // namespace zq
