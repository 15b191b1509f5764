// What was said of a role, a limit key or a worker: durable, and journaled whole at every change.
#pragma once

#include <string>

#include "common/base/control.h"
#include "common/base/ids.h"

namespace zq::core {

/// `name` is a role's, a worker's, or a limit key (`*`: each where it has none of its own).
struct ControlKey {
    Namespace ns;
    ControlKind kind = ControlKind::kRole;
    std::string name;

    friend auto operator<=>(const ControlKey&, const ControlKey&) = default;
    friend bool operator==(const ControlKey&, const ControlKey&) = default;
};

struct Control {
    bool paused = false;  // nothing of it starts
    bool closed = false;  // a role that drains: nothing is submitted to it
    std::string reason;   // of its pause or drain, or said later
    Identity by;          // who that was
    Instant at;
    Limits limits;       // as they were set at run time
    Instant held_until;  // a limit key: no start before, since one of its tasks was rate limited
    TaskId held_by;      // that task
    // A worker that drains: this incarnation of this state folder and earlier ones.
    StateId drained;
    std::uint64_t drained_incarnation = 0;

    friend bool operator==(const Control&, const Control&) = default;
};

/// True if it says nothing but that its key was held for a while.
inline bool only_held(const Control& control) {
    return !control.paused && !control.closed && control.limits == Limits{} &&
           control.drained.empty();
}

}  // namespace zq::core
