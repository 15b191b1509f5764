// What retention took from a task whose record stays: how it is shown, and what is said where
// somebody asks for it.
#pragma once

#include "cli/exit_code.h"
#include "common/platform/json.h"
#include "common/wire/task_queries.h"

namespace zq::cli {

/// The row that speaks of this artifact of an attempt (0: of an input, which stays); null: it is
/// there.
const wire::RemovedRow* removal_of(const wire::TaskReply& task, std::uint32_t attempt,
                                   const std::string& name);
/// The same of all checkpoints.
const wire::RemovedRow* checkpoint_removal(const wire::TaskReply& task,
                                           const CheckpointRef& checkpoint);

/// `removed`, the time, and the rule where it is known; `time` is the time as it is shown.
std::string removed_text(const wire::RemovedRow& row, const std::string& time);
/// Records of artifacts and checkpoints, with removed_at and removed_rule where they were removed.
Json marked_record(const wire::TaskReply& task, std::uint32_t attempt, const ArtifactRef& artifact);
Json marked_record(const wire::TaskReply& task, const CheckpointRef& checkpoint);
/// All rows of the task.
Json removed_records(const wire::TaskReply& task);

/// Errors: NOT_FOUND, with the time and the rule, where `row` is not null.
Expected<void> refuse_removed(const wire::TaskReply& task, const std::string& name,
                              const wire::RemovedRow* row);

}  // namespace zq::cli
