// Whose turn it is: the order in which a role's ready tasks are offered to free slots.
//
// Each submitter's tasks leave by rank (ready time less priority × age step). Between submitters
// the one goes first whose turn is the oldest: the time of its last start, or since when it has
// ready tasks again, less the highest priority of those that are not held × age step. So submitters
// take turns whatever they have waiting, a higher priority goes before a lower one, and the lower
// one has its turn after so many age steps.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "coordinator/core/policy.h"
#include "coordinator/core/state.h"

namespace zq::core {

/// A walk over a role's ready tasks as they are now. The state must stay as it is meanwhile.
class Turns {
  public:
    Turns(const State& state, const Policy& policy, const RoleKey& role);

    /// The task whose turn it is; null if there is none left.
    const Task* task() const;
    /// Its lane; only where there is a task.
    const Lane& lane() const { return *at_lane_; }

    /// On to the next: the task stays where it is, and its submitter has its turn again.
    void skip_task();
    /// On to the next, past all tasks of this lane of this submitter.
    void skip_lane();
    /// On to the next: the task starts.
    void take(const Turn& turn);

  private:
    using Place = ReadySet::const_iterator;

    /// One submitter's way through its share.
    struct Walk {
        const Share* share = nullptr;
        std::set<std::pair<ReadyKey, Lane>>::const_iterator next_head;
        std::map<ReadyKey, std::pair<const Lane*, Place>> begun;  // lanes left in the middle
        Turn turn;
        Priorities left{};  // of what is neither taken nor in a skipped lane
        std::map<const Lane*, Priorities> taken;
    };
    /// The lowest goes first.
    struct Claim {
        std::int64_t since = 0;
        std::uint64_t token = 0;
        ReadyKey first;
        std::size_t walk = 0;
        friend auto operator<=>(const Claim&, const Claim&) = default;
    };

    static bool heads_first(const Walk& walk);
    static int priority_of(const Walk& walk);
    void enter(std::size_t walk);
    void settle();
    /// Takes the task at hand out of its walk; gives the one after it in its lane, if there is one.
    void step(bool whole_lane);

    const State& state_;
    Millis age_step_;
    std::vector<Walk> walks_;
    std::set<Claim> claims_;
    const Task* task_ = nullptr;
    const Lane* at_lane_ = nullptr;
};

}  // namespace zq::core
