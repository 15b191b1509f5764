// What keeps a ready task from starting although a worker is free: pauses, limits on what runs at a
// time, rates, and a limit key that is held because one of its tasks was rate limited.
//
// A rate is a bucket of `burst` starts that refills one start per period / count. It is kept as one
// number: until when the starts so far are spent. After a restart the bucket is taken for empty at
// the last event before it, so that a restart never lets more through than the rate allows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "coordinator/core/decide.h"

namespace zq::core {

enum class HoldKind : std::uint8_t { kPaused, kConcurrency, kRate, kRateLimited };

/// Why a task may not start now.
struct Hold {
    HoldKind kind = HoldKind::kPaused;
    ControlKey by;
    Instant until;             // set: it ends by then, if nothing else starts
    std::uint64_t limit = 0;   // kConcurrency
    const Control* control{};  // kPaused, kRateLimited: what says so; valid while the state is
};

/// `role review-worker runs 4 tasks, as many as it may`; for people.
std::string hold_text(const Hold& hold);
/// What was said of it; null if nothing was.
const Control* find_control(const State& state, const ControlKey& key);
/// What holds for a role or a limit key: what was set at run time, else what the configuration
/// says; of a limit key, what neither says is as for `*`.
Limits limits_of(const State& state, const Policy& policy, const ControlKey& key);
/// Of which roles and limit keys the configured rate is another one.
std::vector<ControlKey> other_rates(const Policy& before, const Policy& after);
/// True if nothing is to be given to this worker.
bool is_resting(const State& state, const Session& session);
/// True if it is to end when it has ended what it has.
bool is_drained(const State& state, const Session& session);

/// The gates during one decision: it counts what that starts.
class Gates {
  public:
    Gates(const State& state, const Policy& policy, Instant now)
        : state_(state), policy_(policy), now_(now) {}

    /// Nullopt: they are open.
    std::optional<Hold> of_role(const RoleKey& role);
    std::optional<Hold> of_limit_key(const Namespace& ns, const std::string& key);

    /// Counts a start, and notes what it uses up.
    void note_start(const Task& task, Decision& decision);

  private:
    std::optional<Hold> hold(const ControlKey& key, std::uint64_t running);
    Instant opens_at(const ControlKey& key, const Rate& rate);
    std::int64_t spent_until(const ControlKey& key, const Rate& rate);
    void use_rate(const ControlKey& key, Decision& decision);

    const State& state_;
    const Policy& policy_;
    Instant now_;
    std::map<ControlKey, std::uint64_t> started_;
    std::map<ControlKey, std::int64_t> spent_;
};

}  // namespace zq::core
