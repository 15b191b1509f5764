// Many runs, one after another: prints each failing one so that a person can read it, and the
// totals as the last line.
#pragma once

#include <chrono>
#include <cstdint>

namespace zq::power {

struct Plan {
    bool artifacts = false;  // the workload; else the journal
    std::uint64_t first_seed = 1;
    std::uint64_t seeds = 200;
    std::chrono::seconds time{0};  // 0: as long as the seeds take
};

struct Totals {
    std::uint64_t seeds = 0;
    std::uint64_t cuts = 0;
    std::uint64_t kills = 0;
    std::uint64_t failed_syncs = 0;
    std::uint64_t recoveries = 0;
    std::uint64_t interrupted = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t calls = 0;
    std::uint64_t seconds = 0;
    std::uint64_t violations = 0;
};

Totals run_campaign(const Plan& plan);

}  // namespace zq::power
