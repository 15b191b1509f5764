// What the settings and the committed rows say of one ended task, for retention to ask the core
// about. Decides nothing.
#pragma once

#include <optional>

#include "coordinator/core/policy.h"
#include "coordinator/store/reader.h"

namespace zq::coordinator {

/// How often to look: a few times in the shortest age; every minute where bytes are bounded.
Millis retention_interval(const core::Policy& policy);

/// The age that tasks in this state are asked for; 0: none is set.
Millis age_of(const core::Retention& retention, TaskState state, core::RetentionDue due);

/// How many bytes the ended tasks of a role may hold; 0: any number.
std::uint64_t bound_of(const core::Retention& retention, bool dead);

/// What an ended task still holds. Nothing where that which is due has been removed already.
/// Errors: the reader's.
Result<std::optional<core::EndedTask>> ended_task(store::Reader& reader, const core::Task& task,
                                                  core::RetentionDue due);

/// Leaves out what goes by age in a pass that began then.
void leave_out_aged(core::EndedTask& task, const core::Retention& retention, Instant begun);

}  // namespace zq::coordinator
