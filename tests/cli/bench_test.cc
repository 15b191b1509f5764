#include <gtest/gtest.h>

#include "cli/bench/crew.h"
#include "cli/bench/figures.h"
#include "cli/bench/latencies.h"
#include "cli/bench/queue.h"

namespace zq::cli {
namespace {

TEST(Latencies, TellEveryQuantileToAHundredth) {
    Latencies latencies;
    for (std::int64_t us = 1; us <= 100'000; ++us) latencies.add(us * 1000);
    EXPECT_EQ(latencies.count(), 100'000U);
    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const double exact = share * 100'000;
        EXPECT_NEAR(latencies.quantile(share), exact, exact / 100) << share;
    }
}

TEST(Latencies, HaveNoQuantileWhereThereIsNothing) {
    EXPECT_EQ(Latencies().quantile(0.99), 0);
}

TEST(Latencies, TakeTheShortestAndTheLongest) {
    Latencies latencies;
    latencies.add(-5);  // a clock that two processes read
    latencies.add(0);
    latencies.add(INT64_MAX);
    EXPECT_EQ(latencies.quantile(0), 0);
    EXPECT_NEAR(latencies.quantile(1), INT64_MAX / 1000.0, INT64_MAX / 100'000.0);
}

TEST(Latencies, ComeToAnotherProcessAsTheyWere) {
    Latencies latencies;
    for (std::int64_t i = 0; i < 1000; ++i) latencies.add(i * i * 977);
    const Latencies back = Latencies::from_text(latencies.to_text());
    EXPECT_EQ(back.count(), latencies.count());
    for (const double share : {0.1, 0.5, 0.99}) {
        EXPECT_EQ(back.quantile(share), latencies.quantile(share));
    }
    Latencies both = back;
    both.merge(latencies);
    EXPECT_EQ(both.count(), 2 * latencies.count());
    EXPECT_EQ(both.quantile(0.5), latencies.quantile(0.5));
    EXPECT_EQ(Latencies::from_text("no figures").count(), 0U);
}

TEST(Median, IsTheMiddleOne) {
    EXPECT_EQ(median({}), 0);
    EXPECT_EQ(median({3}), 3);
    EXPECT_EQ(median({9, 1, 5}), 5);
    EXPECT_EQ(median({4, 1, 2, 9}), 3);
}

TEST(Crew, BringsBackWhatEachProcessReports) {
    Crew crew;
    for (int i = 0; i < 3; ++i) {
        crew.start([i](int) { return std::string(100'000, static_cast<char>('a' + i)); });
    }
    const auto reports = crew.reports();
    ASSERT_TRUE(reports);
    ASSERT_EQ(reports->size(), 3U);
    EXPECT_EQ(reports->at(2), std::string(100'000, 'c'));
}

TEST(Crew, TellsItsProcessesToEnd) {
    Crew crew;
    crew.start([](int stop_fd) {
        std::vector<PollItem> items{{nullptr, stop_fd, false}};
        return poll(items, seconds(60)) > 0 ? "told" : "forgotten";
    });
    crew.stop();
    const auto reports = crew.reports();
    ASSERT_TRUE(reports);
    EXPECT_EQ(reports->front(), "told");
}

TEST(Crew, SaysSoWhenOneFails) {
    Crew crew;
    crew.start([](int) -> std::string { fatal("on purpose"); });
    EXPECT_FALSE(crew.reports());
}

}  // namespace
}  // namespace zq::cli
