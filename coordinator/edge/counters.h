// What happened how often since the start: every refusal by its code, and a few totals. STATUS
// shows them. The control thread uses it; refusals and tallies are counted in any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "common/base/error.h"

namespace zq::edge {

/// Counted by several threads.
enum class Tally : std::uint8_t {
    kConnections,
    kConnectionsEnded,
    kKeysRefused,       // connections whose key is not known here
    kHandshakesFailed,  // connections that were broken off, timed out, or spoke no ZMTP
    kAcceptsFailed,     // connections for which no descriptor was left
    kRepliesDropped,    // artifacts socket: to a peer that takes nothing more
    kStaleVerdicts,     // leases that a peer listed and does not hold
    kCount
};

class Counters {
  public:
    void count(Tally tally, std::uint64_t by = 1) {
        tallies_.at(static_cast<std::size_t>(tally)).fetch_add(by, std::memory_order_relaxed);
    }
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
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Tally::kCount)> tallies_{};
};

}  // namespace zq::edge
