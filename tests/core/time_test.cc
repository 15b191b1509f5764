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

}  // namespace
}  // namespace zq::core
