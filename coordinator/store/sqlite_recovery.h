// A start: the durable state put back from the projections. Reads open tasks only, never history.
#pragma once

#include "coordinator/store/batch_writer.h"
#include "coordinator/store/journal.h"

namespace zq::store {

/// Restores `state`, which must be new. Errors: IO (also where the projections contradict the
/// journal's end).
Result<Recovery> restore_state(Database& database, core::State& state);

}  // namespace zq::store
