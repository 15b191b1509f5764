// Whose turn it is among the submitters of a role, and among their tasks.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TaskSpec from(const std::string& submitter, const std::string& id, int priority = 5) {
    TaskSpec spec = CoreRig::spec(id);
    spec.from = submitter;
    spec.priority = priority;
    return spec;
}

/// The ids of what one worker with so many free slots is given, in order.
std::vector<std::string> given(CoreRig& rig, std::uint32_t slots) {
    std::vector<std::string> ids;
    rig.hello(1, "w1");
    for (const auto& a : CoreRig::assignments(rig.ready(1, slots))) ids.push_back(a.task.id.text);
    return ids;
}

using Ids = std::vector<std::string>;

TEST(Turns, OneTaskDoesNotWaitForTheThousandsOfAnother) {
    CoreRig rig;
    rig.unchecked = true;
    for (int i = 0; i < 3000; ++i) rig.submit(from("a", "a-" + std::to_string(1000 + i)));
    rig.now = rig.now + hours(1);
    rig.submit(from("b", "b"));
    // Both have waited for their turn: the one since an hour ago, the other since now.
    EXPECT_EQ(given(rig, 3), (Ids{"a-1000", "b", "a-1001"}));
}

TEST(Turns, SubmittersOfOnePriorityAlternateWhateverTheyHaveWaiting) {
    CoreRig rig;
    for (int i = 0; i < 4; ++i) rig.submit(from("a", "a" + std::to_string(i)));
    rig.now = rig.now + seconds(1);
    for (int i = 0; i < 2; ++i) rig.submit(from("b", "b" + std::to_string(i)));
    EXPECT_EQ(given(rig, 6), (Ids{"a0", "b0", "a1", "b1", "a2", "a3"}));
}

TEST(Turns, WithoutOthersASubmittersTasksLeaveFirstInFirstOut) {
    CoreRig rig;
    for (const char* id : {"c", "a", "b"}) rig.submit(from("x", id));
    EXPECT_EQ(given(rig, 3), (Ids{"c", "a", "b"}));
}

TEST(Turns, TasksOfSeveralSubmittersWithOneEachLeaveFirstInFirstOut) {
    CoreRig rig;
    for (const char* id : {"c", "a", "b"}) {
        rig.submit(from(id, id));
        rig.now = rig.now + seconds(1);
    }
    EXPECT_EQ(given(rig, 3), (Ids{"c", "a", "b"}));
}

TEST(Turns, AHigherPriorityGoesBeforeOtherSubmitters) {
    CoreRig rig;
    rig.submit(from("a", "normal"));
    rig.now = rig.now + seconds(1);
    for (const char* id : {"urgent1", "urgent2"}) rig.submit(from("b", id, 10));
    EXPECT_EQ(given(rig, 3), (Ids{"urgent1", "urgent2", "normal"}));
}

TEST(Turns, ALowerPriorityHasItsTurnAfterSoManyAgeSteps) {
    CoreRig rig;
    rig.policy.age_step = minutes(1);
    rig.submit(from("a", "low", 4));
    for (int i = 0; i < 20; ++i) rig.submit(from("b", "normal" + std::to_string(i)));
    rig.hello(1, "w1");
    int before_low = 0;
    // One task every ten seconds, always with normal ones waiting.
    while (rig.state_of("low") == TaskState::kQueued && before_low < 20) {
        for (const auto& a : CoreRig::assignments(rig.ready(1, 1))) {
            if (a.task.id.text != "low") ++before_low;
            rig.complete(a.task.id.text, a.lease.token);
        }
        rig.now = rig.now + seconds(10);
    }
    EXPECT_GE(before_low, 5);
    EXPECT_LE(before_low, 8);
}

TEST(Turns, AnUrgentTaskThatMayNotStartLendsItsPriorityToNoOther) {
    CoreRig rig;
    TaskSpec urgent = from("a", "urgent", 10);
    urgent.needs = {"gpu"};
    rig.submit(urgent);
    for (int i = 0; i < 3; ++i) rig.submit(from("a", "low" + std::to_string(i), 0));
    rig.now = rig.now + seconds(1);
    for (int i = 0; i < 2; ++i) rig.submit(from("b", "normal" + std::to_string(i), 5));
    EXPECT_EQ(given(rig, 4), (Ids{"normal0", "normal1", "low0", "low1"}));
}

TEST(Turns, OfWhoHasTasksAgainBeginAnew) {
    CoreRig rig;
    rig.submit(from("a", "a0"));
    EXPECT_EQ(given(rig, 1), (Ids{"a0"}));
    EXPECT_TRUE(rig.state.now.turns.empty());
}

TEST(Turns, AreTakenByClaimsToo) {
    CoreRig rig;
    for (const char* id : {"a0", "a1"}) rig.submit(from("a", id));
    rig.now = rig.now + seconds(1);
    for (const char* id : {"b0", "b1"}) rig.submit(from("b", id));
    Ids claimed;
    for (int i = 0; i < 4; ++i) {
        auto effects = rig.run(ClaimTask{RoleName("review"), {}, "me", minutes(1)});
        claimed.push_back(CoreRig::answer<ClaimAnswer>(effects).task.id.text);
    }
    EXPECT_EQ(claimed, (Ids{"a0", "b0", "a1", "b1"}));
}

TEST(Turns, SkipWhatNoFreeWorkerHasTheLabelsFor) {
    CoreRig rig;
    TaskSpec gpu = from("a", "gpu");
    gpu.needs = {"gpu"};
    rig.submit(gpu);
    rig.submit(from("a", "any"));
    EXPECT_EQ(given(rig, 2), (Ids{"any"}));
    OpenSession open{
        2, WorkerName("w2"), StateId(std::string(32, '2')), 1, {RoleName("review")}, {}, 4};
    open.labels = {"region=eu", "gpu"};
    rig.run(open);
    auto assigned = CoreRig::assignments(rig.ready(2, 4));
    ASSERT_EQ(assigned.size(), 1U);
    EXPECT_EQ(assigned[0].task.id.text, "gpu");
}

TEST(Turns, ATaskThatNeedsLabelsIsClaimedByHandOnlyByItsId) {
    CoreRig rig;
    TaskSpec gpu = from("a", "gpu");
    gpu.needs = {"gpu"};
    rig.submit(gpu);
    EXPECT_EQ(CoreRig::refusal(rig.run(ClaimTask{RoleName("review"), {}, "me", minutes(1)})),
              "NOTHING_TO_CLAIM");
    auto effects = rig.run(ClaimTask{{}, TaskId("gpu"), "me", minutes(1)});
    EXPECT_EQ(CoreRig::answer<ClaimAnswer>(effects).task.id.text, "gpu");
}

}  // namespace
}  // namespace zq::core
