// Pauses, limits and rates of roles, limit keys and workers.
#include "tests/core/control_words.h"

namespace zq::core {
namespace {

TEST(Paused, ARoleTakesTasksAndGivesNoneUntilItIsResumed) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.ready(1, 4);
    pause(rig, of_role());
    EXPECT_TRUE(CoreRig::assignments(rig.submit("a")).empty());
    EXPECT_TRUE(CoreRig::assignments(rig.ready(1, 4)).empty());
    SetControl resume = of_role();
    resume.paused = false;
    EXPECT_EQ(names(rig.run(resume)), (Ids{"a"}));
    EXPECT_TRUE(rig.state.durable.controls.empty()) << "it says nothing any more";
}

TEST(Paused, ARoleStaysSoOverARestart) {
    CoreRig rig;
    rig.submit("a");
    pause(rig, of_role());
    rig.restart();
    rig.hello(1, "w1");
    EXPECT_TRUE(CoreRig::assignments(rig.ready(1, 4)).empty());
}

TEST(Paused, ARolesTasksAreNotClaimedByHandAndTheRefusalSaysWhy) {
    CoreRig rig;
    rig.submit("a");
    SetControl set = of_role();
    set.paused = true;
    set.reason = "maintenance";
    rig.run(set);
    auto effects = rig.run(ClaimTask{RoleName("review"), {}, "me", minutes(1)});
    const Error error = std::get<Rejected>(std::get<Answer>(effects.front()).body).error;
    EXPECT_EQ(error.code, ErrorCode::NOTHING_TO_CLAIM);
    EXPECT_NE(error.message.find("paused: maintenance"), std::string::npos) << error.message;
    EXPECT_EQ(CoreRig::refusal(rig.run(ClaimTask{{}, TaskId("a"), "me", minutes(1)})), "CONFLICT");
}

TEST(Paused, WhatRunsAlreadyGoesOnAndEnds) {
    CoreRig rig;
    rig.submit("a");
    const Assignment given = rig.assign_to(1, "w1");
    pause(rig, of_role());
    rig.complete("a", given.lease.token);
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
}

TEST(Paused, SayingItTwiceIsOneEvent) {
    CoreRig rig;
    pause(rig, of_role());
    const std::size_t events = rig.journal.size();
    pause(rig, of_role());
    EXPECT_EQ(rig.journal.size(), events);
}

TEST(Paused, AWorkerGetsNothingWhileOthersDo) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.ready(1, 4);
    pause(rig, of_worker("w1"));
    EXPECT_TRUE(CoreRig::assignments(rig.submit("a")).empty());
    rig.hello(2, "w2");
    EXPECT_EQ(names(rig.ready(2, 4)), (Ids{"a"}));
    rig.submit("b");
    pause(rig, of_worker("w2"));
    EXPECT_TRUE(CoreRig::assignments(rig.submit("c")).empty());
    SetControl resume = of_worker("w1");
    resume.paused = false;
    EXPECT_EQ(names(rig.run(resume)), (Ids{"c"}));
}

TEST(Paused, AWorkerThatIsNotConnectedIsNotFound) {
    CoreRig rig;
    SetControl set = of_worker("typo");
    set.paused = true;
    EXPECT_EQ(CoreRig::refusal(rig.run(set)), "NOT_FOUND");
    set.paused = false;
    CoreRig::answer<ControlAnswer>(rig.run(set));
}

TEST(Drained, AWorkerIsToldAtOnceAndWithEveryHeartbeatAndGetsNothing) {
    CoreRig rig;
    rig.hello(1, "w1");
    rig.ready(1, 2);
    SetControl set = of_worker("w1");
    set.drain = true;
    auto effects = rig.run(set);
    const bool told = std::any_of(effects.begin(), effects.end(), [](const Effect& effect) {
        const auto* push = std::get_if<Push>(&effect);
        return push != nullptr && std::holds_alternative<DrainWord>(push->body);
    });
    EXPECT_TRUE(told);
    EXPECT_TRUE(CoreRig::assignments(rig.submit("a")).empty());
    EXPECT_TRUE(CoreRig::answer<BeatAnswer>(rig.heartbeat(1, {}, 2)).drain);
    rig.restart();
    rig.hello(2, "w1");
    EXPECT_TRUE(CoreRig::answer<BeatAnswer>(rig.heartbeat(2, {}, 2)).drain)
        << "a coordinator's restart does not forget it";
}

TEST(Drained, AWorkerServesAgainAfterItsOwnRestart) {
    CoreRig rig;
    rig.hello(1, "w1", 1);
    SetControl set = of_worker("w1");
    set.drain = true;
    rig.run(set);
    rig.submit("a");
    rig.hello(2, "w1", 2);
    EXPECT_EQ(names(rig.ready(2, 1)), (Ids{"a"}));
    EXPECT_TRUE(rig.state.durable.controls.empty()) << "and nothing is left of it";
}

TEST(Closed, ARoleRefusesSubmitsAndWorksOffWhatItHas) {
    CoreRig rig;
    rig.submit("a");
    SetControl set = of_role();
    set.closed = true;
    rig.run(set);
    EXPECT_EQ(CoreRig::refusal(rig.submit("b")), "DRAINING");
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig.submit("a")).duplicate)
        << "what was submitted before is only said again";
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 1)), (Ids{"a"}));
    rig.submit("other", "implement");
}

TEST(Concurrency, OfARoleIsNeverExceededAndTheNextStartsWhenOneEnds) {
    CoreRig rig;
    limit(rig, of_role(), concurrency(2));
    for (const char* id : {"a", "b", "c", "d"}) rig.submit(id);
    rig.hello(1, "w1");
    auto given = CoreRig::assignments(rig.ready(1, 4));
    ASSERT_EQ(given.size(), 2U);
    EXPECT_EQ(names(rig.complete("a", given[0].lease.token)), (Ids{"c"}));
}

TEST(Concurrency, OfARoleCountsWhatIsClaimedByHand) {
    CoreRig rig;
    limit(rig, of_role(), concurrency(1));
    rig.submit("a");
    rig.submit("b");
    rig.run(ClaimTask{{}, TaskId("a"), "me", minutes(1)});
    rig.hello(1, "w1");
    EXPECT_TRUE(CoreRig::assignments(rig.ready(1, 1)).empty());
    EXPECT_EQ(CoreRig::refusal(rig.run(ClaimTask{{}, TaskId("b"), "me", minutes(1)})), "CONFLICT");
}

TEST(Concurrency, OfALimitKeyHoldsAcrossRolesAndLetsOthersPass) {
    CoreRig rig;
    limit(rig, of_key("account"), concurrency(1));
    rig.submit(keyed("a", "account"));
    rig.submit(keyed("b", "account"));
    rig.submit(keyed("c", "account", "implement"));
    rig.submit("free");
    const OpenSession open = open_session(1, "w1", {"review", "implement"});
    rig.run(open);
    auto given = CoreRig::assignments(rig.ready(1, 8));
    ASSERT_EQ(given.size(), 2U);
    for (const auto& one : given) {
        if (one.task.id.text == "free") continue;
        EXPECT_EQ(CoreRig::assignments(rig.complete(one.task.id.text, one.lease.token)).size(), 1U)
            << "the next of the key, of whatever role";
    }
}

TEST(Concurrency, OfEveryLimitKeyIsWhatTheStarSays) {
    CoreRig rig;
    limit(rig, of_key("*"), concurrency(1));
    limit(rig, of_key("big"), concurrency(2));
    for (const char* id : {"a1", "a2"}) rig.submit(keyed(id, "a"));
    for (const char* id : {"b1", "b2", "b3"}) rig.submit(keyed(id, "big"));
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 8)), (Ids{"a1", "b1", "b2"}));
}

TEST(Concurrency, OfTheConfigurationHoldsUntilAnotherIsSetAndAgainAfterAReset) {
    CoreRig rig;
    rig.policy.role_limits[RoleName("review")] = concurrency(1);
    for (const char* id : {"a", "b", "c"}) rig.submit(id);
    rig.hello(1, "w1");
    EXPECT_EQ(names(rig.ready(1, 8)), (Ids{"a"}));
    SetControl set = of_role();
    set.limits = concurrency(2);
    EXPECT_EQ(names(rig.run(set)), (Ids{"b"}));
    set.limits = concurrency(0);
    EXPECT_EQ(names(rig.run(set)), (Ids{"c"})) << "0: no limit, whatever the configuration says";
    SetControl reset = of_role();
    reset.reset = true;
    rig.run(reset);
    EXPECT_TRUE(CoreRig::assignments(rig.submit("d")).empty());
    EXPECT_TRUE(rig.state.durable.controls.empty());
}

}  // namespace
}  // namespace zq::core
