// Artifacts on their way from one data folder to another: linked where the disk is the same, copied
// where it is not.
#pragma once

#include "coordinator/store/sqlite.h"

namespace zq::store {

/// Brings every content that the database names and does not hold itself from one artifacts folder
/// to another, durably. What is missing is left out: verify names it. Gives the number brought.
/// Errors: IO, STORAGE_FULL.
Result<std::uint64_t> take_artifacts(Database& database, const std::string& from,
                                     const std::string& to);

}  // namespace zq::store
