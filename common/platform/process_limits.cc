#include "common/platform/process_limits.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace zq {
namespace {

constexpr rlim_t kEnoughFiles = 65'536;
constexpr rlim_t kCoreUnit = 512;  // bytes, of `ulimit -c` (POSIX)

// LeakSanitizer looks at its process from outside.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ZQ_WATCHED_FROM_OUTSIDE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ZQ_WATCHED_FROM_OUTSIDE 1
#endif
#endif

/// Sets a soft limit; gives the `ulimit` word that undoes it (in `unit`s of the shell), empty where
/// nothing was changed.
std::string set_soft(decltype(RLIMIT_NOFILE) resource, char letter, rlim_t unit, rlim_t wanted) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == wanted) return {};
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = wanted;
    if (::setrlimit(resource, &limit) != 0) return {};
    const std::string value =
        before == RLIM_INFINITY ? std::string("unlimited") : std::to_string(before / unit);
    return std::string("ulimit -S -") + letter + " " + value + " 2>/dev/null; ";
}

rlim_t most_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    return limit.rlim_max == RLIM_INFINITY ? kEnoughFiles : limit.rlim_max;
}

}  // namespace

ProcessLimits ProcessLimits::take() {
    ProcessLimits limits;
    if (const rlim_t most = most_files(); most > 0) {
        limits.restoring_words_ += set_soft(RLIMIT_NOFILE, 'n', 1, most);
    }
    limits.restoring_words_ += set_soft(RLIMIT_CORE, 'c', kCoreUnit, 0);
    hide_memory();
    return limits;
}

void hide_memory() {
#ifndef ZQ_WATCHED_FROM_OUTSIDE
    // A worker finds what an attempt left by the environment of processes (family.h).
    if (std::getenv("ZQ_TASK_ID") != nullptr) return;
    // A core file that goes through a pipe (core_pattern) knows no limit: this one holds for it
    // too.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void keep_files_private() {
    ::umask(077);
}

std::uint64_t open_file_limit() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

bool runs_as_root() {
    return ::geteuid() == 0;
}

}  // namespace zq
