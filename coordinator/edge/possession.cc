#include "coordinator/edge/possession.h"

namespace zq::edge {

void Possession::add(const Identity& identity, const Digest& digest) {
    const std::scoped_lock lock(mutex_);
    if (!entries_.emplace(identity, digest).second) return;
    by_age_.emplace_back(identity, digest);
    if (entries_.size() <= most_) return;
    entries_.erase(by_age_.front());
    by_age_.pop_front();
}

bool Possession::has(const Identity& identity, const Digest& digest) const {
    const std::scoped_lock lock(mutex_);
    return entries_.contains({identity, digest});
}

}  // namespace zq::edge
