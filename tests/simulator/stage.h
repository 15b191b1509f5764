// What all hosts of a run share: time, network, what watches them.
#pragma once

#include "coordinator/edge/key_book.h"
#include "tests/simulator/child_watch.h"
#include "tests/simulator/coverage.h"
#include "tests/simulator/lease_watch.h"
#include "tests/simulator/model.h"
#include "tests/simulator/network.h"
#include "tests/simulator/promises.h"
#include "tests/simulator/workload.h"
#include "tests/simulator/world.h"

namespace zq::sim {

struct Stage {
    World& world;
    Network& network;
    Model& model;
    Promises& promises;
    LeaseWatch& leases;
    ChildWatch& children;
    Coverage& coverage;
    const Workload& workload;
    edge::KeyBook& keys;  // that the coordinator knows, each by its identity
};

/// The coordinator's doors: who comes in by the first is trusted, by the second authenticated.
inline constexpr std::size_t kLocalDoor = 0;
inline constexpr std::size_t kKeyDoor = 1;

}  // namespace zq::sim
