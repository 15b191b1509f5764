#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

ClaimTask claim_of(const std::string& role, const std::string& id = {}) {
    return ClaimTask{RoleName(role), TaskId(id), "me", minutes(30)};
}

TEST(Claim, TakesTheNextTaskOfARoleUnderItsOwnTerm) {
    CoreRig rig;
    rig.submit("a");
    auto claim = CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
    EXPECT_EQ(claim.task.id.text, "a");
    EXPECT_EQ(claim.attempt, 1U);
    rig.advance(minutes(29));
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", claim.token));
}

TEST(Claim, OfNothingReadyAsksToComeAgain) {
    CoreRig rig;
    EXPECT_EQ(CoreRig::refusal(rig.run(claim_of("review"))), "NOTHING_TO_CLAIM");
}

TEST(Claim, PassesOverATaskWhoseTtlIsOverThoughNoTickHasEndedItYet) {
    CoreRig rig;
    TaskSpec brief = CoreRig::spec("brief");
    brief.ttl = seconds(5);
    brief.priority = 10;
    rig.submit(brief);
    rig.submit("lasting");
    rig.now = rig.now + seconds(5);  // messages are read before timers fire
    EXPECT_EQ(CoreRig::refusal(rig.run(claim_of("review", "brief"))), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.complete("brief", {})), "CONFLICT");
    auto claim = CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
    EXPECT_EQ(claim.task.id.text, "lasting");
    EXPECT_EQ(CoreRig::refusal(rig.run(claim_of("review"))), "NOTHING_TO_CLAIM");
    rig.run(Tick{});
    EXPECT_EQ(rig.state_of("brief"), TaskState::kExpired);
}

TEST(Claim, RepeatedUnderItsRequestIdGetsTheSameLease) {
    CoreRig rig;
    rig.submit("a");
    rig.submit("b");
    auto first = CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
    --rig.request;
    auto again = CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
    EXPECT_EQ(first.token, again.token);
    EXPECT_EQ(rig.state_of("b"), TaskState::kQueued);
    rig.restart();
    rig.request = 3;  // the claim was this client's fourth request
    auto later = CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
    EXPECT_EQ(first.token, later.token) << "a restart does not forget it";
}

TEST(Claim, IsForgottenAfterFifteenMinutes) {
    CoreRig rig;
    rig.submit("a");
    rig.run(claim_of("review"));
    EXPECT_EQ(rig.state.durable.requests.size(), 1U);
    rig.now = rig.now + limits::kRequestMemory + millis(1);
    rig.submit("b");
    rig.run(claim_of("review", "b"));
    EXPECT_EQ(rig.state.durable.requests.size(), 1U);
}

TEST(Claim, BoundOfRememberedRequestsHealsWithTime) {
    CoreRig rig;
    for (std::size_t i = 0; i < limits::kRequestsPerClient; ++i) {
        rig.submit("t" + std::to_string(i));
        rig.complete("t" + std::to_string(i), {});
    }
    rig.submit("one-more");
    EXPECT_EQ(CoreRig::refusal(rig.run(claim_of("review"))), "BUSY");
    rig.now = rig.now + limits::kRequestMemory + millis(1);
    CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
}

TEST(Claim, OfANamedTaskThatIsHeldIsAConflict) {
    CoreRig rig;
    rig.submit("a");
    rig.assign_to(1, "w1");
    EXPECT_EQ(CoreRig::refusal(rig.run(claim_of("", "a"))), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.run(claim_of("", "zzz"))), "NOT_FOUND");
}

TEST(Claim, IsRenewedByItsHolderForItsOwnTerm) {
    CoreRig rig;
    rig.submit("a");
    auto claim = CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
    for (int i = 0; i < 5; ++i) {
        rig.advance(minutes(25));
        auto beat = CoreRig::answer<BeatAnswer>(rig.run(RenewByHand{{claim.token}}));
        EXPECT_EQ(beat.leases.at(0).verdict, Verdict::kOk);
    }
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Claim, ThatRanOutMayStillEndWhatNobodyElseTook) {
    CoreRig rig;
    rig.submit("a");
    auto claim = CoreRig::answer<ClaimAnswer>(rig.run(claim_of("review")));
    rig.advance(hours(1));
    ASSERT_EQ(rig.state_of("a"), TaskState::kQueued);
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", claim.token));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
    EXPECT_EQ(rig.task("a").losses, 0U);
}

}  // namespace
}  // namespace zq::core
