// Every rule of zq, as one pure function: no clock, no chance, no socket, no disk, no log. What it
// may know is in the state, the policy and the command; what follows is in the decision.
#pragma once

#include <vector>

#include "coordinator/core/effect.h"
#include "coordinator/core/notice.h"
#include "coordinator/core/policy.h"
#include "coordinator/core/state.h"

namespace zq::core {

/// Events are applied first, in order, then notices. Effects leave when the events are durable.
/// `events` have no seq, time, epoch or identity yet: `stamp` gives them.
struct Decision {
    std::vector<Event> events;
    std::vector<Notice> notices;
    std::vector<Effect> effects;
};

/// Decides one command. A refusal is a decision with one `Rejected` answer and nothing else.
/// Emits at most limits::kTickItems events, those that tell others of an end apart; a command that
/// has more to do leaves a reason to be called again (a due timer, a role to match).
Decision decide(const State& state, const Policy& policy, const Command& command);

/// Gives a decision's events their seq, time and epoch, following the state's last. To be called
/// once, before they are applied.
void stamp(Decision& decision, const State& state, Instant now);

}  // namespace zq::core
