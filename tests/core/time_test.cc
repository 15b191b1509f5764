#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TEST(Time, ADelayedTaskIsNotReadyBeforeItsTime) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.ready(1, 1);
    TaskSpec spec = CoreRig::spec("a");
    spec.delay = seconds(30);
    rig.submit(spec);
    EXPECT_EQ(rig.state_of("a"), TaskState::kScheduled);
    EXPECT_TRUE(CoreRig::assignments(rig.advance(seconds(29))).empty());
    EXPECT_EQ(CoreRig::assignments(rig.advance(seconds(1))).size(), 1U);
}

TEST(Time, TtlEndsAQueuedTaskAlsoWhenAllWorkersAreAway) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.ttl = seconds(10);
    rig.submit(spec);
    rig.advance(seconds(10));
    EXPECT_EQ(rig.state_of("a"), TaskState::kExpired);
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", {})), "CONFLICT");
}

TEST(Time, TtlEndsAScheduledTaskWhoseTimersAreDueTogetherWithOthers) {
    CoreRig rig;
    for (const char* id : {"a", "b"}) {
        TaskSpec spec = CoreRig::spec(id);
        spec.ttl = seconds(20);
        spec.delay = seconds(10);
        rig.submit(spec);
    }
    rig.advance(seconds(30));
    EXPECT_EQ(rig.state_of("a"), TaskState::kExpired);
    EXPECT_EQ(rig.state_of("b"), TaskState::kExpired);
}

TEST(Time, TtlDoesNotTouchATaskThatHasStarted) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.ttl = seconds(10);
    rig.submit(spec);
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token);
    rig.advance(seconds(60));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
}

TEST(Time, WaitsAndTtlsSurviveARestart) {
    CoreRig rig;
    rig.submit("b");
    rig.fail_attempt("b", rig.assign_to(1, "w1").lease.token);
    TaskSpec spec = CoreRig::spec("a");
    spec.ttl = seconds(10);
    rig.submit(spec);
    rig.restart();
    rig.advance(seconds(10));
    EXPECT_EQ(rig.state_of("a"), TaskState::kExpired);
    EXPECT_EQ(rig.state_of("b"), TaskState::kQueued);
}

TEST(Time, ATaskThatMayNotStartBeforeATimeWaitsForIt) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.not_before = rig.now + hours(3);
    rig.submit(spec);
    EXPECT_EQ(rig.state_of("a"), TaskState::kScheduled);
    rig.restart();
    rig.advance(hours(3) - millis(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kScheduled);
    rig.advance(millis(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
}

TEST(Time, ATimeThatNoCalendarHasIsRefused) {
    TaskSpec spec = CoreRig::spec("a");
    spec.not_before = Instant{253'402'300'799'999};
    EXPECT_TRUE(validate(spec));
    spec.not_before = Instant{INT64_MAX};
    ASSERT_FALSE(validate(spec));
    EXPECT_EQ(validate(spec).error().field, "task.not_before");
}

TEST(Time, ATimeThatIsPastIsNoReasonToWait) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.not_before = rig.now - hours(3);
    rig.submit(spec);
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
}

class Deadline : public ::testing::Test {
  protected:
    Deadline() {
        TaskSpec spec = CoreRig::spec("a");
        spec.deadline = minutes(10);
        rig.submit(spec);
    }
    CoreRig rig;
};

TEST_F(Deadline, EndsATaskThatNeverStartedAsExpired) {
    rig.restart();
    rig.advance(minutes(10));
    EXPECT_EQ(rig.state_of("a"), TaskState::kExpired);
    EXPECT_EQ(rig.task("a").reason, "its deadline passed before it started");
}

TEST_F(Deadline, EndsATaskThatWaitsForItsNextAttemptAsDead) {
    rig.advance(minutes(10) - seconds(1));
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRetryWait);
    rig.advance(seconds(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kDead);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kTimedOut);
}

TEST_F(Deadline, IsWhatAnAttemptHasOfTime) {
    rig.advance(minutes(4));
    EXPECT_EQ(rig.assign_to(1, "w1").run_timeout, minutes(6));
}

TEST_F(Deadline, EndsARunningAttemptWhoseWorkerDoesNot) {
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    std::vector<Effect> last;
    for (int i = 0; i < 12; ++i) {
        EXPECT_EQ(rig.state_of("a"), TaskState::kRunning) << i;
        rig.heartbeat(1, {token});
        last = rig.advance(minutes(1));
    }
    EXPECT_EQ(rig.state_of("a"), TaskState::kDead);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kTimedOut);
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", token)), "STALE_LEASE");
}

TEST_F(Deadline, AfterAReplayCountsAnew) {
    rig.advance(minutes(10));
    ReplayTask replay;
    replay.task = TaskId("a");
    rig.facts.spec = CoreRig::spec("a");
    rig.facts.spec->deadline = minutes(10);
    CoreRig::answer<ChangedAnswer>(rig.run(replay));
    rig.advance(minutes(10) - millis(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    rig.advance(millis(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kExpired);
}

class RunTimeout : public ::testing::Test {
  protected:
    RunTimeout() {
        TaskSpec spec = CoreRig::spec("a");
        spec.run_timeout = minutes(5);
        rig.submit(spec);
        token = rig.assign_to(1, "w1").lease.token;
    }
    void beat(int minutes_long) {
        for (int i = 0; i < minutes_long; ++i) {
            rig.heartbeat(1, {token});
            last = rig.advance(minutes(1));
        }
    }
    CoreRig rig;
    LeaseToken token;
    std::vector<Effect> last;
};

TEST_F(RunTimeout, IsTheWorkersToKeepForAWhileAndThenTheCoordinators) {
    beat(6);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    beat(1);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRetryWait);
    EXPECT_EQ(rig.task("a").failures, 1U);
    ASSERT_EQ(last.size(), 1U);
    const auto& push = std::get<Push>(last[0]);
    EXPECT_EQ(std::get<LeaseWord>(push.body).verdict, Verdict::kStale);
}

TEST_F(RunTimeout, AndALeaseThatEndInTheSameTickEndTheAttemptOnce) {
    beat(6);
    rig.now = rig.now + minutes(3);
    rig.run(Tick{});
    EXPECT_EQ(rig.state_of("a"), TaskState::kRetryWait);
    EXPECT_EQ(rig.task("a").failures, 1U);
    EXPECT_EQ(rig.task("a").losses, 0U);
}

TEST_F(RunTimeout, EndsACancelledAttemptThatDoesNotEnd) {
    rig.run(CancelTask{TaskId("a"), "no need"});
    beat(7);
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
}

TEST_F(RunTimeout, OfAnAttemptThatEndedWhileTheCoordinatorWasAwayIsNotHeldAgainstIt) {
    rig.heartbeat(1, {token});
    rig.now = rig.now + minutes(30);
    rig.restart();
    rig.advance(seconds(20));
    rig.hello(2, "w1", 1, {}, {}, {token});
    rig.advance(seconds(20));
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", token));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
}

TEST_F(RunTimeout, DoesNotRunWhileTheCoordinatorIsStopped) {
    beat(6);
    rig.run(NoteStall{minutes(3)});
    beat(3);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST_F(RunTimeout, IsKeptOverARestartOfTheCoordinator) {
    rig.restart();
    rig.hello(2, "w1", 1, {token});
    for (int i = 0; i < 7; ++i) {
        rig.heartbeat(2, {token});
        rig.advance(minutes(1));
    }
    EXPECT_EQ(rig.state_of("a"), TaskState::kRetryWait);
}

}  // namespace
}  // namespace zq::core
