// The words of leases and reports: what a coordinator says of a lease, and how an attempt ends.
#pragma once

#include <cstdint>
#include <string_view>

namespace zq {

/// What the coordinator says of a lease that its holder lists.
enum class Verdict : std::uint8_t {
    kOk,      // renewed: run on (thaw if frozen)
    kCancel,  // renewed; a cancel was asked: end the child with grace and report
    kBudget,  // renewed; its task's budget is used up: the same
    kStale,   // not yours any more: kill at once, report nothing
};
std::string_view to_string(Verdict verdict);
bool from_text(std::string_view text, Verdict& out);

/// What kind of failure it was.
enum class FailureClass : std::uint8_t {
    kError,            // the command failed
    kPermanent,        // it would fail again: no retry
    kContract,         // it ended well without what was expected
    kCrashed,          // a signal nobody of ours sent
    kTimedOut,         // the run timeout
    kTransient,        // it may well go next time
    kRateLimited,      // a service wants it to come later: uses no attempt
    kContextOverflow,  // more than the model takes
    kRefusal,          // the model would not do it
};
std::string_view to_string(FailureClass failure);
bool from_text(std::string_view text, FailureClass& out);

/// Why a task is given back without using an attempt.
enum class ReleaseCause : std::uint8_t {
    kReleased,       // the holder does not want it
    kTryLater,       // the command said so (exit 75); at most kDeferrals times
    kWorkerFault,    // the command could not be started
    kDrained,        // the worker is ending
    kCancelled,      // a cancel was carried out: ends a `cancelling` task
    kInputRequired,  // a person is asked: the task waits for the answer
    kBudget,         // the coordinator said that its budget is used up
};
std::string_view to_string(ReleaseCause cause);
bool from_text(std::string_view text, ReleaseCause& out);

/// How an attempt ended, or that it has not.
enum class Outcome : std::uint8_t {
    kRunning,
    kCompleted,
    kSkipped,
    kFailed,
    kReleased,     // given back by its holder
    kLost,         // the lease ended without a word from its holder
    kUndelivered,  // the holder never confirmed that it has the task
    kCancelled,    // ended by a cancel
};
std::string_view to_string(Outcome outcome);
bool from_text(std::string_view text, Outcome& out);

/// Where a command printed it.
enum class LogStream : std::uint8_t { kStdout, kStderr };
std::string_view to_string(LogStream stream);
bool from_text(std::string_view text, LogStream& out);
/// What retention takes from an ended task and leaves its record.
enum class RemovedKind : std::uint8_t {
    kLogs,       // stdout.log and stderr.log
    kArtifacts,  // everything else, and checkpoints
};
std::string_view to_string(RemovedKind kind);
bool from_text(std::string_view text, RemovedKind& out);
/// Why it was removed.
enum class RetentionRule : std::uint8_t {
    kAge,     // it was past its age
    kBytes,   // its role held more than it may, and this was the oldest
    kByHand,  // somebody asked for it
};
std::string_view to_string(RetentionRule rule);
bool from_text(std::string_view text, RetentionRule& out);
/// What an artifact of this name counts as.
RemovedKind removed_kind_of(std::string_view artifact);

}  // namespace zq
