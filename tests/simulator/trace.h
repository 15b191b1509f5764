// What happened, in lines a person can read, and one hash over all of them: two runs are the same
// run if and only if their hashes are equal. Keeps the last lines for the report of a violation.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "common/base/time.h"

namespace zq::sim {

class Trace {
  public:
    enum class Echo : std::uint8_t { kNone, kStdout };
    explicit Trace(Echo echo) : echo_(echo) {}

    /// `12.345 w2       frozen task=t7`
    void line(Millis now, std::string_view who, std::string_view what);

    std::uint64_t hash() const { return hash_; }
    std::uint64_t lines() const { return lines_; }
    const std::deque<std::string>& tail() const { return tail_; }

  private:
    Echo echo_;
    std::uint64_t hash_ = 0xcbf29ce484222325ULL;  // FNV-1a
    std::uint64_t lines_ = 0;
    std::deque<std::string> tail_;
};

}  // namespace zq::sim
