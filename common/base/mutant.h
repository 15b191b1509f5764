// Known bugs that the simulator must catch, to show that it looks (tests/simulator). A program that
// ships has none of them: there `mutant` is false at compile time and leaves no trace. They are
// built with ZQ_MUTANTS, in a second compilation of the few files that ask.
#pragma once

#include <cstdint>

namespace zq {

enum class Mutant : std::uint8_t {
    kNone,
    kNoFencing,              // a report under any token ends the current attempt
    kReplyBeforeCommit,      // answers leave before the disk has what they say
    kTokenResetAtRestart,    // a restart's tokens start from 1 again
    kLostTimer,              // the end of a backoff is not waited for
    kDoubleCredit,           // a slot that was used still counts as free
    kLeaseClockFromReceive,  // a worker's lease runs from when the answer came
    kDroppedOutbox,          // a restarted worker forgets what it had to report
    kNoFreeze,               // an unrenewed lease does not freeze its child
    kAttemptsNotCounted,     // failures are not counted
    kLossCountsAsFailure,    // a lost lease uses up an attempt
    kKeyForgottenAtEnd,      // an ended task's idempotency key may be used again
    kRequestForgotten,       // a repeated claim is a new one
    kRestoredLeaseShort,     // after a restart leases get no new term
    kStallNotNoted,          // what the coordinator slept counts against the leases
    kUnsettledStart,         // a start does not make what it found durable
    kUnseenAssignmentEnded,  // an assignment on its way is taken for dropped
    kLossNotTakenBack,       // a resumed lease stays counted as lost
    kCancelForgotten,        // a cancelling task whose lease ends is queued again
    kBudgetIgnored,          // a task goes on with its budget used up
    kDependantForgotten,     // who waits for a task never hears of its end
    kUniqueKeyIgnored,       // a unique key is not looked for
    kPauseIgnored,           // what is paused starts
    kConcurrencyIgnored,     // more runs at a time than may
    kRateIgnored,            // more starts than may in its time
    kKeyNotHeld,             // a rate limited task does not hold its limit key
    kNeedsIgnored,           // a task goes to a worker without the labels it needs
    kTurnsIgnored,           // tasks leave by rank alone, whoever submitted them
    kApprovalSkipped,        // nobody is asked for an approval
};

#ifdef ZQ_MUTANTS
/// True if this one is switched on. In the simulator's mutant program only.
bool mutant(Mutant which);
#else
constexpr bool mutant(Mutant) {
    return false;
}
#endif

}  // namespace zq
