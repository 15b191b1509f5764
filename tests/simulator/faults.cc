#include "tests/simulator/faults.h"

namespace zq::sim {
namespace {

constexpr Weather kFair{};

}  // namespace

Faults::Faults(Stage stage, Cast cast, const RunOptions& options, Millis lease)
    : stage_(stage),
      cast_(cast),
      faults_(faults_of(options)),
      lasts_(seconds(options.fault_seconds)),
      lease_(lease),
      rng_(stage.world.rng("faults")) {}

void Faults::begin() {
    for (std::size_t i = 0; i < kFaults; ++i) {
        const auto fault = static_cast<Fault>(i);
        if ((faults_ & bit(fault)) != 0) plan(fault);
    }
}

void Faults::plan(Fault fault) {
    // Each kind a few times in a run, the first well inside of it.
    const Millis wait = rng_.between(lasts_ / 40, lasts_ / 3);
    stage_.world.after(wait, [this, fault] {
        if (healed_) return;
        strike(fault);
        plan(fault);
    });
}

void Faults::heal() {
    healed_ = true;
    stage_.world.note("faults", "are over");
    stage_.network.set_weather(kFair);
    stage_.network.clear_local_weather();
    stage_.network.unblock_all();
    cast_.coordinator.set_disk(millis(1), millis(6));
    cast_.coordinator.set_disk_low(false);
}

/// Mostly short against a lease, at times longer than one.
Millis Faults::some_length() {
    const std::uint64_t n = rng_.below(10);
    if (n < 4) return rng_.between(millis(10), lease_ / 3);
    if (n < 8) return rng_.between(lease_ / 3, lease_ + lease_ / 2);
    return rng_.between(lease_, lease_ * 5);
}

std::string Faults::some_machine() {
    const std::size_t all = cast_.workers.size() + cast_.clients.size();
    const std::size_t n = rng_.below(all);
    return n < cast_.workers.size() ? cast_.workers[n]->name()
                                    : cast_.clients[n - cast_.workers.size()]->name();
}

void Faults::strike(Fault fault) {
    stage_.coverage.faulted(kFaultNames[static_cast<std::size_t>(fault)]);
    switch (fault) {
        case Fault::kCoordinatorKill:
        case Fault::kCoordinatorPower:
        case Fault::kCoordinatorStop:
        case Fault::kCoordinatorPause:
        case Fault::kSlowDisk:
        case Fault::kDiskError:
        case Fault::kDiskLow:
            return strike_coordinator(fault);
        case Fault::kWorkerKill:
        case Fault::kWorkerPower:
        case Fault::kWorkerPause:
        case Fault::kWorkerSuspend:
        case Fault::kWorkerDrain:
            return strike_worker(fault);
        case Fault::kClientKill:
            if (!cast_.clients.empty()) cast_.clients[rng_.below(cast_.clients.size())]->die();
            return;
        case Fault::kPartition:
        case Fault::kOneWay:
        case Fault::kCut:
        case Fault::kDrop:
        case Fault::kRepeat:
        case Fault::kDelay:
            return strike_network(fault);
        case Fault::kWallStep:
            return step_a_wall();
    }
}

void Faults::strike_coordinator(Fault fault) {
    CoordinatorHost& coordinator = cast_.coordinator;
    switch (fault) {
        case Fault::kCoordinatorKill:
            return coordinator.die(Death::kKill);
        case Fault::kCoordinatorPower:
            return coordinator.die(Death::kPower);
        case Fault::kCoordinatorStop:
            return coordinator.stop();
        case Fault::kCoordinatorPause:
            return coordinator.pause(some_length());
        case Fault::kDiskError:
            return coordinator.fail_next_commit();
        case Fault::kSlowDisk:
            coordinator.set_disk(millis(500), rng_.between(seconds(1), seconds(6)));
            break;
        default:
            coordinator.set_disk_low(true);
            break;
    }
    stage_.world.after(some_length(), [this, fault] {
        if (fault == Fault::kSlowDisk) cast_.coordinator.set_disk(millis(1), millis(6));
        if (fault == Fault::kDiskLow) cast_.coordinator.set_disk_low(false);
    });
}

void Faults::strike_worker(Fault fault) {
    if (cast_.workers.empty()) return;
    WorkerHost& worker = *cast_.workers[rng_.below(cast_.workers.size())];
    switch (fault) {
        case Fault::kWorkerKill:
            return worker.die(Death::kKill);
        case Fault::kWorkerPower:
            return worker.die(Death::kPower);
        case Fault::kWorkerPause:
            return worker.pause(some_length());
        case Fault::kWorkerSuspend:
            if (rng_.per_mille(500)) return worker.suspend_after_speaking(some_length());
            return worker.suspend(some_length());
        default:
            return worker.drain(rng_.per_mille(500));
    }
}

void Faults::strike_network(Fault fault) {
    Network& network = stage_.network;
    const std::string machine = some_machine();
    Weather weather;
    switch (fault) {
        case Fault::kCut:
            stage_.world.note("network", "cuts the links of " + machine);
            return network.cut(machine);
        case Fault::kPartition:
        case Fault::kOneWay: {
            const bool up = fault == Fault::kPartition || rng_.per_mille(500);
            const bool down = fault == Fault::kPartition || !up;
            stage_.world.note("network",
                              "blocks " + machine + (up ? " up" : "") + (down ? " down" : ""));
            if (up) network.block(machine, Network::Way::kUp);
            if (down) network.block(machine, Network::Way::kDown);
            stage_.world.after(some_length(), [this, machine] {
                stage_.world.note("network", "unblocks " + machine);
                stage_.network.unblock(machine);
            });
            return;
        }
        case Fault::kDrop:
            weather.drop_per_mille = 20 + rng_.below(200);
            break;
        case Fault::kRepeat:
            weather.repeat_per_mille = 100 + rng_.below(400);
            break;
        default:
            weather.delay_max = rng_.between(lease_ / 10, lease_);
            break;
    }
    network.set_weather(machine, weather);
    stage_.world.after(some_length() * 2, [this] { stage_.network.clear_local_weather(); });
}

void Faults::step_a_wall() {
    const Millis by = rng_.per_mille(300) ? rng_.between(hours(-48), hours(48))
                                          : rng_.between(seconds(-50), seconds(50));
    stage_.world.note("faults", "a wall clock is set by " + std::to_string(by.count) + " ms");
    if (rng_.per_mille(700) || cast_.workers.empty()) return cast_.coordinator.step_wall(by);
    cast_.workers[rng_.below(cast_.workers.size())]->step_wall(by);
}

}  // namespace zq::sim
