// The trouble of a run: when, to whom, how long. To add a kind, name it in options.h and carry it
// out here.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulator/client_host.h"
#include "tests/simulator/coordinator_host.h"
#include "tests/simulator/options.h"
#include "tests/simulator/worker_host.h"

namespace zq::sim {

/// Everybody who can be hurt.
struct Cast {
    CoordinatorHost& coordinator;
    std::vector<std::unique_ptr<WorkerHost>>& workers;
    std::vector<std::unique_ptr<ClientHost>>& clients;
};

class Faults {
  public:
    Faults(Stage stage, Cast cast, const RunOptions& options, Millis lease);

    /// Plans the first of each kind; more follow until `heal`.
    void begin();
    /// From now on nothing is hurt any more, and what was is made good.
    void heal();

  private:
    void plan(Fault fault);
    void strike(Fault fault);
    void strike_coordinator(Fault fault);
    void strike_worker(Fault fault);
    void strike_network(Fault fault);
    void step_a_wall();
    std::string some_machine();
    Millis some_length();

    Stage stage_;
    Cast cast_;
    FaultSet faults_;
    Millis lasts_;
    Millis lease_;
    Rng rng_;
    bool healed_ = false;
};

}  // namespace zq::sim
