// Takes a database back to a place of its past: events after it go, and every table says again what
// it said then. For a copy that nobody uses yet (restore.h); a running journal only grows.
#pragma once

#include "coordinator/core/state.h"
#include "coordinator/store/batch_writer.h"
#include "coordinator/store/chain_walk.h"

namespace zq::store {

struct Rewound {
    core::State state;  // after the event `upto`
    Meta meta;
};

/// In a transaction of its own. Errors: INVALID (the rows before `upto` were dropped, or it is not
/// there yet), IO (the first row that is wrong), STORAGE_FULL.
Result<Rewound> rewind(Database& database, BatchWriter& writer, Seq upto);

}  // namespace zq::store
