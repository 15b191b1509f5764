// Answers to STATS: what happened, from the store's rollups, and how things stand, from the state.
#pragma once

#include "common/wire/codec.h"
#include "coordinator/core/state.h"
#include "coordinator/store/reader.h"

namespace zq::edge {

/// Errors: IO.
Result<wire::StatsReply> read_stats(const core::State& state, const core::Policy& policy,
                                    store::Reader& reader, const wire::Stats& stats, Instant now);

}  // namespace zq::edge
