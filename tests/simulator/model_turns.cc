// The model's half about shares: nobody waits for the many tasks of another.
#include <algorithm>

#include "tests/simulator/model.h"

namespace zq::sim {
namespace {

// One start before its turn has come, and one more of the same moment.
constexpr std::uint32_t kPasses = 2;

}  // namespace

/// What a submitter has waiting in a role.
struct Model::Waiting {
    int priority = 0;       // the highest
    bool free = false;      // one of them may go to any worker of the role, now
    int free_priority = 0;  // the highest of such
};

Model::Waiting Model::waiting_of(const std::string& from, const RoleName& role, Instant at) const {
    Waiting waiting;
    for (const auto& [id, task] : tasks_) {
        if (task.spec.role != role || task.spec.from != from) continue;
        if (task.state != TaskState::kQueued) continue;
        waiting.priority = std::max(waiting.priority, task.spec.priority);
        const bool late = (task.attempts == 0 && task.expires.is_set() && task.expires <= at) ||
                          (task.deadline.is_set() && task.deadline <= at);
        if (task.spec.limit_key.empty() && task.spec.needs.empty() && !late && !is_over(task)) {
            waiting.free = true;
            waiting.free_priority = std::max(waiting.free_priority, task.spec.priority);
        }
    }
    return waiting;
}

void Model::check_turn(const Task& started, const core::Event& event, const core::Lease& lease) {
    const TaskSpec& spec = started.spec;
    passes_[spec.role].erase(spec.from);
    // A person picks what it wants; and who starts first of all is not known after a start.
    if (lease.holder.by_hand) return;
    const int priority =
        std::max(spec.priority, waiting_of(spec.from, spec.role, event.at).priority);
    std::set<std::string> others;
    for (const auto& [id, task] : tasks_) {
        const bool other = task.spec.from != spec.from && task.spec.role == spec.role;
        if (other && task.state == TaskState::kQueued) others.insert(task.spec.from);
    }
    auto& passes = passes_[spec.role];
    std::erase_if(passes, [&](const auto& entry) { return !others.contains(entry.first); });
    for (const std::string& other : others) {
        const Waiting waiting = waiting_of(other, spec.role, event.at);
        if (!waiting.free || waiting.free_priority < priority) {
            passes.erase(other);
        } else {
            expect(++passes[other][spec.from] <= kPasses,
                   "submitters of one role take turns, but for a higher priority");
        }
    }
}

}  // namespace zq::sim
