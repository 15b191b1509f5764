// The coordinator's machine: the real pipeline, conversation and turns over a journal in memory
// whose disk outlives the process. It dies, pauses and restarts; before and after each death its
// durable state is compared hash for hash.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>

#include "coordinator/edge/outlet.h"
#include "coordinator/store/memory_journal.h"
#include "tests/simulator/host_clock.h"
#include "tests/simulator/stage.h"

namespace zq::sim {

enum class Death : std::uint8_t {
    kKill,   // the process: what it wrote can be read, though a power cut would take it back
    kPower,  // the machine
};

class CoordinatorHost : public edge::Sender, public ServerEnd {
  public:
    CoordinatorHost(Stage stage, core::Policy policy);
    ~CoordinatorHost() override;

    /// Starts it, if it does not run.
    void start();
    void die(Death death);
    /// SIGTERM: ends in good order, and is started again.
    void stop();
    void pause(Millis length);

    void set_disk(Millis fastest, Millis slowest) {
        disk_fastest_ = fastest;
        disk_slowest_ = slowest;
    }
    void fail_next_commit();
    void set_disk_low(bool low);
    void step_wall(Millis by) { clock_.step_wall(by); }

    /// Peers with content for the artifact store: `stored` is called when its event is durable.
    void put_content(const Digest& digest, std::uint64_t size, const Identity& identity,
                     std::function<void()> stored);

    /// A look at everything: invariants, and the live state against the events. Also done at every
    /// death, and now and then.
    void examine();
    bool is_up() const { return process_ != nullptr; }
    std::uint64_t deaths() const { return deaths_; }

    SendStatus send(std::size_t door, const Frames& frames) override;
    void receive(std::size_t door, Received received) override;

  private:
    struct Process;

    void open();
    void commit_epoch();
    void serve();
    void plan(Millis wait, void (CoordinatorHost::*what)());
    void plan_turn(Millis when);
    void take_turn();
    void read_settings(Instant now);
    void take_input(Instant now);
    void plan_sync();
    void sync();
    void feed();
    void remove_files();
    void check_files();
    void end(Death death);
    void start_later();
    Millis listened() const;
    void check_recovered();
    void decided(const core::Command& command, const core::Decision& decision);

    Stage stage_;
    core::Policy policy_;
    Rng rng_;
    Rng settings_;  // when they are read again, and what is in them
    HostClock clock_;
    store::MemoryDisk disk_;
    std::optional<store::MemoryDisk> platter_;  // what a power cut leaves of `disk_`, where less
    Millis disk_fastest_ = millis(1);
    Millis disk_slowest_ = millis(6);
    bool disk_low_ = false;
    std::set<Digest> files_;  // of contents
    std::unique_ptr<Process> process_;
    std::uint64_t generation_ = 0;  // of what is planned for a process
    std::uint64_t deaths_ = 0;
    std::uint64_t turns_ = 0;
    Millis paused_until_{};
    Millis not_listened_{};

    // The state as it follows from the durable events, and what was decided since.
    core::State followed_;
    Seq fed_ = 0;
    std::deque<core::Event> undurable_;
};

}  // namespace zq::sim
