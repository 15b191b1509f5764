// An envelope as the changes of a REPLAY or an EDIT make it.
#pragma once

#include <string>
#include <vector>

#include "common/wire/dead_letter_messages.h"

namespace zq::edge {

/// Errors: INVALID, TOO_LARGE; the field is rooted at `changes.`.
Result<TaskSpec> revised_spec(const TaskSpec& spec, const wire::Changes& changes);

/// The fields by which they differ, as `changes` names them.
std::vector<std::string> changed_fields(const TaskSpec& before, const TaskSpec& after);

}  // namespace zq::edge
