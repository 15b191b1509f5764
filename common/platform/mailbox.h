// A queue from one thread to another that can be polled: what is put on one side comes out of the
// other, in order. Bounded by its users: each has few messages under way at once.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/platform/files.h"

namespace zq {

/// Wakes a thread that polls `fd`, from any thread.
class Wakeup {
  public:
    Wakeup() : handle_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { ZQ_CHECK(handle_.is_open()); }
    int fd() const { return handle_.fd(); }
    void signal() const {
        const std::uint64_t one = 1;
        // Full only if nobody has read 2^64 signals: then it is readable anyway.
        static_cast<void>(!::write(handle_.fd(), &one, sizeof one));
    }
    void clear() const {
        std::uint64_t count = 0;
        static_cast<void>(!::read(handle_.fd(), &count, sizeof count));
    }

  private:
    FileHandle handle_;
};

template <class T>
class Mailbox {
  public:
    /// Any thread.
    void put(T message) {
        {
            const std::lock_guard lock(mutex_);
            messages_.push_back(std::move(message));
        }
        wakeup_.signal();
    }
    /// Takes everything that has come. Never waits.
    std::vector<T> take() {
        wakeup_.clear();
        const std::lock_guard lock(mutex_);
        return std::exchange(messages_, {});
    }
    /// Readable while there is something to take.
    int fd() const { return wakeup_.fd(); }

  private:
    std::mutex mutex_;
    std::vector<T> messages_;
    Wakeup wakeup_;
};

}  // namespace zq
