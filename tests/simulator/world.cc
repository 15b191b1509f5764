#include "tests/simulator/world.h"

#include <algorithm>

namespace zq::sim {

void World::at(Millis when, std::function<void()> action) {
    queue_.push_back({std::max(when, now_), ++planned_, std::move(action)});
    std::push_heap(queue_.begin(), queue_.end(), Later{});
}

void World::run(Millis until, const std::function<bool()>& done) {
    while (!queue_.empty() && !violation_ && !done()) {
        if (queue_.front().when > until) break;
        std::pop_heap(queue_.begin(), queue_.end(), Later{});
        const Planned next = std::move(queue_.back());
        queue_.pop_back();
        now_ = next.when;
        ++steps_;
        next.action();
    }
    if (queue_.empty() || queue_.front().when > until) now_ = std::max(now_, until);
}

void World::violate(std::string what) {
    if (violation_) return;
    note("VIOLATED", what);
    violation_ = std::move(what);
}

}  // namespace zq::sim
