// Chance, from a seed: the same numbers on every machine and compiler, which <random>'s
// distributions do not promise. Each host has a stream of its own, so that taking one thing out of
// a run changes the others as little as can be.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/time.h"

namespace zq::sim {

class Rng {
  public:
    explicit Rng(std::uint64_t seed) : state_(seed) {}

    /// splitmix64.
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t x = state_;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
    }
    /// From 0 to n - 1; n > 0.
    std::uint64_t below(std::uint64_t n) { return next() % n; }
    /// From `low` to `high`, both included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    Millis between(Millis low, Millis high) { return Millis{between(low.count, high.count)}; }
    /// True in so many of a thousand cases.
    bool per_mille(std::uint64_t n) { return below(1000) < n; }

    /// A stream for a part of the run, which depends on its name alone.
    Rng fork(std::string_view name) const {
        std::uint64_t hash = 0xcbf29ce484222325ULL ^ state_;
        for (const char c : name) {
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
        }
        return Rng(Rng(hash).next());
    }

  private:
    std::uint64_t state_;
};

}  // namespace zq::sim
