#include "common/platform/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/check.h"

namespace zq {
namespace {

Failure os_error(const std::string& what, const std::string& path) {
    const int error = errno;
    ErrorCode code = ErrorCode::IO;
    if (error == ENOENT) code = ErrorCode::NOT_FOUND;
    if (error == ENOSPC || error == EDQUOT) code = ErrorCode::STORAGE_FULL;
    return fail(code, what + " " + path + ": " + std::strerror(error));
}

std::string parent_of(const std::string& path) {
    auto parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        ssize_t put = ::write(fd, content.data(), content.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_error("cannot write", path);
        content.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

FileHandle::~FileHandle() {
    if (fd_ >= 0) ::close(fd_);
}

Result<std::string> read_file(const std::string& path, std::uint64_t limit) {
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return os_error("cannot open", path);
    std::string content;
    char buffer[64 * 1024];
    while (true) {
        ssize_t got = ::read(file.fd(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("cannot read", path);
        if (got == 0) {
            // The file may hold a secret: none of it stays on the stack.
            ::explicit_bzero(buffer, std::min(content.size(), sizeof buffer));
            return content;
        }
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > limit) {
            return fail(ErrorCode::TOO_LARGE,
                        path + " is larger than " + std::to_string(limit) + " bytes");
        }
    }
}

Result<void> write_file(const std::string& path, std::string_view content, unsigned mode,
                        Durability durability) {
    const std::string temporary = path + ".tmp-" + std::to_string(::getpid());
    {
        FileHandle file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
        if (!file.is_open()) return os_error("cannot make", temporary);
        if (::fchmod(file.fd(), mode) != 0) return os_error("cannot set the mode of", temporary);
        if (auto ok = write_all(file.fd(), content, temporary); !ok) {
            ::unlink(temporary.c_str());
            return ok;
        }
        if (durability == Durability::kSynced && ::fsync(file.fd()) != 0) {
            Failure failed = os_error("cannot sync", temporary);
            ::unlink(temporary.c_str());
            return failed;
        }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        Failure failed = os_error("cannot rename to", path);
        ::unlink(temporary.c_str());
        return failed;
    }
    if (durability == Durability::kSynced) return sync_folder(parent_of(path));
    return {};
}

Result<void> rewrite_file(const std::string& path) {
    FileHandle file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!file.is_open()) return os_error("cannot open", path);
    std::string buffer(1 << 20, '\0');
    off_t offset = 0;
    while (true) {
        ssize_t got = ::pread(file.fd(), buffer.data(), buffer.size(), offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("cannot read", path);
        if (got == 0) break;
        // What is written short is read and written once more.
        ssize_t put = ::pwrite(file.fd(), buffer.data(), static_cast<std::size_t>(got), offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_error("cannot write", path);
        offset += put;
    }
    if (::fsync(file.fd()) != 0) return os_error("cannot sync", path);
    return {};
}

Result<void> sync_folder(const std::string& path) {
    FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) return os_error("cannot open", path);
    if (::fsync(folder.fd()) != 0) return os_error("cannot sync", path);
    return {};
}

namespace {

bool disk_failed() {
    return errno == EIO || errno == ENOSPC || errno == EDQUOT;
}

/// Of a folder that we did not make: it may be one that can't be opened, or can't be synced, if it
/// has been there for long. A disk that fails is an error all the same.
Result<void> sync_foreign_folder(const std::string& path) {
    FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) {
        return disk_failed() ? Result<void>(os_error("cannot open", path)) : Result<void>();
    }
    if (::fsync(folder.fd()) == 0 || !disk_failed()) return {};
    return os_error("cannot sync", path);
}

}  // namespace

Result<void> make_folders(const std::string& path, unsigned mode, Durability durability) {
    std::filesystem::path made;
    std::string was_there;  // the deepest one
    for (const auto& part : std::filesystem::path(path)) {
        if (part.empty()) continue;  // after a slash at the end
        made /= part;
        if (::mkdir(made.c_str(), mode) != 0) {
            if (errno != EEXIST) return os_error("cannot make", path);
            was_there = made.string();
        } else if (durability == Durability::kSynced) {
            // One by one, so that a process that ends here leaves at most the deepest unsynced.
            if (!was_there.empty()) {
                if (auto ok = sync_foreign_folder(parent_of(was_there)); !ok) return ok;
            }
            was_there.clear();
            if (auto ok = sync_folder(parent_of(made.string())); !ok) return ok;
        }
    }
    if (durability == Durability::kSynced && !was_there.empty()) {
        if (auto ok = sync_foreign_folder(parent_of(was_there)); !ok) return ok;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return os_error("cannot make", path);
    if (!S_ISDIR(info.st_mode)) return fail(ErrorCode::IO, path + " is not a folder");
    return {};
}

Result<FileHandle> lock_file(const std::string& path) {
    FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file.is_open()) return os_error("cannot open", path);
    if (::flock(file.fd(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno == EWOULDBLOCK) {
        return fail(ErrorCode::CONFLICT, path + " is locked by another process");
    }
    return os_error("cannot lock", path);
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
    DIR* folder = ::opendir(path.c_str());
    if (folder == nullptr) return os_error("cannot open", path);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(folder)) {
        std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
    ::closedir(folder);
    std::sort(names.begin(), names.end());
    return names;
}

std::string file_uri(const std::string& path) {
    std::error_code error;
    auto absolute = std::filesystem::absolute(path, error).lexically_normal();
    return "file://" + (error ? path : absolute.string());
}

std::string random_bytes(std::size_t n) {
    std::string bytes(n, '\0');
    std::size_t have = 0;
    while (have < n) {
        ssize_t got = ::getrandom(bytes.data() + have, n - have, 0);
        ZQ_CHECK(got > 0 || errno == EINTR);
        if (got > 0) have += static_cast<std::size_t>(got);
    }
    return bytes;
}

std::uint64_t random_u64() {
    std::uint64_t number = 0;
    std::memcpy(&number, random_bytes(sizeof number).data(), sizeof number);
    return number;
}

}  // namespace zq
