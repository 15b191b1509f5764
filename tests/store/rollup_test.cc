// What statistics count, and how exact they are.
#include <gtest/gtest.h>

#include "coordinator/store/rollup_codec.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

/// What a batch adds, by name, in buckets of five minutes.
std::map<std::string, Rollup> summed(Story& story, StatsBy by) {
    const Batch batch = story.take_batch();
    RollupSum sum;
    for (const core::Event& event : batch.events) {
        sum.add(event, changed_task(batch.changes, event.task));
    }
    std::map<std::string, Rollup> found;
    for (const auto& [key, rollup] : sum.sums()) {
        if (key.by == by && key.span == kRollupSpans[0].length) found[key.name].add(rollup);
    }
    return found;
}

TEST(Rollup, APercentileIsAtMostAnEighthAboveTheTrueOne) {
    for (std::int64_t ms : {0L, 1L, 7L, 8L, 15L, 16L, 100L, 1'000L, 61'000L, 86'400'000L}) {
        Durations one;
        one.add(Millis{ms});
        EXPECT_GE(one.percentile(50).count, ms);
        EXPECT_LE(one.percentile(50).count, ms + ms / 8);
        EXPECT_EQ(one.percentile(50), one.percentile(99));
    }
    Durations many;
    for (std::int64_t ms = 1; ms <= 1000; ++ms) many.add(Millis{ms});
    EXPECT_EQ(many.count(), 1000U);
    for (std::uint32_t percent : {50U, 90U, 99U}) {
        EXPECT_GE(many.percentile(percent).count, percent * 10);
        EXPECT_LE(many.percentile(percent).count, percent * 10 * 9 / 8);
    }
    EXPECT_EQ(Durations{}.percentile(50), Millis{});
    Durations odd;
    odd.add(Millis{-5});
    odd.add(Millis{INT64_MAX});
    EXPECT_EQ(odd.count(), 2U);
    EXPECT_GE(odd.percentile(99), days(365));
}

TEST(Rollup, CountsATaskFromItsSubmitToItsEnd) {
    Story story;
    story.start(7);
    story.submit("t");
    story.pass(seconds(10));
    story.assign("t");
    story.pass(minutes(1));
    story.end("t", Outcome::kFailed, TaskState::kQueued);
    story.assign("t", "host-review-2");
    story.pass(minutes(1));
    story.complete("t");
    const auto roles = summed(story, StatsBy::kRole);
    ASSERT_EQ(roles.size(), 1U);
    const Rollup& review = roles.at("review");
    EXPECT_EQ(review.submitted, 1U);
    EXPECT_EQ(review.started, 2U);
    EXPECT_EQ(review.retries, 1U);
    EXPECT_EQ(review.failed, 1U);
    EXPECT_EQ(review.completed, 1U);
    EXPECT_EQ(review.wait.count(), 1U) << "of its first start alone";
    EXPECT_GE(review.wait.percentile(50), seconds(10));
    EXPECT_EQ(review.run.count(), 2U);
    EXPECT_EQ(review.total.count(), 1U);
    EXPECT_GE(review.total.percentile(50), seconds(130));
}

TEST(Rollup, CountsEachWorkerAndModelByItself) {
    Story story;
    story.start(7);
    for (const char* id : {"a", "b"}) {
        story.submit(id);
        story.assign(id, std::string("host-") + id);
        story.complete(id);
    }
    const auto workers = summed(story, StatsBy::kWorker);
    EXPECT_EQ(workers.size(), 2U);
    EXPECT_EQ(workers.at("host-a").completed, 1U);
    EXPECT_EQ(workers.at("host-a").submitted, 0U) << "nobody has it then";
}

TEST(Rollup, CountsWhatEntersAndLeavesTheDeadLetterQueue) {
    Story story;
    story.start(7);
    for (const char* id : {"dead", "again"}) {
        story.submit(id);
        story.assign(id);
        story.end(id, Outcome::kFailed, TaskState::kDead);
    }
    story.submit("late");
    story.expire("late");
    story.submit("unwanted");
    story.cancel("unwanted");
    story.submit("lost");
    story.assign("lost");
    story.lose("lost");
    story.replay("again");
    const Rollup review = summed(story, StatsBy::kRole).at("review");
    EXPECT_EQ(review.dead, 2U);
    EXPECT_EQ(review.expired, 1U);
    EXPECT_EQ(review.dlq_left, 1U);
    EXPECT_EQ(review.cancelled, 1U);
    EXPECT_EQ(review.lost, 1U);
    EXPECT_EQ(review.run.count(), 2U) << "a lost attempt says nothing of how long work takes";
}

TEST(Rollup, AWindowHasTheShortBucketsAsLongAsTheyAreKept) {
    EXPECT_EQ(span_for(minutes(5)).length, minutes(5));
    EXPECT_EQ(span_for(hours(1)).length, minutes(5));
    EXPECT_EQ(span_for(kRollupSpans[0].kept).length, hours(1));
    EXPECT_EQ(span_for(days(7)).length, hours(1));
    EXPECT_LE(limits::kStatsWindowMax + hours(1), kRollupSpans[1].kept);
    EXPECT_EQ(bucket_of(Instant{1'000'007}, millis(10)), Instant{1'000'000});
}

TEST(Rollup, IsReadBackAsItWasWritten) {
    Rollup rollup;
    EXPECT_EQ(decode_rollup(encode_rollup(rollup)).value(), rollup);
    rollup.submitted = 3;
    rollup.dlq_left = 1;
    rollup.cost_usd_micros = 90'000;
    rollup.wait.add(seconds(3));
    rollup.total.add(hours(3));
    EXPECT_EQ(decode_rollup(encode_rollup(rollup)).value(), rollup);
    EXPECT_FALSE(decode_rollup("nonsense").has_value());
}

}  // namespace
}  // namespace zq::store
