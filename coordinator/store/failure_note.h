// The first failure after which a journal may promise nothing more: noted once, by whichever thread
// meets it, and seen by all.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "common/base/error.h"

namespace zq::store {

class FailureNote {
  public:
    void set(const Error& error) {
        std::lock_guard lock(mutex_);
        if (!text_) text_ = "the journal stopped after a failure: " + error.message;
        is_set_.store(true, std::memory_order_release);
    }
    bool is_set() const { return is_set_.load(std::memory_order_acquire); }
    /// Nullopt: none.
    std::optional<std::string> text() const {
        if (!is_set()) return std::nullopt;
        std::lock_guard lock(mutex_);
        return text_;
    }

  private:
    mutable std::mutex mutex_;
    std::optional<std::string> text_;
    std::atomic<bool> is_set_ = false;
};

}  // namespace zq::store
