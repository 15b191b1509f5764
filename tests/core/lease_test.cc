#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

std::vector<Verdict> verdicts(const std::vector<Effect>& effects) {
    std::vector<Verdict> out;
    for (const LeaseWord& word : CoreRig::answer<BeatAnswer>(effects).leases) {
        out.push_back(word.verdict);
    }
    return out;
}

/// A rig with task `a` running at worker w1, session 1, confirmed by a heartbeat.
struct Running : CoreRig {
    Running() {
        submit("a");
        token = assign_to(1, "w1").lease.token;
        heartbeat(1, {token});
    }
    LeaseToken token;
};

TEST(Lease, IsKeptByHeartbeatsForEver) {
    Running rig;
    for (int i = 0; i < 100; ++i) {
        rig.advance(rig.policy.heartbeat);
        EXPECT_EQ(verdicts(rig.heartbeat(1, {rig.token})), std::vector{Verdict::kOk});
    }
    EXPECT_EQ(rig.task("a").attempts, 1U);
}

TEST(Lease, EndsOneHeartbeatAfterItsDeadlineAndCountsAsLost) {
    Running rig;
    rig.advance(rig.policy.lease);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    rig.advance(rig.policy.heartbeat);
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.task("a").losses, 1U);
    EXPECT_EQ(rig.task("a").failures, 0U);
}

TEST(Lease, ThatWasNeverConfirmedIsUndeliveredAndChargesNothing) {
    CoreRig rig;
    rig.submit("a");
    rig.assign_to(1, "w1");
    rig.advance(rig.policy.lease + rig.policy.heartbeat);
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.task("a").losses, 0U);
    EXPECT_EQ(std::get<AttemptEnded>(rig.journal.back().body).attempt.outcome,
              Outcome::kUndelivered);
}

TEST(Lease, LostByItsHolderIsResumedWhereNobodyElseGotTheTask) {
    Running rig;
    rig.advance(rig.policy.lease * 3);
    ASSERT_EQ(rig.state_of("a"), TaskState::kQueued);
    auto welcome = CoreRig::answer<WelcomeAnswer>(rig.hello(2, "w1", 1, {rig.token}, rig.token));
    ASSERT_EQ(welcome.leases.size(), 1U);
    EXPECT_EQ(welcome.leases[0].verdict, Verdict::kOk);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    EXPECT_EQ(rig.task("a").losses, 0U) << "a loss that was taken back is not counted";
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", rig.token));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
    EXPECT_EQ(rig.task("a").attempts, 1U);
}

TEST(Lease, LostByItsHolderIsStaleOnceSomebodyElseGotTheTask) {
    Running rig;
    rig.advance(rig.policy.lease * 3);
    const LeaseToken second = rig.assign_to(2, "w2").lease.token;
    auto welcome = CoreRig::answer<WelcomeAnswer>(rig.hello(3, "w1", 1, {rig.token}, rig.token));
    EXPECT_EQ(welcome.leases[0].verdict, Verdict::kStale);
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", rig.token)), "STALE_LEASE");
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", second));
    EXPECT_EQ(rig.task("a").attempts, 2U);
}

TEST(Lease, OfAnotherJournalIsAlwaysStale) {
    Running rig;
    LeaseToken foreign = rig.token;
    foreign.journal ^= 1;
    EXPECT_EQ(verdicts(rig.heartbeat(1, {rig.token, foreign})),
              (std::vector{Verdict::kOk, Verdict::kStale}));
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", foreign)), "STALE_LEASE");
}

TEST(Lease, IsNotRenewedByAnotherKey) {
    Running rig;
    rig.identity = Identity("mallory@0123456789abcdef");
    EXPECT_EQ(CoreRig::refusal(rig.heartbeat(1, {rig.token})), "HELLO_FIRST");
    EXPECT_EQ(verdicts(rig.run(RenewByHand{{rig.token}})), std::vector{Verdict::kStale});
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", rig.token)), "STALE_LEASE");
}

TEST(Lease, SeenButNoLongerListedIsLostAtOnce) {
    Running rig;
    rig.run(Renew{1, 0, rig.token, true, {}, {}});
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.task("a").losses, 1U);
}

TEST(Lease, NotYetSeenAndNotListedStays) {
    CoreRig rig;
    rig.submit("a");
    rig.assign_to(1, "w1");
    rig.run(Renew{1, 0, {}, true, {}, {}});
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Lease, ThatWentDownWithAConnectionIsUndeliveredOnceALaterOneIsSeen) {
    CoreRig rig;
    rig.submit("a");
    rig.submit("b");
    rig.assign_to(1, "w1");
    rig.hello(2, "w1");
    const auto second = CoreRig::assignments(rig.ready(2, 2));
    ASSERT_EQ(second.size(), 1U) << "the first may still be on its way: it takes a slot";
    rig.run(Renew{2, 0, second[0].lease.token, true, {second[0].lease.token}, {}});
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.task("a").losses, 0U);
}

TEST(Lease, ListedAsAReportIsKept) {
    Running rig;
    rig.run(Renew{1, 0, rig.token, true, {}, {rig.token}});
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Lease, GetsAFullTermAfterARestart) {
    Running rig;
    rig.advance(rig.policy.lease - millis(1));
    rig.restart();
    rig.advance(rig.policy.lease);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    auto welcome = CoreRig::answer<WelcomeAnswer>(rig.hello(1, "w1", 1, {rig.token}, rig.token));
    EXPECT_EQ(welcome.leases[0].verdict, Verdict::kOk);
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", rig.token));
}

TEST(Lease, DoesNotSufferForAStallOfTheCoordinator) {
    Running rig;
    rig.now = rig.now + rig.policy.lease * 5;
    rig.run(NoteStall{rig.policy.lease * 5});
    rig.advance({});
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Lease, LostTooOftenMakesTheTaskPoison) {
    Running rig;
    for (SessionId session = 2; session <= 3; ++session) {
        rig.advance(rig.policy.lease * 2);
        const auto token = rig.assign_to(session, "w" + std::to_string(session)).lease.token;
        rig.heartbeat(session, {token});
    }
    rig.advance(rig.policy.lease * 2);
    EXPECT_EQ(rig.state_of("a"), TaskState::kDead);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kPoison);
}

TEST(Lease, OfASilentWorkersSessionIsNotGivenMore) {
    Running rig;
    rig.advance(rig.policy.lease * 3);
    EXPECT_TRUE(rig.state.now.sessions.empty());
    EXPECT_EQ(CoreRig::refusal(rig.heartbeat(1, {rig.token})), "HELLO_FIRST");
}

}  // namespace
}  // namespace zq::core
