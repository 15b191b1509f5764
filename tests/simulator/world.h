// Virtual time and what is to happen in it. One thread, one queue: what is due at the same
// millisecond happens in the order in which it was planned. Also where a violation is noted: the
// first one ends the run.
#pragma once

#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/rng.h"
#include "tests/simulator/trace.h"

namespace zq::sim {

class World {
  public:
    World(std::uint64_t seed, Trace::Echo echo) : rng_(seed), trace_(echo) {}

    /// True time since the run began, which no host can see.
    Millis now() const { return now_; }
    void at(Millis when, std::function<void()> action);
    void after(Millis wait, std::function<void()> action) { at(now_ + wait, std::move(action)); }

    /// Runs what is planned until `until`, or until `done` says so, or a violation.
    void run(Millis until, const std::function<bool()>& done);
    std::uint64_t steps() const { return steps_; }

    Rng rng(std::string_view name) const { return rng_.fork(name); }
    Trace& trace() { return trace_; }
    void note(std::string_view who, std::string_view what) { trace_.line(now_, who, what); }

    /// A rule does not hold. Only the first is kept: what follows is its consequence.
    void violate(std::string what);
    const std::optional<std::string>& violation() const { return violation_; }

  private:
    struct Planned {
        Millis when;
        std::uint64_t order = 0;
        std::function<void()> action;
    };
    struct Later {
        bool operator()(const Planned& a, const Planned& b) const {
            return a.when != b.when ? a.when > b.when : a.order > b.order;
        }
    };

    Rng rng_;
    Trace trace_;
    Millis now_{};
    std::uint64_t planned_ = 0;
    std::uint64_t steps_ = 0;
    std::vector<Planned> queue_;  // a heap by Later
    std::optional<std::string> violation_;
};

}  // namespace zq::sim
