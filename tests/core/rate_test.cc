// Rates of roles and limit keys, and keys that are held because a task was rate limited.
#include "tests/core/control_words.h"

namespace zq::core {
namespace {

TEST(RateLimit, LetsOneStartAtATimeEvenly) {
    CoreRig rig;
    limit(rig, of_role(), rate(60, minutes(1)));
    for (const char* id : {"a", "b", "c"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 8)), (Ids{"a"}));
    EXPECT_TRUE(CoreRig::assignments(rig.advance(millis(999))).empty());
    EXPECT_EQ(names(rig.advance(millis(1))), (Ids{"b"})) << "without anything else happening";
    EXPECT_EQ(names(rig.advance(seconds(5))), (Ids{"c"}));
}

TEST(RateLimit, LetsABurstStartAfterARestAndNoMore) {
    CoreRig rig;
    limit(rig, of_role(), rate(60, minutes(1), 3));
    for (const char* id : {"a", "b", "c", "d", "e"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 8)), (Ids{"a", "b", "c"}));
    EXPECT_EQ(names(rig.advance(seconds(1))), (Ids{"d"}));
    EXPECT_EQ(names(rig.advance(seconds(1))), (Ids{"e"}));
}

TEST(RateLimit, OfALimitKeyLetsOtherKeysPass) {
    CoreRig rig;
    limit(rig, of_key("a"), rate(1, minutes(1)));
    for (const char* id : {"a1", "a2"}) rig.submit(keyed(id, "a"));
    for (const char* id : {"b1", "b2"}) rig.submit(keyed(id, "b"));
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 8)), (Ids{"a1", "b1", "b2"}));
    EXPECT_EQ(names(rig.advance(minutes(1))), (Ids{"a2"}));
}

TEST(RateLimit, IsNotExceededByARestart) {
    CoreRig rig;
    limit(rig, of_role(), rate(1, minutes(1)));
    for (const char* id : {"a", "b"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 1)), (Ids{"a"}));
    rig.now = rig.now + seconds(10);
    rig.restart();
    rig.hello(2, "w2");
    EXPECT_TRUE(CoreRig::assignments(rig.ready(2, 1)).empty());
    EXPECT_TRUE(CoreRig::assignments(rig.advance(seconds(49))).empty());
    rig.ready(2, 1);
    EXPECT_EQ(names(rig.advance(seconds(12))), (Ids{"b"}));
}

TEST(RateLimit, ThatIsLoosenedCountsWhatWasSpentNoLongerThanItsOwnBucket) {
    CoreRig rig;
    limit(rig, of_role(), rate(1, days(1)));
    for (const char* id : {"a", "b"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 2)), (Ids{"a"}));
    rig.advance(seconds(1));
    EXPECT_EQ(rig.state_of("b"), TaskState::kQueued);
    limit(rig, of_role(), rate(60, minutes(1)));
    EXPECT_EQ(rig.state_of("b"), TaskState::kRunning);
}

TEST(RateLimit, HoldsAClaimByHandAndSaysWhenItMayBeTriedAgain) {
    CoreRig rig;
    limit(rig, of_role(), rate(1, minutes(1)));
    for (const char* id : {"a", "b"}) rig.submit(id);
    rig.run(ClaimTask{RoleName("review"), {}, "me", minutes(1)});
    EXPECT_EQ(CoreRig::refusal(rig.run(ClaimTask{RoleName("review"), {}, "me", minutes(1)})),
              "NOTHING_TO_CLAIM");
    EXPECT_EQ(next_deadline(rig.state, rig.policy), rig.now + minutes(1));
}

TEST(HeldKey, ARateLimitedTaskHoldsTheOthersOfItsKeyUntilItsTime) {
    CoreRig rig;
    rig.submit(keyed("a", "account"));
    const Assignment given = rig.assign_to(1, "w1");
    rig.submit(keyed("b", "account", "implement"));
    EndAttempt fail;
    fail.kind = EndAttempt::Kind::kFail;
    fail.session = 1;
    fail.task = TaskId("a");
    fail.token = given.lease.token;
    fail.failure = FailureClass::kRateLimited;
    fail.delay = minutes(2);
    rig.run(fail);
    const ControlKey key{kDefaultNamespace, ControlKind::kLimitKey, "account"};
    ASSERT_NE(find_control(rig.state, key), nullptr);
    EXPECT_EQ(find_control(rig.state, key)->held_by.text, "a");
    rig.restart();
    OpenSession open{
        3, WorkerName("w3"), StateId(std::string(32, '3')), 1, {RoleName("implement")}, {}, 1};
    rig.run(open);
    EXPECT_TRUE(CoreRig::assignments(rig.ready(3, 1)).empty());
    EXPECT_TRUE(CoreRig::assignments(rig.advance(seconds(50))).empty());
    rig.run(open);
    rig.ready(3, 1);
    rig.advance(seconds(60));
    rig.run(open);
    rig.ready(3, 1);
    rig.advance(seconds(11));
    EXPECT_EQ(rig.state_of("b"), TaskState::kRunning);
}

TEST(HeldKey, IsNotHeldForYearsNorByAWordWithoutALease) {
    CoreRig rig;
    rig.submit(keyed("a", "account"));
    EndAttempt fail;
    fail.kind = EndAttempt::Kind::kFail;
    fail.task = TaskId("a");
    fail.failure = FailureClass::kRateLimited;
    fail.delay = days(3000);
    rig.run(fail);
    ASSERT_EQ(rig.state_of("a"), TaskState::kRetryWait);
    EXPECT_TRUE(rig.state.durable.controls.empty());

    rig.submit(keyed("b", "account"));
    fail.token = rig.assign_to(1, "w1").lease.token;
    fail.task = TaskId("b");
    rig.run(fail);
    const ControlKey key{kDefaultNamespace, ControlKind::kLimitKey, "account"};
    ASSERT_NE(find_control(rig.state, key), nullptr);
    EXPECT_EQ(find_control(rig.state, key)->held_until, rig.now + limits::kKeyHeldMax);
}

TEST(Reason, OfAPauseStaysWhenALimitIsSetAndThatOfAResumeIsInItsEvent) {
    CoreRig rig;
    SetControl set = of_role();
    set.paused = true;
    set.reason = "maintenance";
    rig.run(set);
    limit(rig, of_role(), concurrency(2));
    EXPECT_EQ(rig.state.durable.controls.begin()->second.reason, "maintenance");
    set.reason = "the disk is changed";
    rig.run(set);
    EXPECT_EQ(rig.state.durable.controls.begin()->second.reason, "the disk is changed");
    SetControl resume = of_role();
    resume.paused = false;
    resume.reset = true;
    resume.reason = "all is well";
    rig.run(resume);
    EXPECT_TRUE(rig.state.durable.controls.empty());
    EXPECT_EQ(std::get<ControlChanged>(rig.journal.back().body).reason, "all is well");
}

TEST(HeldKey, IsLetGoByAPersonAndForgottenAfterItsTime) {
    CoreRig rig;
    rig.submit(keyed("a", "account"));
    const Assignment given = rig.assign_to(1, "w1");
    rig.fail_attempt("a", given.lease.token, FailureClass::kRateLimited);
    ASSERT_EQ(rig.state.durable.controls.size(), 1U);
    pause(rig, of_key("account"), false);
    EXPECT_TRUE(rig.state.durable.controls.empty());

    rig.advance(hours(1));
    const Assignment again = rig.assign_to(2, "w2");
    rig.fail_attempt("a", again.lease.token, FailureClass::kRateLimited);
    ASSERT_EQ(rig.state.durable.controls.size(), 1U);
    rig.advance(hours(1));
    pause(rig, of_role());
    EXPECT_EQ(rig.state.durable.controls.size(), 1U) << "only the pause";
}

}  // namespace
}  // namespace zq::core
