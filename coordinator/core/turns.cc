#include "coordinator/core/turns.h"

#include <iterator>

#include "common/base/mutant.h"

namespace zq::core {

Turns::Turns(const State& state, const Policy& policy, const RoleKey& role)
    : state_(state), age_step_(policy.age_step) {
    auto at = state.index.roles.find(role);
    if (at == state.index.roles.end()) return;
    for (const auto& [submitter, share] : at->second.ready.shares()) {
        Walk walk;
        walk.share = &share;
        walk.next_head = share.heads().begin();
        walk.turn = state.now.turns.at({role, submitter});
        walk.left = share.priorities();
        walks_.push_back(std::move(walk));
    }
    for (std::size_t i = 0; i < walks_.size(); ++i) enter(i);
    settle();
}

const Task* Turns::task() const {
    return task_;
}

bool Turns::heads_first(const Walk& walk) {
    if (walk.next_head == walk.share->heads().end()) return false;
    return walk.begun.empty() || walk.next_head->first < walk.begun.begin()->first;
}

/// The highest of what it has left.
int Turns::priority_of(const Walk& walk) {
    int highest = limits::kPriorityMax;
    while (highest > 0 && walk.left.at(static_cast<std::size_t>(highest)) == 0) --highest;
    return highest;
}

void Turns::enter(std::size_t index) {
    const Walk& walk = walks_[index];
    if (walk.begun.empty() && walk.next_head == walk.share->heads().end()) return;
    const ReadyKey& first = heads_first(walk) ? walk.next_head->first : walk.begun.begin()->first;
    const std::int64_t since = walk.turn.at.ms - priority_of(walk) * age_step_.count;
    if (mutant(Mutant::kTurnsIgnored)) {
        claims_.insert({first.rank, 0, first, index});
        return;
    }
    claims_.insert({since, walk.turn.token, first, index});
}

void Turns::settle() {
    task_ = nullptr;
    if (claims_.empty()) return;
    const Claim& claim = *claims_.begin();
    const Walk& walk = walks_[claim.walk];
    at_lane_ = heads_first(walk) ? &walk.next_head->second : walk.begun.begin()->second.first;
    task_ = state_.durable.open.find(claim.first.task);
}

void Turns::step(bool whole_lane) {
    const std::size_t index = claims_.begin()->walk;
    claims_.erase(claims_.begin());
    Walk& walk = walks_[index];
    const Lane* lane = at_lane_;
    Place place;
    if (heads_first(walk)) {
        place = walk.share->tasks_of(*lane).begin();
        ++walk.next_head;
    } else {
        place = walk.begun.begin()->second.second;
        walk.begun.erase(walk.begun.begin());
    }
    if (!whole_lane && ++place != walk.share->tasks_of(*lane).end()) {
        walk.begun.emplace(*place, std::pair(lane, place));
    }
    enter(index);
    settle();
}

void Turns::skip_task() {
    step(false);
}

void Turns::skip_lane() {
    Walk& walk = walks_[claims_.begin()->walk];
    const Priorities& all = walk.share->priorities_of(*at_lane_);
    const Priorities& taken = walk.taken[at_lane_];
    for (std::size_t i = 0; i < all.size(); ++i) walk.left[i] -= all[i] - taken[i];
    step(true);
}

void Turns::take(const Turn& turn) {
    Walk& walk = walks_[claims_.begin()->walk];
    walk.turn = turn;
    const auto priority = static_cast<std::size_t>(task_->priority);
    --walk.left.at(priority);
    ++walk.taken[at_lane_].at(priority);
    step(false);
}

}  // namespace zq::core
