// Changes of the volatile part of the state: not journaled, not hashed, gone after a restart.
#pragma once

#include <variant>

#include "coordinator/core/state.h"

namespace zq::core {

struct SessionOpened {
    Session session;
};
struct SessionClosed {
    SessionId session = 0;
};
/// READY or HEARTBEAT arrived: how much credit there is now.
struct SessionHeard {
    SessionId session = 0;
    std::uint32_t free = 0;
    std::uint64_t message = 0;
    Instant at;
};
/// A lease's clock starts or is set anew.
struct LeaseClockSet {
    std::uint64_t token = 0;
    LeaseClock clock;
};
/// A slot of a session was used by this token.
struct CreditUsed {
    SessionId session = 0;
    std::uint64_t token = 0;
};
/// All deadlines move.
struct DeadlinesMoved {
    Millis by{};
};
struct ProgressSeen {
    TaskKey task;
    ProgressView progress;
};
/// Every pair of the role that could be matched was.
struct RoleMatched {
    RoleKey role;
};
/// Its ready tasks may not start before then.
struct RoleWaits {
    RoleKey role;
    Instant until;
};
/// That time has come.
struct RoleWoken {
    RoleKey role;
};
/// A task of that submitter has started.
struct TurnTaken {
    RoleKey role;
    Submitter submitter;
    Turn turn;
};
/// A start was counted against a rate.
struct RateUsed {
    ControlKey control;
    std::int64_t spent_until = 0;  // microseconds
    Instant at;
};
/// What was spent of rates up to then is not known.
struct RatesBegin {
    Instant from;
};

/// The policy is another one: all roles are matched again, and these rates begin anew.
struct PolicyNoted {
    std::vector<ControlKey> rates;
};

using Notice = std::variant<SessionOpened, SessionClosed, SessionHeard, LeaseClockSet, CreditUsed,
                            DeadlinesMoved, ProgressSeen, RoleMatched, RoleWaits, RoleWoken,
                            TurnTaken, RateUsed, RatesBegin, PolicyNoted>;

}  // namespace zq::core
