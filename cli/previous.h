// What earlier attempts of the task around this command left: had through its worker, without id,
// key or address. It is laid into `previous/ATTEMPT/` of the attempt's folder.
#pragma once

#include <string>
#include <vector>

#include "cli/own_task.h"

namespace zq::cli {

/// Lists what an earlier attempt left. Errors: usage (this attempt, or a later one).
Ending list_previous(const Context& context, const OwnTask& own, std::uint32_t attempt);

/// Lays the artifacts of these names, or all where none is named, into `previous/ATTEMPT/`, and
/// prints their paths. With --output-file one of them goes there too. Errors: as above, NOT_FOUND.
Ending get_previous(const Context& context, const OwnTask& own, std::uint32_t attempt,
                    const std::vector<std::string>& names);

}  // namespace zq::cli
