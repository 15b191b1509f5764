// One request for each of many tasks, one after the other: what `retry` and the verbs of `dlq` that
// change something, and `cancel` of several, have in common.
#pragma once

#include <functional>

#include "cli/task_list.h"

namespace zq::cli {

/// What is done to each task.
struct Deed {
    std::string_view verb;   // `replay`
    std::string_view done;   // `replayed`, for the count
    std::string_view state;  // that is printed of each
    std::function<wire::Body(const TaskId&)> request;
};

/// Does it to each; with --rate so many in their time. What somebody else has done meanwhile is
/// passed over with a note, and counts in the exit code. An interrupt says how far it went.
Ending do_to_all(const Context& context, const std::vector<wire::TaskRow>& rows, const Deed& deed);

/// With --dry-run: what would be done.
Ending show_selected(const Context& context, const std::vector<wire::TaskRow>& rows,
                     const Deed& deed);

/// The rows that operands or flags mean, the oldest first. Errors: usage where both or none are
/// there.
Expected<std::vector<wire::TaskRow>> meant_tasks(const Context& context);

inline constexpr Flag kRate{"rate", "N/s|N/m", "At most so many a second, or a minute"};

}  // namespace zq::cli
