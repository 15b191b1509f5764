// One lease as this worker knows it, and its clock. Times are CLOCK_BOOTTIME.
#pragma once

#include <algorithm>

#include "common/wire/worker_messages.h"

namespace zq::worker {

enum class LeaseStage : std::uint8_t {
    kRunning,    // inputs are fetched, or the child runs: freezes when the lease is not renewed
    kEnding,     // the child has ended; what it left is being put
    kReporting,  // the report is in the outbox, not yet acknowledged
    kDying,      // not ours any more; its processes are being killed, its slot is still taken
};

struct Lease {
    wire::HeldLease held;
    Millis term{};
    /// When the message was sent that renewed it last. The lease runs from there: the coordinator
    /// counts from when it read that message, which was later.
    Millis renewed{};
    LeaseStage stage = LeaseStage::kRunning;
    bool frozen = false;
    bool cancelling = false;
    bool over_budget = false;
};

/// How long before its end an unrenewed lease freezes its child: a tenth, 5 s at most.
inline Millis freeze_margin(Millis term) {
    return Millis{std::clamp<std::int64_t>(term.count / 10, 50, 5'000)};
}
inline Millis freeze_time(const Lease& lease) {
    return lease.renewed + lease.term - freeze_margin(lease.term);
}
/// When a frozen child is given up.
inline Millis give_up_time(const Lease& lease, Millis orphan_hold) {
    return lease.renewed + lease.term + orphan_hold;
}

}  // namespace zq::worker
