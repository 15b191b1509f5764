#include "coordinator/store/commit_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/check.h"

namespace zq::store {

CommitQueue::CommitQueue() : signal_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    ZQ_CHECK(signal_.is_open());
}

void CommitQueue::push(Order order) {
    {
        std::lock_guard lock(mutex_);
        orders_.push_back(std::move(order));
    }
    arrived_.notify_one();
}

std::vector<Answered> CommitQueue::take_answers() {
    std::lock_guard lock(mutex_);
    std::uint64_t count = 0;
    // Cleared under the lock: an answer that comes after this makes it readable again.
    static_cast<void>(::read(signal_.fd(), &count, sizeof count));
    return std::exchange(answers_, {});
}

std::optional<Order> CommitQueue::next(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, wait, [&] { return !orders_.empty(); })) return std::nullopt;
    Order order = std::move(orders_.front());
    orders_.pop_front();
    return order;
}

bool CommitQueue::await_stop(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, wait, [&] {
        return std::any_of(orders_.begin(), orders_.end(), [](const Order& order) {
            return std::holds_alternative<StopOrder>(order);
        });
    });
}

bool CommitQueue::is_empty() const {
    std::lock_guard lock(mutex_);
    return orders_.empty();
}

void CommitQueue::answer(Answered answered) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answered));
    signal();
}

void CommitQueue::signal() const {
    const std::uint64_t one = 1;
    ZQ_CHECK(::write(signal_.fd(), &one, sizeof one) == sizeof one);
}

}  // namespace zq::store
