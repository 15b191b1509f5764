// The one always-on check. A failed check is a bug of ours: the process stops at once, before it
// can say something wrong, and a restart replays from the journal. Never used for a peer's input
// or for the disk's answers: those are `Result` values.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace zq {

[[noreturn]] inline void check_failed(const char* what, const char* file, int line) {
    std::fprintf(stderr, "fatal: check failed: %s at %s:%d\n", what, file, line);
    std::abort();
}

}  // namespace zq

#define ZQ_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::zq::check_failed(#condition, __FILE__, __LINE__))
