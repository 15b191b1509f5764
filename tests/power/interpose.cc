#include "tests/power/interpose.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <map>
#include <mutex>

#include "common/base/check.h"

namespace zq::power {
namespace {

std::atomic<PowerDisk*> mounted = nullptr;

std::mutex tables;  // guards what follows
Random randomness;
std::map<int, Node> open_files;

Node node_of(int fd) {
    const std::lock_guard lock(tables);
    auto at = open_files.find(fd);
    return at == open_files.end() ? 0 : at->second;
}

PowerDisk* disk_of(const char* path) {
    PowerDisk* found = mounted;
    return found != nullptr && found->covers(path) ? found : nullptr;
}

/// For a process that has stopped: no call does anything any more.
int refuse() {
    errno = EIO;
    return -1;
}

}  // namespace

Mounted::Mounted(PowerDisk& disk, std::uint64_t seed) {
    ZQ_CHECK(mounted == nullptr);
    const std::lock_guard lock(tables);
    randomness.seed(seed);
    open_files.clear();
    mounted = &disk;
}

Mounted::~Mounted() {
    mounted = nullptr;
}

PowerDisk& disk() {
    PowerDisk* found = mounted;
    ZQ_CHECK(found != nullptr);
    return *found;
}

std::string seeded_bytes(std::size_t size) {
    const std::lock_guard lock(tables);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(randomness());
    return bytes;
}

}  // namespace zq::power

using zq::power::disk;
using zq::power::disk_of;
using zq::power::mounted;
using zq::power::Node;
using zq::power::node_of;
using zq::power::PowerDisk;
using zq::power::refuse;

// The names are the linker's: calls of NAME go to __wrap_NAME, and __real_NAME is the library's.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" {

int __real_open(const char* path, int flags, ...);
int __real_close(int fd);
ssize_t __real_write(int fd, const void* from, size_t size);
ssize_t __real_pwrite(int fd, const void* from, size_t size, off_t offset);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_rename(const char* from, const char* to);
int __real_unlink(const char* path);
int __real_mkdir(const char* path, mode_t mode);
ssize_t __real_getrandom(void* to, size_t size, unsigned flags);

int __wrap_open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    Node node = 0;
    PowerDisk* found = disk_of(path);
    if (found != nullptr && !found->open(path, (flags & O_CREAT) != 0, node)) return refuse();
    if (node != 0 && (flags & O_TRUNC) != 0 && !found->truncate(node, 0)) return refuse();
    const int fd = __real_open(path, flags, mode);
    if (fd >= 0 && node != 0) {
        const std::lock_guard lock(zq::power::tables);
        zq::power::open_files[fd] = node;
    }
    return fd;
}

int __wrap_close(int fd) {
    {
        const std::lock_guard lock(zq::power::tables);
        zq::power::open_files.erase(fd);
    }
    return __real_close(fd);
}

ssize_t __wrap_write(int fd, const void* from, size_t size) {
    const Node node = node_of(fd);
    if (node == 0) return __real_write(fd, from, size);
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    ZQ_CHECK(at >= 0);
    const std::string_view bytes(static_cast<const char*>(from), size);
    if (!disk().write(node, static_cast<std::uint64_t>(at), bytes)) return refuse();
    return __real_write(fd, from, size);
}

ssize_t __wrap_pwrite(int fd, const void* from, size_t size, off_t offset) {
    const Node node = node_of(fd);
    const std::string_view bytes(static_cast<const char*>(from), size);
    if (node != 0 && disk().lies_about(node)) return static_cast<ssize_t>(size);
    if (node != 0 && !disk().write(node, static_cast<std::uint64_t>(offset), bytes)) {
        return refuse();
    }
    return __real_pwrite(fd, from, size, offset);
}

int __wrap_ftruncate(int fd, off_t size) {
    const Node node = node_of(fd);
    if (node != 0 && !disk().truncate(node, static_cast<std::uint64_t>(size))) return refuse();
    return __real_ftruncate(fd, size);
}

int __wrap_fsync(int fd) {
    const Node node = node_of(fd);
    if (node == 0) return __real_fsync(fd);
    if (disk().lies_about(node)) return 0;
    const bool done =
        disk().has_folder(node) ? disk().sync_folder(disk().path_of(node)) : disk().sync(node);
    return done ? 0 : refuse();
}

int __wrap_fdatasync(int fd) {
    const Node node = node_of(fd);
    if (node == 0) return __real_fdatasync(fd);
    return disk().sync(node) ? 0 : refuse();
}

int __wrap_rename(const char* from, const char* to) {
    PowerDisk* found = disk_of(to);
    if (found != nullptr && !found->rename(from, to)) return refuse();
    return __real_rename(from, to);
}

int __wrap_unlink(const char* path) {
    PowerDisk* found = disk_of(path);
    if (found != nullptr && !found->remove(path)) return refuse();
    return __real_unlink(path);
}

int __wrap_mkdir(const char* path, mode_t mode) {
    PowerDisk* found = disk_of(path);
    if (found != nullptr && !found->make_folder(path)) return refuse();
    return __real_mkdir(path, mode);
}

ssize_t __wrap_getrandom(void* to, size_t size, unsigned flags) {
    if (mounted == nullptr) return __real_getrandom(to, size, flags);
    const std::string bytes = zq::power::seeded_bytes(size);
    std::memcpy(to, bytes.data(), size);
    return static_cast<ssize_t>(size);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
