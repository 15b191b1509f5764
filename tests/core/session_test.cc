#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TEST(Session, AnotherFolderUnderALiveNameIsRefused) {
    CoreRig rig;
    rig.hello(1, "w1");
    OpenSession other;
    other.session = 2;
    other.worker = WorkerName("w1");
    other.state_id = StateId("another-folder");
    other.incarnation = 1;
    other.roles = {RoleName("review")};
    EXPECT_EQ(CoreRig::refusal(rig.run(other)), "NAME_IN_USE");
    rig.advance(rig.policy.lease * 2);
    CoreRig::answer<WelcomeAnswer>(rig.run(other));
}

TEST(Session, AnEarlierIncarnationIsSuperseded) {
    CoreRig rig;
    rig.hello(1, "w1", 2);
    EXPECT_EQ(CoreRig::refusal(rig.hello(2, "w1", 1)), "SUPERSEDED");
    EXPECT_EQ(CoreRig::refusal(rig.heartbeat(2, {})), "HELLO_FIRST");
}

TEST(Session, ANewIncarnationReleasesWhatItDoesNotListFreeOfCharge) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    rig.heartbeat(1, {token});
    rig.hello(2, "w1", 2);
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.task("a").losses, 0U);
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", token)), "STALE_LEASE");
    EXPECT_EQ(rig.assign_to(2, "w1").lease.attempt, 2U);
}

TEST(Session, ANewIncarnationsUnacknowledgedReportIsKeptAndAccepted) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    rig.heartbeat(1, {token});
    auto welcome = CoreRig::answer<WelcomeAnswer>(rig.hello(2, "w1", 2, {}, token, {token}));
    EXPECT_EQ(welcome.leases.at(0).verdict, Verdict::kOk);
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", token));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
}

TEST(Session, AStrangerCannotReleaseAnotherKeysLeases) {
    CoreRig rig;
    rig.submit("a");
    rig.assign_to(1, "w1");
    rig.advance(rig.policy.lease / 2);
    rig.identity = Identity("mallory@0123456789abcdef");
    rig.hello(2, "w1", 9);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Session, AStrangerCannotTakeOverALiveStateFolder) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.identity = Identity("mallory@0123456789abcdef");
    EXPECT_EQ(CoreRig::refusal(rig.hello(2, "w1", 99)), "NAME_IN_USE");
    rig.identity = kLocalIdentity;
    CoreRig::answer<BeatAnswer>(rig.heartbeat(1, {}));
}

TEST(Session, ThatSaidGoodbyeGetsNoMoreAndKeepsWhatItHas) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    rig.ready(1, 4, token);
    CoreRig::answer<GoodbyeAnswer>(rig.run(CloseSession{1, CloseCause::kGoodbye}));
    EXPECT_TRUE(CoreRig::assignments(rig.submit("b")).empty());
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Session, HelloAgainOnTheSameConnectionKeepsItsLeases) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    rig.hello(1, "w1", 1, {token}, token);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    EXPECT_EQ(rig.state.now.sessions.size(), 1U);
}

TEST(Session, AnAssignmentThatCrossedAHelloStaysUntilItsLeaseEnds) {
    CoreRig rig;
    rig.submit("a");
    rig.assign_to(1, "w1");
    rig.hello(1, "w1", 1);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Session, RolesOnceServedAreKnownForGood) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.restart();
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig.submit("a")).role_served);
}

}  // namespace
}  // namespace zq::core
