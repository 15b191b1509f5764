#include "common/platform/reference.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/platform/digest.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

Failure os_error(const std::string& what, const std::string& path) {
    const int error = errno;
    ErrorCode code = ErrorCode::IO;
    if (error == ENOENT || error == ENOTDIR) code = ErrorCode::NOT_FOUND;
    if (error == ENOSPC || error == EDQUOT) code = ErrorCode::STORAGE_FULL;
    return fail(code, what + " " + path + ": " + std::strerror(error));
}

/// What is there now may be anything that this program can read: nothing of it is told.
Failure drifted(const ArtifactRef& ref) {
    return fail(ErrorCode::DIGEST_MISMATCH,
                ref.uri +
                    " has drifted: it is not the content that was recorded at submit (sha256 " +
                    to_hex(ref.digest) + ", " + std::to_string(ref.size) + " bytes)");
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_error("cannot write", path);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

/// Reads it once, through the hash and, where `out` is open, into a copy.
Result<void> pass(const ArtifactRef& ref, const std::string& from, int out, const std::string& to) {
    // A pipe that nobody writes to must not hold us.
    const FileHandle file(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info {};
    if (!file.is_open() || ::fstat(file.fd(), &info) != 0) return os_error("cannot read", from);
    if (!S_ISREG(info.st_mode)) return fail(ErrorCode::IO, from + " is no regular file");
    if (static_cast<std::uint64_t>(info.st_size) != ref.size) return drifted(ref);
    Sha256 hash;
    std::uint64_t size = 0;
    std::string buffer(kPiece, '\0');
    while (true) {
        const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("cannot read", from);
        if (got == 0) break;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
        size += bytes.size();
        if (size > ref.size) return drifted(ref);  // it grows while it is read
        hash.update(bytes);
        if (out < 0) continue;
        if (auto ok = write_all(out, bytes, to); !ok) return ok;
    }
    if (size != ref.size || hash.finish() != ref.digest) return drifted(ref);
    return {};
}

}  // namespace

Result<std::string> path_of_file_uri(const std::string& uri) {
    constexpr std::string_view kScheme = "file://";
    if (uri.starts_with("file:///") && uri.find('\0') == std::string::npos) {
        return uri.substr(kScheme.size());
    }
    return fail(ErrorCode::INVALID, "a reference is file:///ABSOLUTE/PATH, not '" + uri + "'");
}

Result<void> check_reference(const ArtifactRef& ref) {
    auto from = path_of_file_uri(ref.uri);
    if (!from) return Failure(from.error());
    return pass(ref, *from, -1, {});
}

Result<void> copy_reference(const ArtifactRef& ref, const std::string& path) {
    auto from = path_of_file_uri(ref.uri);
    if (!from) return Failure(from.error());
    ::unlink(path.c_str());
    const FileHandle copy(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!copy.is_open()) return os_error("cannot make", path);
    auto done = pass(ref, *from, copy.fd(), path);
    if (!done) ::unlink(path.c_str());
    return done;
}

}  // namespace zq
