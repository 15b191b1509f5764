// Who has shown that it has some content, by sending its bytes: only such a peer may refer to it.
// To know a digest is no right to what lies under it. Kept in memory: whoever is forgotten sends
// the bytes again. Several threads use it.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "common/base/ids.h"

namespace zq::edge {

class Possession {
  public:
    explicit Possession(std::size_t most = 200'000) : most_(most) {}

    void add(const Identity& identity, const Digest& digest);
    bool has(const Identity& identity, const Digest& digest) const;

  private:
    using Entry = std::pair<Identity, Digest>;

    mutable std::mutex mutex_;
    std::size_t most_;
    std::set<Entry> entries_;
    std::list<Entry> by_age_;  // the oldest first
};

}  // namespace zq::edge
