// From a BATCH to the core's command, with the facts about each of its tasks.
#pragma once

#include "common/wire/batch_messages.h"
#include "coordinator/core/command.h"
#include "coordinator/edge/in.h"

namespace zq::edge {

/// The tasks are moved from; the contents stay. A task that is not valid is an entry that says so.
/// Errors: as to_command.
Result<core::SubmitBatch> to_batch(wire::Batch& batch, const Origin& origin, FactFinder& finder);

}  // namespace zq::edge
