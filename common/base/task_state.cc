#include "common/base/task_state.h"

#include "common/base/words.h"

namespace zq {
namespace {

constexpr std::array<std::string_view, kTaskStates> kStateNames = {
    "scheduled", "blocked",   "input_required", "queued",    "running", "retry_wait", "cancelling",
    "in_review", "completed", "skipped",        "cancelled", "expired", "dead"};

constexpr std::array<std::string_view, kDeadReasons> kReasonNames = {
    "",         "attempts_exhausted", "permanent",         "poison", "timed_out",
    "contract", "rejected",           "dependency_failed", "budget"};

}  // namespace

std::string_view to_string(TaskState state) {
    return word_of(kStateNames, state);
}

std::string_view to_string(DeadReason reason) {
    return word_of(kReasonNames, reason);
}

bool from_text(std::string_view text, TaskState& out) {
    return value_of(kStateNames, text, out);
}
bool from_text(std::string_view text, DeadReason& out) {
    return value_of(kReasonNames, text, out);
}

}  // namespace zq
