// Whether a person must agree to a task's work: before it runs, or before its result counts. And
// what is meant by work that cannot be undone. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/time.h"

namespace zq {

enum class ApprovalTime : std::uint8_t {
    kUnset,   // as the coordinator's rules say; without any, none
    kNone,    // none, where no rule of the coordinator asks for one
    kBefore,  // it starts when it is approved
    kAfter,   // its result counts when it is approved
};
/// Empty, `none`, `before`, `after`.
std::string_view to_string(ApprovalTime time);
bool from_text(std::string_view text, ApprovalTime& out);

struct Approval {
    ApprovalTime time = ApprovalTime::kUnset;
    bool by_other = false;  // by another identity than the submitter's
    Millis timeout{};       // then it counts as rejected; 0: it waits

    bool is_asked() const { return time == ApprovalTime::kBefore || time == ApprovalTime::kAfter; }
    friend bool operator==(const Approval&, const Approval&) = default;
};
/// The timeout's bounds; the error's field begins with `field`.
Result<void> validate(const Approval& approval, const std::string& field);

/// What a coordinator's configuration says of a role's tasks, or of those of a type.
struct ApprovalRule {
    Approval approval;
    bool irreversible = false;
    friend bool operator==(const ApprovalRule&, const ApprovalRule&) = default;
};

/// The label by which a task says that its effects cannot be undone.
inline constexpr std::string_view kSideEffects = "side_effects";
inline constexpr std::string_view kIrreversible = "irreversible";
bool is_irreversible(const std::map<std::string, std::string>& labels);

/// The choices of a question about an approval.
inline constexpr std::string_view kApproveChoice = "approve";
inline constexpr std::string_view kRejectChoice = "reject";

}  // namespace zq
