#include "coordinator/store/storage_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/platform/files.h"

namespace zq::store {
namespace {

/// The loop looks at the disk's state at least that often.
constexpr std::chrono::seconds kLoopLooks{2};

}  // namespace

Result<std::uint64_t> free_bytes(const std::string& folder) {
    struct statvfs info {};
    if (::statvfs(folder.c_str(), &info) != 0) {
        return fail(ErrorCode::IO,
                    "cannot look at the disk of " + folder + ": " + std::strerror(errno));
    }
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

StorageReserve::StorageReserve(std::string folder, StorageBounds bounds)
    : folder_(std::move(folder)), path_(folder_ + "/reserve"), bounds_(bounds) {
    struct stat info {};
    present_ = ::stat(path_.c_str(), &info) == 0 &&
               static_cast<std::uint64_t>(info.st_blocks) * 512 >= bounds_.reserve_bytes;
    look();
}

void StorageReserve::refresh() {
    std::lock_guard lock(mutex_);
    if (std::chrono::steady_clock::now() >= gone_until_) look();
}

void StorageReserve::look() {
    auto free = free_bytes(folder_);
    if (!free) {
        low_ = true;
        return;
    }
    if (!present_ && *free >= bounds_.low_water_bytes + bounds_.reserve_bytes) present_ = make();
    low_ = !present_ || *free < bounds_.low_water_bytes;
}

bool StorageReserve::release() {
    std::lock_guard lock(mutex_);
    low_ = true;
    gone_until_ = std::chrono::steady_clock::now() + kLoopLooks;
    const bool was_there = present_;
    present_ = false;
    ::unlink(path_.c_str());
    return was_there;
}

bool StorageReserve::make() {
    FileHandle file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!file.is_open()) return false;
    // posix_fallocate takes real blocks; a sparse file would reserve nothing.
    const bool made =
        ::posix_fallocate(file.fd(), 0, static_cast<off_t>(bounds_.reserve_bytes)) == 0;
    if (!made) ::unlink(path_.c_str());
    return made;
}

}  // namespace zq::store
