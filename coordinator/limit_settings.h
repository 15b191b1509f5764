// The tables `[limits]`, `[roles.NAME.limits]` and `[limit_keys.KEY]` of the settings file.
#pragma once

#include <string>
#include <vector>

#include "common/platform/config.h"
#include "coordinator/options.h"

namespace zq::coordinator {

/// The keys of these tables that the file may have: those of the roles and limit keys it names.
std::vector<std::string> limit_keys(const ConfigFile& file);

/// Errors: INVALID, with the setting's place.
Result<void> apply_limits(Options& options, const ConfigFile& file);

}  // namespace zq::coordinator
