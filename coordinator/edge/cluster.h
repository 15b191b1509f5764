// Answers about the coordinator itself: connected workers, leases, open questions, roles. From
// memory, so they are held until everything they may show is committed. Each is bounded to what
// fits one message, and shows of tasks what the asker may read.
#pragma once

#include "common/wire/codec.h"
#include "coordinator/core/state.h"
#include "coordinator/edge/access.h"
#include "coordinator/store/reader.h"

namespace zq::edge {

wire::WorkerRows list_workers(const core::State& state);
wire::LeaseRows list_leases(const core::State& state, const Peer& asker,
                            const wire::Leases& leases);
/// Open questions, the longest waiting first.
wire::QuestionRows list_questions(const core::State& state, const Peer& asker,
                                  const wire::Questions& questions);

/// How long the oldest queued task of a role has waited, as far as its queue is searched.
Millis oldest_wait(const core::State& state, const core::Policy& policy,
                   const core::RoleIndex& role, Instant now);

/// One row for every role that has tasks, open or ended, or that a worker has ever served.
/// Errors: IO.
Result<std::vector<wire::RoleRow>> list_roles(const core::State& state, const core::Policy& policy,
                                              store::Reader& reader, Instant now);

}  // namespace zq::edge
