// The tables `[retention]` and `[roles.NAME.retention]` of the settings file.
#pragma once

#include <string>
#include <vector>

#include "common/platform/config.h"
#include "coordinator/options.h"

namespace zq::coordinator {

/// The keys of these tables that the file may have: those of the roles that it names.
std::vector<std::string> retention_keys(const ConfigFile& file);

/// A role has what its own table says, and else what the common one does. Errors: INVALID, with the
/// setting's place.
Result<void> apply_retention(Options& options, const ConfigFile& file);

}  // namespace zq::coordinator
