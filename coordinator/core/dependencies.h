// What a blocked task waits for, as its own record tells: which of the others have ended, how, and
// what follows.
#pragma once

#include <string>

#include "coordinator/core/task.h"

namespace zq::core {

/// What has become of one that is waited for, as a letter of Task::upstream.
inline constexpr char kUpstreamWaits = 'w';
inline constexpr char kUpstreamWell = 'o';
inline constexpr char kUpstreamWrong = 'f';

/// What the wait of a task has come to.
enum class WaitOutcome : std::uint8_t { kWaits, kMet, kUnmet };
/// By the mode of its wait, and by `upstream`: a letter for each of `after.tasks`. A task that is
/// to run in any case is kMet when all have ended.
WaitOutcome outcome_of(const After& after, const std::string& upstream);

/// Ended as `state` after so many attempts: whether that is what others wait for. One that was
/// skipped without an attempt waited in vain itself.
bool went_well(TaskState state, std::uint32_t attempts);

/// The place of `id` among after.tasks, which are in order; its size if it is none of them.
std::size_t place_of(const After& after, const TaskId& id);

}  // namespace zq::core
