// The states of a task and the moves between them: the one table that the core obeys, protocol.md
// prints, and every program names alike.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace zq {

enum class TaskState : std::uint8_t {
    kScheduled,      // not before a time
    kBlocked,        // waits for other tasks
    kInputRequired,  // waits for a person
    kQueued,         // ready for a worker
    kRunning,        // under a lease
    kRetryWait,      // a failed attempt's backoff
    kCancelling,     // a cancel was asked of a running task
    kInReview,       // done, waits to be accepted
    kCompleted,
    kSkipped,
    kCancelled,
    kExpired,  // its ttl passed before it started
    kDead,     // dead-letter queue, with a reason
};
inline constexpr std::size_t kTaskStates = 13;

/// Why a task is dead. `kNone` in every other state.
enum class DeadReason : std::uint8_t {
    kNone,
    kAttemptsExhausted,
    kPermanent,
    kPoison,
    kTimedOut,
    kContract,
    kRejected,
    kDependencyFailed,
    kBudget,
};
inline constexpr std::size_t kDeadReasons = 9;

/// Lower snake case, as on the wire: `retry_wait`, `attempts_exhausted` (`kNone` is empty).
std::string_view to_string(TaskState state);
std::string_view to_string(DeadReason reason);
/// The other way round; false (and `out` untouched) for an unknown word.
bool from_text(std::string_view text, TaskState& out);
bool from_text(std::string_view text, DeadReason& out);

/// True for the states a task never leaves by itself.
constexpr bool is_final(TaskState state) {
    return state >= TaskState::kCompleted;
}
/// True for what the dead-letter queue lists.
constexpr bool is_dead(TaskState state) {
    return state == TaskState::kDead || state == TaskState::kExpired;
}

namespace moves {

using S = TaskState;
struct Move {
    S from;
    S to;
};

/// Every legal move of this version. A task enters at `scheduled`, `blocked` or `queued`.
inline constexpr auto kLegal = std::to_array<Move>({
    {S::kScheduled, S::kQueued},         // its time has come
    {S::kScheduled, S::kCancelled},      // cancel
    {S::kScheduled, S::kExpired},        // ttl
    {S::kBlocked, S::kQueued},           // what it waited for has ended as it should
    {S::kBlocked, S::kScheduled},        // likewise, and its time has not come
    {S::kBlocked, S::kSkipped},          // what it waited for did not go well
    {S::kBlocked, S::kDead},             // likewise, where that was asked for
    {S::kBlocked, S::kCancelled},        // cancel
    {S::kBlocked, S::kExpired},          // its deadline passed
    {S::kQueued, S::kRunning},           // assigned to a worker, or claimed by hand
    {S::kQueued, S::kCancelled},         // cancel
    {S::kQueued, S::kExpired},           // ttl
    {S::kRunning, S::kQueued},           // released, undelivered, or the lease was lost
    {S::kRunning, S::kRetryWait},        // failed or deferred: waits before the next attempt
    {S::kRunning, S::kInputRequired},    // parked: a person is asked
    {S::kRunning, S::kCompleted},        // completed
    {S::kRunning, S::kInReview},         // completed, and its result is to be approved
    {S::kRunning, S::kSkipped},          // skipped
    {S::kRunning, S::kDead},             // failed for good, or lost too often
    {S::kRunning, S::kCancelling},       // cancel of a running task
    {S::kInputRequired, S::kQueued},     // answered, or the time for it is over
    {S::kInputRequired, S::kCancelled},  // cancel
    {S::kInputRequired, S::kExpired},    // ttl, or its deadline, before it was approved
    {S::kInputRequired, S::kRunning},    // held after a loss, and its worker is back
    {S::kInputRequired, S::kDead},       // a person stops it, or its deadline passed
    {S::kQueued,
     S::kInputRequired},     // a person is asked: its budget is used up, or it needs approval
    {S::kQueued, S::kDead},  // its budget is used up, or its deadline passed
    {S::kRetryWait, S::kInputRequired},  // likewise
    {S::kRetryWait, S::kDead},           // likewise
    {S::kRetryWait, S::kQueued},         // the backoff is over
    {S::kRetryWait, S::kCancelled},      // cancel
    {S::kCancelling, S::kCancelled},     // the worker reported, or its lease ended
    {S::kInReview, S::kCompleted},       // its result was approved
    {S::kInReview, S::kDead},            // or rejected
    {S::kInReview, S::kCancelled},       // cancel
});

constexpr bool is_legal(S from, S to) {
    for (const Move& move : kLegal) {
        if (move.from == from && move.to == to) return true;
    }
    return false;
}

constexpr bool final_states_are_final() {
    for (const Move& move : kLegal) {
        if (is_final(move.from)) return false;
    }
    return true;
}
static_assert(final_states_are_final());
static_assert(!is_legal(S::kCancelling, S::kCompleted), "cancelling ends only in cancelled");

}  // namespace moves
}  // namespace zq
