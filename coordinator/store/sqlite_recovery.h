// A start: the durable state put back from the projections. Reads open tasks only, never history.
#pragma once

#include "coordinator/store/batch_writer.h"
#include "coordinator/store/journal.h"

namespace zq::store {

/// Restores `state`, which must be new. Errors: IO (also where the projections contradict the
/// journal's end).
Result<Recovery> restore_state(Database& database, core::State& state);

/// The durable part as restore_state would restore it, by its hash: without its tasks in memory
/// (about 100 bytes for each open one). Takes seconds for a million of them. Errors: IO.
struct ProjectedState {
    Seq last_seq = 0;
    Instant last_at;
    Digest chain_head;
    Digest hash;
};
Result<ProjectedState> hash_projected(Database& database);

}  // namespace zq::store
