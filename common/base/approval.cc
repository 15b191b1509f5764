#include "common/base/approval.h"

#include "common/base/limits.h"
#include "common/base/task_spec.h"
#include "common/base/words.h"

namespace zq {
namespace {

constexpr auto kTimes = std::to_array<std::string_view>({"", "none", "before", "after"});

}  // namespace

std::string_view to_string(ApprovalTime time) {
    return word_of(kTimes, time);
}

bool from_text(std::string_view text, ApprovalTime& out) {
    return value_of(kTimes, text, out);
}

Result<void> validate(const Approval& approval, const std::string& field) {
    if (approval.timeout.count < 0 || approval.timeout > limits::kLongest) {
        return fail(ErrorCode::INVALID, "a duration is 0 to " + to_string(limits::kLongest),
                    field + ".timeout_ms");
    }
    const bool says_more = approval.by_other || approval.timeout.count > 0;
    if (says_more && approval.time == ApprovalTime::kNone) {
        return fail(ErrorCode::INVALID, "nothing is said of an approval that is not asked for",
                    field);
    }
    return {};
}

bool is_irreversible(const std::map<std::string, std::string>& labels) {
    const auto at = labels.find(std::string(kSideEffects));
    return at != labels.end() && at->second == kIrreversible;
}

}  // namespace zq
