// Where a task's result comes from: who submitted, approved and did what, with which inputs and
// outputs, and where the journal has it.
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"
#include "common/wire/codec.h"

namespace zq::cli {

/// `events`: all of the task.
Json provenance_record(const wire::TaskReply& task, const std::vector<wire::EventRow>& events);
/// The same for people.
std::string provenance_text(const wire::TaskReply& task, const std::vector<wire::EventRow>& events,
                            const OutputOptions& options);

}  // namespace zq::cli
