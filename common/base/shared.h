// A value that many hold and few change: copying it costs a count, changing it a copy where
// somebody else has it too. Behaves as the value itself does; several threads may hold one, and
// each of them change its own.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace zq {

template <class T>
class Shared {
  public:
    Shared() = default;
    // Implicit: it stands for the value.
    Shared(T value)  // NOLINT(google-explicit-constructor)
        : value_(std::make_shared<T>(std::move(value))) {}
    Shared(const Shared&) = default;
    Shared& operator=(const Shared&) = default;
    // What was moved from is as it was made.
    Shared(Shared&&) noexcept = default;
    Shared& operator=(Shared&&) noexcept = default;
    ~Shared() = default;

    const T& operator*() const { return value_ ? *value_ : none(); }
    const T* operator->() const { return &**this; }

    /// For this holder alone. Valid until it is edited again, copied, assigned or gone.
    T& edit() {
        if (!kSeesFences || value_.use_count() != 1) {
            value_ = std::make_shared<T>(**this);
        } else {
            // Who had it too has read what is overwritten now.
            std::atomic_thread_fence(std::memory_order_acquire);
        }
        return *value_;
    }

    friend bool operator==(const Shared& a, const Shared& b) {
        return a.value_ == b.value_ || *a == *b;
    }

  private:
    // ThreadSanitizer does not: under it every edit is a copy.
#ifdef __SANITIZE_THREAD__
    static constexpr bool kSeesFences = false;
#else
    static constexpr bool kSeesFences = true;
#endif

    static const T& none() {
        static const T value{};
        return value;
    }

    std::shared_ptr<T> value_;  // null: as it is made
};

}  // namespace zq
