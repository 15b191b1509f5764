// What happened how often since the start: every refusal by its code, and a few totals. STATUS
// shows them. One thread uses it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "common/base/error.h"

namespace zq::edge {

class Counters {
  public:
    void count(std::string_view name, std::uint64_t by = 1);
    void count_refusal(ErrorCode code) {
        refused_.at(static_cast<std::size_t>(code)).fetch_add(1, std::memory_order_relaxed);
    }

    std::uint64_t refused(ErrorCode code) const {
        return refused_.at(static_cast<std::size_t>(code)).load(std::memory_order_relaxed);
    }
    /// Name to decimal number; `refused_` and the code for the refusals that happened.
    std::map<std::string, std::string> texts() const;

  private:
    std::map<std::string, std::uint64_t, std::less<>> totals_;
    std::array<std::atomic<std::uint64_t>, 64> refused_{};
};

}  // namespace zq::edge
