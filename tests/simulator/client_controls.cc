// What clients say of roles, limit keys and workers; and how all of it is taken back in the end.
#include "tests/simulator/client_host.h"

namespace zq::sim {
namespace {

Limits some_limits(Rng& rng, ControlKind kind) {
    Limits limits;
    if (rng.per_mille(600)) limits.concurrency = static_cast<std::uint32_t>(rng.below(4));
    if (rng.per_mille(400)) {
        limits.rate =
            Rate{static_cast<std::uint32_t>(rng.between(1, 30)), seconds(rng.between(1, 20)),
                 static_cast<std::uint32_t>(rng.between(1, 4))};
        if (rng.per_mille(200)) limits.rate = Rate{};
    }
    if (kind != ControlKind::kRole) return limits;
    if (rng.per_mille(200)) limits.max_open = 5 + rng.below(30);
    if (rng.per_mille(200)) limits.max_bytes = 200 + rng.below(2'000);
    return limits;
}

}  // namespace

wire::Body ClientHost::set_control() {
    wire::SetControl set;
    set.kind = static_cast<ControlKind>(rng_.below(3));
    const std::uint64_t n = rng_.below(4);
    switch (set.kind) {
        case ControlKind::kRole:
            set.name = std::array{kReview, kWrite, kSolo, kByHand}.at(n).text;
            break;
        case ControlKind::kLimitKey:
            set.name = n == 3 ? std::string(kAnyLimitKey) : "key-" + std::to_string(n);
            break;
        case ControlKind::kWorker:
            set.name = "w" + std::to_string(n + 1);
            break;
    }
    set.reason = "so says " + setup_.name;
    if (rng_.per_mille(300)) {
        set.paused = rng_.per_mille(500);
    } else if (set.kind == ControlKind::kWorker) {
        set.drain = true;
    } else if (set.kind == ControlKind::kRole && rng_.per_mille(300)) {
        set.closed = rng_.per_mille(500);
    } else {
        set.limits = some_limits(rng_, set.kind);
        set.reset = set.limits == Limits{} || rng_.per_mille(200);
    }
    return set;
}

/// What would keep work from its end for ever. Drained workers come back by themselves.
void ClientHost::learn_controls(const wire::ControlRows& controls) {
    for (const wire::ControlRow& row : controls.rows) {
        const bool limited = row.control.limits != Limits{};
        if (!row.control.paused && !row.control.closed && !limited) continue;
        wire::SetControl set;
        set.kind = row.control.kind;
        set.name = row.control.name;
        set.paused = false;
        if (set.kind == ControlKind::kRole) set.closed = false;
        if (set.kind != ControlKind::kWorker) set.reset = true;
        to_lift_.push_back(std::move(set));
    }
}

wire::Body ClientHost::lift_one() {
    wire::SetControl set = std::move(to_lift_.back());
    to_lift_.pop_back();
    return set;
}

}  // namespace zq::sim
