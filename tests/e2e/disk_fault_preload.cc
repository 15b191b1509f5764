// Preloaded into a coordinator: makes one numbered system call on a file of its data folder fail.
// Counts each function's calls by itself, on files under one folder only, so that "the 17th pwrite"
// means the same call in every run of the same work. (libfiu's own POSIX wrappers can select calls
// by chance or all of them, but not by number, and count sockets and eventfds too.)
//
//     ZQ_FAULT=CALL:NUMBER:ERROR:MODE   such as pwrite:17:ENOSPC:once; empty: only counts
//     ZQ_FAULT_FOLDER=DIR               absolute; other files are left alone
//     ZQ_FAULT_LOG=FILE                 gets "fault CALL NUMBER NANOSECONDS PATH" when the fault is
//                                       met, "calls CALL COUNT" for each function at the end
//
// Modes: once; on (this call and all later ones of the function); torn (once, and half of the bytes
// are written before it); lie (this and all later writes do nothing and succeed).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace {

enum Call {
    kFdatasync,
    kFsync,
    kPwrite,
    kWrite,
    kPread,
    kTruncate,
    kAllocate,
    kRename,
    kOpen,
    kMkdir,
    kUnlink,
    kCalls
};
constexpr std::array<const char*, kCalls> kNames = {"fdatasync", "fsync",     "pwrite",    "write",
                                                    "pread",     "ftruncate", "fallocate", "rename",
                                                    "open",      "mkdir",     "unlink"};

std::array<std::atomic<long>, kCalls> calls;

std::string setting(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

void note(const std::string& line) {
    static const std::string path = setting("ZQ_FAULT_LOG");
    const long fd =
        ::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (fd < 0) return;
    (void)!::syscall(SYS_write, fd, line.data(), line.size());
    ::syscall(SYS_close, fd);
}

struct Plan {
    std::string call;
    long number = 0;
    int error = EIO;
    std::string mode;

    Plan() {
        char name[16] = "", code[16] = "", how[16] = "";
        const std::string text = setting("ZQ_FAULT");
        if (std::sscanf(text.c_str(), "%15[^:]:%ld:%15[^:]:%15s", name, &number, code, how) != 4)
            return;
        call = name;
        mode = how;
        if (std::strcmp(code, "ENOSPC") == 0) error = ENOSPC;
    }
};

const Plan& plan() {
    static const Plan the_plan;
    return the_plan;
}

bool is_ours(const std::string& path) {
    static const std::string folder = setting("ZQ_FAULT_FOLDER") + "/";
    return (path + "/").compare(0, folder.size(), folder) == 0;
}

std::string path_of(int fd) {
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
    return length < 0 ? "" : std::string(path, static_cast<std::size_t>(length));
}

/// Counts a call; the error that it is to fail with, or 0.
int meet(Call call, const std::string& path) {
    if (!is_ours(path)) return 0;
    const long number = ++calls.at(call);
    const bool stays = plan().mode == "on" || plan().mode == "lie";
    if (plan().call != kNames.at(call) || number < plan().number) return 0;
    if (number > plan().number && !stays) return 0;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    note(std::string("fault ") + kNames.at(call) + " " + std::to_string(number) + " " +
         std::to_string(now.tv_sec * 1'000'000'000 + now.tv_nsec) + " " + path + "\n");
    return plan().error;
}

/// 0 or -1 with errno, as the C library gives it.
int fail_with(int error) {
    errno = error;
    return -1;
}

ssize_t write_at(Call call, int fd, const void* bytes, std::size_t size, long at) {
    const auto put = [&](std::size_t count) {
        return at < 0 ? ::syscall(SYS_write, fd, bytes, count)
                      : ::syscall(SYS_pwrite64, fd, bytes, count, at);
    };
    const int error = meet(call, path_of(fd));
    if (error == 0) return put(size);
    if (plan().mode == "lie") return static_cast<ssize_t>(size);
    if (plan().mode == "torn") (void)!put(size / 2);
    return fail_with(error);
}

int open_path(const char* path, int flags, mode_t mode) {
    if (const int error = meet(kOpen, path)) return fail_with(error);
    return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

template <class... Arguments>
int on_file(Call call, long number, int fd, Arguments... arguments) {
    if (const int error = meet(call, path_of(fd))) return fail_with(error);
    return static_cast<int>(::syscall(number, fd, arguments...));
}

template <class... Arguments>
int on_path(Call call, long number, const char* path, Arguments... arguments) {
    if (const int error = meet(call, path)) return fail_with(error);
    return static_cast<int>(::syscall(number, path, arguments...));
}

ssize_t read_at(int fd, void* bytes, std::size_t size, long at) {
    if (const int error = meet(kPread, path_of(fd))) return fail_with(error);
    return at < 0 ? ::syscall(SYS_read, fd, bytes, size)
                  : ::syscall(SYS_pread64, fd, bytes, size, at);
}

__attribute__((destructor)) void report() {
    for (std::size_t i = 0; i < kCalls; ++i) {
        note(std::string("calls ") + kNames.at(i) + " " + std::to_string(calls.at(i)) + "\n");
    }
}

}  // namespace

extern "C" {

int fdatasync(int fd) {
    return on_file(kFdatasync, SYS_fdatasync, fd);
}
int fsync(int fd) {
    return on_file(kFsync, SYS_fsync, fd);
}
int ftruncate(int fd, off_t size) noexcept {
    return on_file(kTruncate, SYS_ftruncate, fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
    return on_file(kTruncate, SYS_ftruncate, fd, size);
}
int rename(const char* from, const char* to) noexcept {
    return on_path(kRename, SYS_rename, from, to);
}
int mkdir(const char* path, mode_t mode) noexcept {
    return on_path(kMkdir, SYS_mkdir, path, mode);
}
int unlink(const char* path) noexcept {
    return on_path(kUnlink, SYS_unlink, path);
}

/// Gives the error instead of setting errno.
int posix_fallocate(int fd, off_t from, off_t size) {
    return on_file(kAllocate, SYS_fallocate, fd, 0, from, size) == 0 ? 0 : errno;
}

ssize_t write(int fd, const void* bytes, std::size_t size) {
    return write_at(kWrite, fd, bytes, size, -1);
}
ssize_t pwrite(int fd, const void* bytes, std::size_t size, off_t at) {
    return write_at(kPwrite, fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, std::size_t size, off64_t at) {
    return write_at(kPwrite, fd, bytes, size, at);
}
ssize_t read(int fd, void* bytes, std::size_t size) {
    return read_at(fd, bytes, size, -1);
}
ssize_t pread(int fd, void* bytes, std::size_t size, off_t at) {
    return read_at(fd, bytes, size, at);
}
ssize_t pread64(int fd, void* bytes, std::size_t size, off64_t at) {
    return read_at(fd, bytes, size, at);
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const auto mode = va_arg(rest, mode_t);  // without O_CREAT it is not looked at
    va_end(rest);
    return open_path(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const auto mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_path(path, flags, mode);
}

}  // extern "C"
