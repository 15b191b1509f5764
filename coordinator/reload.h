// What a second reading of the settings (SIGHUP) may change while the coordinator serves, and what
// waits for a restart. Pure: it is told both readings.
#pragma once

#include <string>
#include <vector>

#include "coordinator/options.h"

namespace zq::coordinator {

/// What the core decides by, of these settings.
core::Policy policy_of(const Options& options);

struct Reload {
    Options options;                         // those that hold from now on
    std::vector<std::string> changed;        // settings that are others now, as the file names them
    std::vector<std::string> needs_restart;  // that differ, and stay as they are until then
};

/// Takes over limits, retention and the log level from `read`; `serving` are the settings in force.
Reload reload(const Options& serving, const Options& read);

}  // namespace zq::coordinator
