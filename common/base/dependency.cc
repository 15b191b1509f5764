#include "common/base/dependency.h"

#include <algorithm>

#include "common/base/limits.h"
#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kModes = std::to_array<std::string_view>({"all_ok", "all_done", "any_ok", "k_of_n"});
constexpr auto kOnUnmet = std::to_array<std::string_view>({"skip", "run", "dead"});

Result<void> validate_tasks(const After& after, const TaskId& id, const std::string& field) {
    if (after.tasks.size() > limits::kAfter) {
        return fail(ErrorCode::TOO_LARGE, "at most " + std::to_string(limits::kAfter) + " tasks",
                    field);
    }
    for (const TaskId& task : after.tasks) {
        if (auto name = parse_name(task.text, field); !name) return Failure(name.error());
        if (task == id) {
            return fail(ErrorCode::INVALID, "a task can't wait for itself: that is a cycle", field);
        }
    }
    std::vector<TaskId> sorted = after.tasks;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice == sorted.end()) return {};
    return fail(ErrorCode::INVALID, twice->text + " stands twice", field);
}

}  // namespace

std::string_view to_string(AfterMode mode) {
    return word_of(kModes, mode);
}
bool from_text(std::string_view text, AfterMode& out) {
    return value_of(kModes, text, out);
}
std::string_view to_string(OnUnmet on) {
    return word_of(kOnUnmet, on);
}
bool from_text(std::string_view text, OnUnmet& out) {
    return value_of(kOnUnmet, text, out);
}

Result<void> validate(const After& after, const TaskId& id, const std::string& field) {
    if (after.tasks.empty()) {
        if (after == After{}) return {};
        return fail(ErrorCode::INVALID, "goes with the tasks that it waits for", field);
    }
    if (auto ok = validate_tasks(after, id, field + ".tasks"); !ok) return ok;
    const bool counts = after.mode == AfterMode::kKOfN;
    const std::uint32_t most = counts ? static_cast<std::uint32_t>(after.tasks.size()) : 0;
    if (after.count > most || (counts && after.count == 0)) {
        return fail(ErrorCode::INVALID,
                    counts ? "1 to the number of tasks that it waits for" : "goes with k_of_n",
                    field + ".count");
    }
    return {};
}

}  // namespace zq
