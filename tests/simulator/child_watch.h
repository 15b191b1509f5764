// Which children run, over all machines: at most one of a task, unless nobody was there to see to
// it. A child counts from when it is let run until it is frozen, killed or done, as long as its
// worker runs too: a worker process that was stopped or killed by itself (not its machine) cannot
// freeze what it had started; that is a limit of the design, and the only one allowed for here.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/base/ids.h"
#include "tests/simulator/world.h"

namespace zq::sim {

class ChildWatch {
  public:
    explicit ChildWatch(World& world) : world_(world) {}

    void runs(const TaskId& task, const LeaseToken& lease, const std::string& worker) {
        auto& children = running_[task];
        children.insert(lease);
        if (children.size() > 1) {
            world_.violate("two children of " + task.text + " run at once, the second at " +
                           worker);
        }
    }
    void stops(const TaskId& task, const LeaseToken& lease) {
        auto at = running_.find(task);
        if (at == running_.end()) return;
        at->second.erase(lease);
        if (at->second.empty()) running_.erase(at);
    }

  private:
    World& world_;
    std::map<TaskId, std::set<LeaseToken>> running_;
};

}  // namespace zq::sim
