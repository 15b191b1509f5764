#include "worker/executor/capped_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/drop_mark.h"

namespace zq::worker {
namespace {

constexpr std::size_t kCopyBytes = 64 * 1024;

/// All of `bytes` at `offset`, or at the end where that is negative; gives how many were taken.
std::size_t write_all(int fd, std::string_view bytes, off_t offset) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const std::size_t left = bytes.size() - done;
        const ssize_t got =
            offset < 0 ? ::write(fd, bytes.data() + done, left)
                       : ::pwrite(fd, bytes.data() + done, left, offset + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

/// A file that nobody else can see and that goes with its handle.
FileHandle nameless_file(const std::string& folder) {
    FileHandle file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (file.is_open()) return file;
    std::string form = folder + "/.log-XXXXXX";  // where the file system has no O_TMPFILE
    FileHandle named(::mkostemp(form.data(), O_CLOEXEC));
    if (named.is_open()) ::unlink(form.c_str());
    return named;
}

}  // namespace

Result<CappedLog> CappedLog::open(const std::string& path, std::uint64_t cap) {
    CappedLog log;
    log.head_ = FileHandle(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!log.head_.is_open()) {
        const ErrorCode code = errno == ENOSPC ? ErrorCode::STORAGE_FULL : ErrorCode::IO;
        return fail(code, "cannot make " + path + ": " + std::strerror(errno));
    }
    log.folder_ = std::filesystem::path(path).parent_path().string();
    log.head_room_ = cap / 2;
    log.ring_size_ = cap - cap / 2;
    return log;
}

void CappedLog::write(std::string_view bytes) {
    const std::string_view first = bytes.substr(0, head_room_);
    head_room_ -= first.size();
    if (!first.empty() && !append_head(first)) head_room_ = 0;
    write_tail(bytes.substr(first.size()));
}

bool CappedLog::append_head(std::string_view bytes) {
    const std::size_t taken = write_all(head_.fd(), bytes, -1);
    lost_ += bytes.size() - taken;
    return taken == bytes.size();
}

void CappedLog::write_tail(std::string_view bytes) {
    if (bytes.empty()) return;
    if (!ring_.is_open()) ring_ = nameless_file(folder_);
    if (!ring_.is_open() || ring_size_ == 0) {
        lost_ += bytes.size();
        return;
    }
    if (bytes.size() > ring_size_) {  // only its end can stay
        ring_total_ += bytes.size() - ring_size_;
        bytes = bytes.substr(bytes.size() - ring_size_);
    }
    while (!bytes.empty()) {
        const std::uint64_t at = ring_total_ % ring_size_;
        const std::string_view part = bytes.substr(0, ring_size_ - at);
        // A byte that the disk refuses leaves an old one or a hole in its place: the tail is then
        // worth nothing any more.
        if (write_all(ring_.fd(), part, static_cast<off_t>(at)) != part.size()) {
            lost_ += ring_total_ + bytes.size();
            ring_total_ = 0;
            ring_size_ = 0;
            return;
        }
        ring_total_ += part.size();
        bytes.remove_prefix(part.size());
    }
}

void CappedLog::finish() {
    const std::uint64_t kept = std::min(ring_total_, ring_size_);
    if (dropped() > 0) {
        (void)write_all(head_.fd(), drop_mark(dropped()), -1);
    }
    if (kept == 0) return;
    const std::uint64_t oldest = (ring_total_ - kept) % ring_size_;
    const std::uint64_t to_end = std::min(kept, ring_size_ - oldest);
    append_ring(oldest, to_end);
    append_ring(0, kept - to_end);
}

void CappedLog::append_ring(std::uint64_t from, std::uint64_t length) {
    std::string buffer(kCopyBytes, '\0');
    while (length > 0) {
        const std::size_t want = std::min<std::uint64_t>(length, buffer.size());
        const ssize_t got = ::pread(ring_.fd(), buffer.data(), want, static_cast<off_t>(from));
        if (got <= 0 ||
            !append_head(std::string_view(buffer.data(), static_cast<std::size_t>(got)))) {
            lost_ += got <= 0 ? length : length - static_cast<std::uint64_t>(got);
            return;
        }
        from += static_cast<std::uint64_t>(got);
        length -= static_cast<std::uint64_t>(got);
    }
}

std::uint64_t CappedLog::dropped() const {
    return lost_ + (ring_total_ > ring_size_ ? ring_total_ - ring_size_ : 0);
}

}  // namespace zq::worker
