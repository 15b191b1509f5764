// When leases may end by silence: never before their holder was unheard for a whole term and one
// heartbeat more, while the coordinator listened. Sees what is decided, and counts time by itself.
#pragma once

#include <map>

#include "coordinator/core/decide.h"
#include "tests/simulator/world.h"

namespace zq::sim {

class LeaseWatch {
  public:
    LeaseWatch(World& world, Millis heartbeat) : world_(world), heartbeat_(heartbeat) {}

    /// `listened`: how long the coordinator has listened since the run began, stalls left out.
    void decided(const core::Command& command, const core::Decision& decision, Millis listened);

  private:
    struct Heard {
        Millis at;
        Millis term;
    };
    void check_end(const core::AttemptEnded& ended, Millis listened);

    World& world_;
    Millis heartbeat_;
    std::map<std::uint64_t, Heard> heard_;  // by token number
};

}  // namespace zq::sim
