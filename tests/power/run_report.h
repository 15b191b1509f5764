// What one run (one seed) did and found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/power/power_disk.h"

namespace zq::power {

struct RunReport {
    std::uint64_t cuts = 0;
    std::uint64_t kills = 0;
    std::uint64_t failed_syncs = 0;
    std::uint64_t recoveries = 0;    // starts on what a stop left
    std::uint64_t interrupted = 0;   // of these, stopped again before they had settled
    std::uint64_t acknowledged = 0;  // batches, or contents
    std::uint64_t calls = 0;
    std::uint64_t trace = 0;  // hash of every call
    /// Sentences: what was lost or wrong, each with the stop it was seen after.
    std::vector<std::string> violations;
    /// The stops so far, and for a violation the calls before the last one.
    std::string story;
};

/// A folder in memory where the machine has one, removed at the end; by its canonical path.
class ScratchFolder {
  public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace zq::power
