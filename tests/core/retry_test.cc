#include "coordinator/core/outcome.h"
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TEST(Retry, AFailureWaitsForItsBackoffAndUsesAnAttempt) {
    CoreRig rig;
    rig.submit("a");
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRetryWait);
    EXPECT_EQ(rig.task("a").failures, 1U);
    rig.advance(seconds(5) - millis(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kRetryWait);
    rig.advance(millis(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
}

TEST(Retry, EndsInTheDeadLetterQueueWhenAttemptsAreUsedUp) {
    CoreRig rig;
    rig.submit("a");
    for (int i = 0; i < 3; ++i) {
        rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token);
        rig.advance(seconds(5));
    }
    EXPECT_EQ(rig.state_of("a"), TaskState::kDead);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kAttemptsExhausted);
    EXPECT_EQ(rig.task("a").reason, "it broke");
}

TEST(Retry, APermanentFailureIsDeadAtOnce) {
    CoreRig rig;
    rig.submit("a");
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token, FailureClass::kPermanent);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kPermanent);
}

TEST(Retry, TryLaterChargesNothingTwentyTimesAndThenAnAttempt) {
    CoreRig rig;
    rig.submit("a");
    for (std::uint32_t i = 0; i <= limits::kDeferrals; ++i) {
        EndAttempt later;
        later.kind = EndAttempt::Kind::kRelease;
        later.task = TaskId("a");
        later.token = rig.assign_to(1, "w1").lease.token;
        later.cause = ReleaseCause::kTryLater;
        later.delay = seconds(1);
        later.report = CoreRig::digest(static_cast<std::uint8_t>(i));
        rig.run(later);
        EXPECT_EQ(rig.task("a").failures, i == limits::kDeferrals ? 1U : 0U);
        rig.advance(seconds(6));
    }
}

TEST(Retry, ExponentialBackoffDoublesUpToItsCapWithJitterBelow) {
    const Backoff backoff{Backoff::Kind::kExponential, seconds(1), seconds(10)};
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        for (std::uint32_t failures = 1; failures < 40; ++failures) {
            const std::int64_t whole =
                std::min<std::int64_t>(1000LL << std::min(failures - 1, 20U), 10'000);
            const Millis wait = backoff_after(backoff, failures, seed);
            EXPECT_GE(wait.count, whole / 2);
            EXPECT_LE(wait.count, whole);
        }
    }
    EXPECT_NE(backoff_after(backoff, 9, 1), backoff_after(backoff, 9, 2));
}

TEST(Retry, ARetriedTaskGoesBackToTheSameWorkerPool) {
    CoreRig rig;
    rig.submit("a");
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token);
    rig.ready(1, 1, {rig.state.durable.journal, rig.state.durable.last_token});
    auto assignments = CoreRig::assignments(rig.advance(seconds(5)));
    ASSERT_EQ(assignments.size(), 1U);
    EXPECT_EQ(assignments[0].lease.attempt, 2U);
}

}  // namespace
}  // namespace zq::core
