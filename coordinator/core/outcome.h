// What becomes of a task when an attempt ends: the rules of retry, backoff, loss and result
// contract. Pure functions over the task's record.
#pragma once

#include <string>
#include <vector>

#include "coordinator/core/event.h"
#include "coordinator/core/policy.h"

namespace zq::core {

/// Order among ready tasks: ready time less priority × age step, lower first.
std::int64_t rank_of(const Task& task, Instant ready_at, const Policy& policy);

/// The wait after the n-th failure (n from 1), with jitter from the seed: half of it to all of it.
Millis backoff_after(const Backoff& backoff, std::uint32_t failures, std::uint64_t seed);

/// How an attempt failed.
struct Failed {
    FailureClass failure = FailureClass::kError;
    std::optional<std::int64_t> exit_code;
    Millis retry_after{};  // as its holder said; 0: it said nothing of that
};
/// After a failed attempt, by the first of the task's rules that fits, else by what is usual for
/// its class: retry_wait, queued, dead, or input_required where a person is asked.
Next after_failure(const Task& task, const Failed& failed, Instant now, std::uint64_t seed,
                   const Policy& policy);
/// After a release: queued at its old place, or retry_wait for `delay`. "Try later" is a failure
/// once it was said limits::kDeferrals times.
Next after_release(const Task& task, ReleaseCause cause, Millis delay, Instant now,
                   std::uint64_t seed, const Policy& policy);
/// True for a task that could start but for the approval it needs and has not got.
bool lacks_approval(const Task& task);
/// What is asked about a task that could start, or about its result; `digest`: of what is approved.
Question approval_question(const Task& task, std::uint32_t attempt, const Digest& digest,
                           Instant now);
/// What is asked about a task that is held: `how` says what became of its attempt.
Question hold_question(const Lease& lease, const std::string& how, Instant now);
/// After a lease ended by silence: queued at its old place (input_required where the task is held
/// after a loss), or dead (poison) after max_lost of them. Undelivered and released ones charge
/// nothing.
Next after_silence(const Task& task, Outcome outcome);
/// A final state that an attempt's report ends in.
Next ended_as(const Task& task, TaskState state);

/// Which expected artifacts a completion lacks, and what is wrong with its format; empty: nothing.
std::string contract_violation(const Task& task, const std::vector<ArtifactRef>& artifacts,
                               const std::string& summary);

}  // namespace zq::core
