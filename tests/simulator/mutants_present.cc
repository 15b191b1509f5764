// Of zq-sim-mutants, which is built with ZQ_MUTANTS.
#include "common/base/mutant.h"
#include "tests/simulator/mutants.h"

#include <array>
#include <utility>

namespace zq {
namespace {

Mutant g_chosen = Mutant::kNone;

}  // namespace

bool mutant(Mutant which) {
    return which == g_chosen;
}

namespace sim {
namespace {

constexpr auto kMutants = std::to_array<std::pair<std::string_view, Mutant>>({
    {"no-fencing", Mutant::kNoFencing},
    {"reply-before-commit", Mutant::kReplyBeforeCommit},
    {"token-reset-at-restart", Mutant::kTokenResetAtRestart},
    {"lost-timer", Mutant::kLostTimer},
    {"double-credit", Mutant::kDoubleCredit},
    {"lease-clock-from-receive-time", Mutant::kLeaseClockFromReceive},
    {"dropped-outbox", Mutant::kDroppedOutbox},
    {"no-freeze", Mutant::kNoFreeze},
    {"attempts-not-counted", Mutant::kAttemptsNotCounted},
    {"loss-counts-as-failure", Mutant::kLossCountsAsFailure},
    {"key-forgotten-at-end", Mutant::kKeyForgottenAtEnd},
    {"request-forgotten", Mutant::kRequestForgotten},
    {"restored-lease-short", Mutant::kRestoredLeaseShort},
    {"stall-not-noted", Mutant::kStallNotNoted},
    {"unsettled-start", Mutant::kUnsettledStart},
    {"unseen-assignment-ended", Mutant::kUnseenAssignmentEnded},
    {"loss-not-taken-back", Mutant::kLossNotTakenBack},
    {"cancel-forgotten", Mutant::kCancelForgotten},
    {"budget-ignored", Mutant::kBudgetIgnored},
    {"dependant-forgotten", Mutant::kDependantForgotten},
    {"unique-key-ignored", Mutant::kUniqueKeyIgnored},
    {"pause-ignored", Mutant::kPauseIgnored},
    {"concurrency-ignored", Mutant::kConcurrencyIgnored},
    {"rate-ignored", Mutant::kRateIgnored},
    {"key-not-held", Mutant::kKeyNotHeld},
    {"needs-ignored", Mutant::kNeedsIgnored},
    {"turns-ignored", Mutant::kTurnsIgnored},
    {"approval-skipped", Mutant::kApprovalSkipped},
});

}  // namespace

std::vector<std::string> mutant_names() {
    std::vector<std::string> names;
    for (const auto& [name, which] : kMutants) names.emplace_back(name);
    return names;
}

bool choose_mutant(const std::string& name) {
    for (const auto& [known, which] : kMutants) {
        if (known != name) continue;
        g_chosen = which;
        return true;
    }
    return false;
}

}  // namespace sim
}  // namespace zq
