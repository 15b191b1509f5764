// The trusted clock against wall clocks that step, drift and jump over restarts.
#include "coordinator/clock.h"

#include <gtest/gtest.h>

namespace zq::coordinator {
namespace {

constexpr Instant kNoon{1'800'000'000'000};

/// A machine whose boot clock and wall clock are moved by hand.
struct Machine {
    Millis boot = seconds(500);
    Instant wall = kNoon;

    ClockReading read() const { return {boot, wall}; }
    ClockReading after(Millis elapsed) {
        boot = boot + elapsed;
        wall = wall + elapsed;
        return read();
    }
};

TEST(TrustedClock, FollowsAWallClockThatIsRight) {
    Machine machine;
    TrustedClock clock(machine.read(), {});
    EXPECT_EQ(clock.advance(machine.after(hours(5))), kNoon + hours(5));
    EXPECT_TRUE(clock.believes_wall());
}

TEST(TrustedClock, NeverGoesBackOverARestart) {
    Machine machine;
    TrustedClock clock(machine.read(), kNoon + seconds(30));
    EXPECT_EQ(clock.now(), kNoon + seconds(30));
    EXPECT_TRUE(clock.believes_wall());
    // The wall clock is behind: now slows down by a tenth until they meet.
    EXPECT_EQ(clock.advance(machine.after(seconds(100))), kNoon + seconds(120));
    EXPECT_EQ(clock.advance(machine.after(seconds(1000))), kNoon + seconds(1100));
}

TEST(TrustedClock, SlewsByATenthInSmallStepsToo) {
    Machine machine;
    TrustedClock clock(machine.read(), {});
    machine.wall = machine.wall + seconds(5);
    for (int i = 0; i < 10'000; ++i) clock.advance(machine.after(millis(1)));
    EXPECT_EQ(clock.now(), kNoon + seconds(11));
    for (int i = 0; i < 100'000; ++i) clock.advance(machine.after(millis(1)));
    EXPECT_EQ(clock.now(), kNoon + seconds(115));
    EXPECT_EQ(clock.wall_ahead(), Millis{});
}

TEST(TrustedClock, AnOldAgreementGivesNoCreditForALaterJump) {
    Machine machine;
    TrustedClock clock(machine.read(), {});
    for (int i = 0; i < 1000; ++i) clock.advance(machine.after(seconds(1)));
    machine.wall = machine.wall + seconds(40);
    EXPECT_EQ(clock.advance(machine.after(seconds(1))), kNoon + millis(1'001'100));
}

TEST(TrustedClock, DoesNotBelieveAWallClockThatJumpsByMoreThanAMinute) {
    Machine machine;
    TrustedClock clock(machine.read(), {});
    machine.wall = machine.wall + days(400);
    EXPECT_EQ(clock.advance(machine.after(seconds(10))), kNoon + seconds(10));
    EXPECT_FALSE(clock.believes_wall());
    machine.wall = machine.wall - days(800);
    EXPECT_EQ(clock.advance(machine.after(seconds(10))), kNoon + seconds(20));
    EXPECT_FALSE(clock.believes_wall());
    machine.wall = machine.wall + days(400);
    EXPECT_EQ(clock.advance(machine.after(seconds(10))), kNoon + seconds(30));
    EXPECT_TRUE(clock.believes_wall());
}

TEST(TrustedClock, StartsAtTheJournalIfTheWallIsMonthsAhead) {
    Machine machine;
    TrustedClock far(machine.read(), kNoon - days(31));
    EXPECT_EQ(far.now(), kNoon - days(31));
    EXPECT_FALSE(far.believes_wall());
    TrustedClock near(machine.read(), kNoon - days(29));
    EXPECT_EQ(near.now(), kNoon);
    EXPECT_TRUE(near.believes_wall());
}

}  // namespace
}  // namespace zq::coordinator
