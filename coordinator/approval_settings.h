// The tables `[roles.NAME.approval]` and `[types.NAME.approval]` of the settings file: what needs a
// person's word, and what cannot be undone.
#pragma once

#include <string>
#include <vector>

#include "common/platform/config.h"
#include "coordinator/options.h"

namespace zq::coordinator {

/// The keys of these tables that the file may have: those of the roles and types it names.
std::vector<std::string> approval_keys(const ConfigFile& file);

/// Errors: INVALID, with the setting's place.
Result<void> apply_approvals(Options& options, const ConfigFile& file);

}  // namespace zq::coordinator
