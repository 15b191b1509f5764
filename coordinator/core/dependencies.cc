#include "coordinator/core/dependencies.h"

#include <algorithm>

namespace zq::core {

WaitOutcome outcome_of(const After& after, const std::string& upstream) {
    const auto count = [&](char letter) {
        return static_cast<std::uint64_t>(std::count(upstream.begin(), upstream.end(), letter));
    };
    const std::uint64_t waits = count(kUpstreamWaits);
    const std::uint64_t well = count(kUpstreamWell);
    bool met = false;
    bool unmet = false;
    switch (after.mode) {
        case AfterMode::kAllOk:
            met = well == upstream.size();
            unmet = count(kUpstreamWrong) > 0;
            break;
        case AfterMode::kAllDone:
            met = waits == 0;
            break;
        case AfterMode::kAnyOk:
            met = well > 0;
            unmet = !met && waits == 0;
            break;
        case AfterMode::kKOfN:
            met = well >= after.count;
            unmet = well + waits < after.count;
            break;
    }
    if (met) return WaitOutcome::kMet;
    if (!unmet) return WaitOutcome::kWaits;
    if (after.on_unmet != OnUnmet::kRun) return WaitOutcome::kUnmet;
    return waits == 0 ? WaitOutcome::kMet : WaitOutcome::kWaits;
}

bool went_well(TaskState state, std::uint32_t attempts) {
    return state == TaskState::kCompleted || (state == TaskState::kSkipped && attempts > 0);
}

std::size_t place_of(const After& after, const TaskId& id) {
    const auto at = std::lower_bound(after.tasks.begin(), after.tasks.end(), id);
    const bool found = at != after.tasks.end() && *at == id;
    return found ? static_cast<std::size_t>(at - after.tasks.begin()) : after.tasks.size();
}

}  // namespace zq::core
