// What statistics are made of: sums of a bucket of time, of one role, type, worker or model. Every
// body of the journal keeps them with each batch, from the batch's own events, in the same
// transaction; so they survive restarts. Pure: no storage here.
//
// Two lengths of buckets: five minutes, kept for three hours, and an hour, kept for eight days. In
// one bucket at most kRollupNames names of a kind are told apart; what comes after is summed up
// under `*`.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "common/base/stats_words.h"
#include "coordinator/core/apply.h"

namespace zq::store {

/// How long a bucket is, and how long it is kept.
struct RollupSpan {
    Millis length;
    Millis kept;
};
inline constexpr std::array<RollupSpan, 2> kRollupSpans = {RollupSpan{minutes(5), hours(3)},
                                                           RollupSpan{hours(1), days(8)}};

/// The name for all beyond the bound of a bucket.
inline constexpr std::string_view kOtherNames = "*";

/// A histogram of durations in whole milliseconds: eight slots for each power of two, so that a
/// slot's upper end is at most an eighth above what is in it.
struct Durations {
    std::map<std::uint32_t, std::uint64_t> slots;  // count by slot

    void add(Millis duration);
    void add(const Durations& other);
    std::uint64_t count() const;
    /// The upper end of the slot in which the share `percent` of all is reached; 0: there are none.
    Millis percentile(std::uint32_t percent) const;
    friend bool operator==(const Durations&, const Durations&) = default;
};

/// Sums over a bucket. Which event counts where is rollup.cc's.
struct Rollup {
    std::uint64_t submitted = 0;
    std::uint64_t completed = 0;  // tasks that ended so, and the next four
    std::uint64_t skipped = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t dead = 0;
    std::uint64_t expired = 0;
    std::uint64_t dlq_left = 0;  // dead and expired tasks that were replayed or removed
    std::uint64_t started = 0;   // attempts
    std::uint64_t retries = 0;   // of those, not the first of their task
    std::uint64_t failed = 0;    // attempts that ended so
    std::uint64_t lost = 0;
    std::uint64_t cost_usd_micros = 0;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    Durations wait;   // from a task's submit, or its due time, to its first start
    Durations run;    // of an attempt that completed, skipped or failed
    Durations total;  // from a task's submit to its end

    void add(const Rollup& other);
    friend bool operator==(const Rollup&, const Rollup&) = default;
};

struct RollupKey {
    Namespace ns;
    StatsBy by = StatsBy::kRole;
    Millis span;
    Instant start;
    std::string name;  // empty: those without one
    friend auto operator<=>(const RollupKey&, const RollupKey&) = default;
};

/// The begin of the bucket that a moment falls into.
Instant bucket_of(Instant at, Millis span);
/// The buckets for a window: the short ones as long as they are kept.
const RollupSpan& span_for(Millis window);

/// The record of a task among those that a batch has changed; null if it is not there.
const core::Task* changed_task(const core::Changes& changes, const TaskKey& key);

/// What some events add.
class RollupSum {
  public:
    /// `task`: the record of the event's task after the batch, or, of one that is removed, before
    /// it; null where it is not known: then the event counts nowhere.
    void add(const core::Event& event, const core::Task* task);
    void add(const RollupSum& other);
    const std::map<RollupKey, Rollup>& sums() const { return sums_; }

  private:
    std::map<RollupKey, Rollup> sums_;
};

}  // namespace zq::store
