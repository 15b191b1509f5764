// The table content_use made anew out of the rows that refer to contents: where older formats had
// none, and where rows were taken back or dropped at once (rewind.h, archive.h). A running journal
// only counts on (use_writer.h).
#pragma once

#include "coordinator/store/sqlite.h"

namespace zq::store {

/// In the caller's transaction. Reads every task, attempt and submit. Errors: IO, and those of
/// records that cannot be decoded.
Result<void> count_references(Database& database);

/// The sum of all references: of each content its digest, as often as it is referred to. One number
/// that a replay leads to as well.
Result<Digest> sum_references(Database& database);

/// Gives the base the sum of what its rows hold: all references but for those that later events
/// made. Nothing where there is no base. In the caller's transaction.
Result<void> set_base_references(Database& database);

}  // namespace zq::store
