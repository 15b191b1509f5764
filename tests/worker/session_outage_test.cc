// Outages: a coordinator that is away, restarts, or gave the task to somebody else meanwhile.
#include "tests/worker/session_rig.h"

namespace zq::worker {
namespace {

/// Heartbeats for `time`, each answered with the same verdict for every lease.
void live(SessionRig& rig, Millis time) {
    const Millis until = rig.now + time;
    while (rig.now < until) {
        rig.pass(seconds(10));
        std::vector<wire::LeaseVerdict> verdicts;
        for (const wire::HeldLease& held : rig.last<wire::Heartbeat>()->leases) {
            verdicts.push_back({held.lease, Verdict::kOk});
        }
        rig.beat(std::move(verdicts));
    }
}

TEST(WorkerOutage, AnUnrenewedLeaseFreezesItsChildBeforeItsEndAndAnOkThawsIt) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    live(rig, minutes(10));
    EXPECT_EQ(rig.count<Freeze>(), 0U);
    rig.connected = false;
    rig.pass(seconds(54));
    EXPECT_EQ(rig.count<Freeze>(), 0U);
    rig.pass(seconds(2));
    EXPECT_EQ(rig.count<Freeze>(), 1U);
    rig.pass(minutes(3));
    rig.connected = true;
    rig.pass(seconds(1));
    ASSERT_EQ(rig.last<wire::Hello>()->leases.size(), 1U);
    EXPECT_EQ(rig.count<Thaw>(), 0U);
    rig.welcome({SessionRig::say(11, Verdict::kOk)});
    EXPECT_EQ(rig.count<Thaw>(), 1U);
    EXPECT_EQ(rig.count<Kill>(), 0U);
}

TEST(WorkerOutage, AFrozenChildWhoseLeaseIsStaleIsKilledNotThawed) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.connected = false;
    rig.pass(minutes(2));
    EXPECT_EQ(rig.count<Freeze>(), 1U);
    rig.connected = true;
    rig.pass(seconds(1));
    rig.welcome({SessionRig::say(11, Verdict::kStale)});
    EXPECT_EQ(rig.count<Kill>(), 1U);
    EXPECT_EQ(rig.count<Thaw>(), 0U);
}

TEST(WorkerOutage, AnAnswerThatIsOlderThanTheLeaseDoesNotThaw) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.pass(seconds(10));
    const std::uint64_t old_beat = rig.id_of_last<wire::Heartbeat>();
    rig.pass(minutes(2));
    ASSERT_EQ(rig.count<Freeze>(), 1U);
    rig.deliver(old_beat, wire::Beat{{SessionRig::say(11, Verdict::kOk)}});
    EXPECT_EQ(rig.count<Thaw>(), 0U);
}

TEST(WorkerOutage, AFrozenChildIsHeldForHalfAnHourAndThenGivenUp) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.connected = false;
    rig.pass(minutes(30));
    EXPECT_EQ(rig.count<Kill>(), 0U);
    rig.pass(minutes(1) + seconds(1));
    EXPECT_EQ(rig.count<Kill>(), 1U);
}

TEST(WorkerOutage, AfterASleepOfTheMachineTheFirstTickFreezes) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.now = rig.now + hours(8);
    rig.take(rig.session.tick(rig.now));
    EXPECT_EQ(rig.count<Freeze>(), 1U);
}

TEST(WorkerOutage, ThreeLeasesOfOutageInTheMiddleOfTenTasksLoseAndRepeatNothing) {
    constexpr std::uint32_t kTasks = 10;
    SessionRig rig(kTasks);
    rig.welcome();
    for (std::uint32_t i = 1; i <= kTasks; ++i) rig.assign(i, "t-" + std::to_string(i));
    live(rig, minutes(2));
    rig.connected = false;
    rig.pass(seconds(20));
    // Four of them end while nobody can be told.
    for (std::uint32_t i = 1; i <= 4; ++i) {
        rig.session.child_ended(token(i));
        rig.take(rig.session.report(token(i), SessionRig::complete(i, "t-" + std::to_string(i)),
                                    rig.now));
    }
    rig.pass(minutes(3));
    EXPECT_EQ(rig.count<Freeze>(), 6U);
    rig.connected = true;
    rig.epoch = 5;  // it restarted
    rig.pass(seconds(1));
    EXPECT_EQ(rig.last<wire::Hello>()->leases.size(), 6U);
    EXPECT_EQ(rig.last<wire::Hello>()->reports.size(), 4U);
    std::vector<wire::LeaseVerdict> verdicts;
    for (std::uint32_t i = 1; i <= kTasks; ++i)
        verdicts.push_back(SessionRig::say(i, Verdict::kOk));
    rig.welcome(verdicts);
    EXPECT_EQ(rig.count<Thaw>(), 6U);
    EXPECT_EQ(rig.count<Kill>(), 0U);
    EXPECT_EQ(rig.count<Start>(), kTasks);
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 4U);
}

TEST(WorkerOutage, ARestartedCoordinatorThatAsksForHelloGetsLeasesAndReports) {
    SessionRig rig(2);
    rig.welcome();
    rig.assign(11, "t-a");
    rig.assign(12, "t-b");
    rig.session.child_ended(token(12));
    rig.take(rig.session.report(token(12), SessionRig::complete(12, "t-b"), rig.now));
    rig.epoch = 5;
    rig.answer(wire::ErrorReply{ErrorCode::HELLO_FIRST, "", "", {}, {}});
    ASSERT_EQ(rig.last<wire::Hello>()->leases.size(), 1U);
    ASSERT_EQ(rig.last<wire::Hello>()->reports.size(), 1U);
    const std::size_t before = rig.count_sent<wire::Complete>();
    rig.welcome({SessionRig::say(11, Verdict::kOk), SessionRig::say(12, Verdict::kOk)});
    EXPECT_EQ(rig.count_sent<wire::Complete>(), before + 1);
}

TEST(WorkerOutage, AnEndedChildIsNeitherFrozenNorGivenUpHoweverLongTheOutage) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.session.child_ended(token(11));  // its artifacts cannot be put yet
    rig.connected = false;
    rig.pass(hours(3));
    EXPECT_EQ(rig.count<Freeze>() + rig.count<Kill>(), 0U);
    rig.connected = true;
    rig.pass(seconds(20));
    ASSERT_EQ(rig.last<wire::Hello>()->leases.size(), 1U);
}

}  // namespace
}  // namespace zq::worker
