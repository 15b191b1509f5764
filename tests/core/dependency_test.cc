// Tasks that wait for others: when they start, and what becomes of them when that can't be.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

class Dependencies : public ::testing::Test {
  protected:
    /// `after`: ids with spaces between them.
    TaskSpec spec_after(const std::string& id, const std::vector<std::string>& after,
                        AfterMode mode = AfterMode::kAllOk, OnUnmet on = OnUnmet::kSkip,
                        std::uint32_t count = 0) {
        TaskSpec spec = CoreRig::spec(id);
        for (const std::string& one : after) spec.after.tasks.emplace_back(one);
        spec.after.mode = mode;
        spec.after.on_unmet = on;
        spec.after.count = count;
        return spec;
    }
    void submit(const TaskSpec& spec) { CoreRig::answer<SubmitAnswer>(rig.submit(spec)); }
    void complete(const std::string& id) { CoreRig::answer<AcceptedAnswer>(rig.complete(id, {})); }
    void cancel(const std::string& id, bool cascade = false) {
        CoreRig::answer<AcceptedAnswer>(rig.run(CancelTask{TaskId(id), "no need", cascade}));
    }
    TaskState state_of(const std::string& id) { return rig.state_of(id); }

    CoreRig rig;
};

TEST_F(Dependencies, ATaskWaitsUntilAllItWaitsForHaveGoneWell) {
    rig.submit("a");
    rig.submit("b");
    submit(spec_after("c", {"b", "a"}));
    EXPECT_EQ(state_of("c"), TaskState::kBlocked);
    complete("a");
    EXPECT_EQ(state_of("c"), TaskState::kBlocked);
    complete("b");
    EXPECT_EQ(state_of("c"), TaskState::kQueued);
}

TEST_F(Dependencies, WhatEndsAndWhatFollowsStandInOneDecision) {
    rig.submit("a");
    submit(spec_after("b", {"a"}));
    submit(spec_after("c", {"b"}));
    const std::size_t before = rig.journal.size();
    cancel("a");
    EXPECT_EQ(state_of("b"), TaskState::kSkipped);
    EXPECT_EQ(state_of("c"), TaskState::kSkipped);
    EXPECT_EQ(rig.journal.size(), before + 3);
    EXPECT_EQ(rig.task("b").reason, "it waited for a, which did not go well");
}

TEST_F(Dependencies, AWaitSurvivesARestart) {
    rig.submit("a");
    rig.submit("b");
    submit(spec_after("c", {"a", "b"}));
    complete("a");
    rig.restart();
    complete("b");
    EXPECT_EQ(state_of("c"), TaskState::kQueued);
}

TEST_F(Dependencies, OneOfThemIsEnoughWhereThatWasAsked) {
    rig.submit("a");
    rig.submit("b");
    submit(spec_after("c", {"a", "b"}, AfterMode::kAnyOk));
    cancel("a");
    EXPECT_EQ(state_of("c"), TaskState::kBlocked);
    complete("b");
    EXPECT_EQ(state_of("c"), TaskState::kQueued);
}

TEST_F(Dependencies, AsManyAsWereAskedForAreEnoughAndFewerAreNot) {
    for (const char* id : {"a", "b", "c"}) rig.submit(id);
    submit(spec_after("two", {"a", "b", "c"}, AfterMode::kKOfN, OnUnmet::kDead, 2));
    submit(spec_after("three", {"a", "b", "c"}, AfterMode::kKOfN, OnUnmet::kDead, 3));
    complete("a");
    cancel("b");
    EXPECT_EQ(state_of("two"), TaskState::kBlocked);
    EXPECT_EQ(state_of("three"), TaskState::kDead);
    EXPECT_EQ(rig.task("three").dead_reason, DeadReason::kDependencyFailed);
    complete("c");
    EXPECT_EQ(state_of("two"), TaskState::kQueued);
}

TEST_F(Dependencies, HowTheyEndDoesNotMatterWhereThatWasAsked) {
    rig.submit("a");
    submit(spec_after("b", {"a"}, AfterMode::kAllDone));
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token, FailureClass::kPermanent);
    EXPECT_EQ(state_of("b"), TaskState::kQueued);
}

TEST_F(Dependencies, ATaskThatRunsWithFailuresWaitsForAllTheSame) {
    rig.submit("a");
    rig.submit("b");
    submit(spec_after("c", {"a", "b"}, AfterMode::kAllOk, OnUnmet::kRun));
    cancel("a");
    EXPECT_EQ(state_of("c"), TaskState::kBlocked);
    complete("b");
    EXPECT_EQ(state_of("c"), TaskState::kQueued);
}

TEST_F(Dependencies, WhatAWorkerSkippedWentWellAndWhatWaitedInVainDidNot) {
    rig.submit("a");
    submit(spec_after("b", {"a"}));
    EndAttempt skip;
    skip.kind = EndAttempt::Kind::kSkip;
    skip.task = TaskId("a");
    skip.report = CoreRig::digest(1);
    rig.run(skip);
    EXPECT_EQ(state_of("b"), TaskState::kQueued);
    cancel("b");
    submit(spec_after("c", {"b"}));
    rig.advance(millis(1));
    EXPECT_EQ(state_of("c"), TaskState::kSkipped);
    submit(spec_after("d", {"c"}));
    rig.advance(millis(1));
    EXPECT_EQ(state_of("d"), TaskState::kSkipped);
}

TEST_F(Dependencies, ThatHaveEndedBeforeTheSubmitCountAsWell) {
    rig.submit("a");
    complete("a");
    forget_projected(rig.state, rig.state.durable.last_seq);
    rig.facts.upstream[TaskId("a")] = true;
    submit(spec_after("b", {"a"}));
    EXPECT_EQ(state_of("b"), TaskState::kQueued);
}

TEST_F(Dependencies, ThatAreNotThereAreRefusedAndSoIsATaskThatWaitsForItself) {
    EXPECT_EQ(CoreRig::refusal(rig.submit(spec_after("b", {"nobody"}))), "NOT_FOUND");
    auto cycle = validate(spec_after("b", {"b"}));
    ASSERT_FALSE(cycle);
    EXPECT_EQ(cycle.error().field, "task.after.tasks");
    EXPECT_FALSE(validate(spec_after("b", {"a", "a"})));
    EXPECT_FALSE(validate(spec_after("b", {"a"}, AfterMode::kKOfN, OnUnmet::kSkip, 2)));
    EXPECT_FALSE(validate(spec_after("b", {"a"}, AfterMode::kAllOk, OnUnmet::kSkip, 1)));
    EXPECT_FALSE(validate(spec_after("b", {}, AfterMode::kAnyOk)));
}

TEST_F(Dependencies, ItsOwnDelayAndTtlCountAsWell) {
    rig.submit("a");
    TaskSpec spec = spec_after("b", {"a"});
    spec.delay = minutes(10);
    spec.ttl = minutes(1);
    submit(spec);
    rig.advance(minutes(5));
    complete("a");
    EXPECT_EQ(state_of("b"), TaskState::kScheduled);
    rig.advance(minutes(5));
    EXPECT_EQ(state_of("b"), TaskState::kQueued);
    rig.advance(minutes(1));
    EXPECT_EQ(state_of("b"), TaskState::kExpired);
}

TEST_F(Dependencies, ADeadlineEndsAWait) {
    rig.submit("a");
    TaskSpec spec = spec_after("b", {"a"});
    spec.deadline = minutes(10);
    submit(spec);
    submit(spec_after("c", {"b"}));
    rig.advance(minutes(10));
    EXPECT_EQ(state_of("b"), TaskState::kExpired);
    EXPECT_EQ(state_of("c"), TaskState::kSkipped);
    complete("a");
}

TEST_F(Dependencies, ACancelThatCascadesCancelsAllThatWait) {
    rig.submit("a");
    submit(spec_after("b", {"a"}, AfterMode::kAllOk, OnUnmet::kRun));
    submit(spec_after("c", {"b"}));
    submit(spec_after("other", {}));
    cancel("a", true);
    EXPECT_EQ(state_of("b"), TaskState::kCancelled);
    EXPECT_EQ(state_of("c"), TaskState::kCancelled);
    EXPECT_EQ(state_of("other"), TaskState::kQueued);
}

TEST_F(Dependencies, ACancelThatCascadesFromARunningTaskCancelsAtOnceWhatWaits) {
    rig.submit("a");
    submit(spec_after("b", {"a"}));
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    cancel("a", true);
    EXPECT_EQ(state_of("a"), TaskState::kCancelling);
    EXPECT_EQ(state_of("b"), TaskState::kCancelled);
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", token));
}

TEST_F(Dependencies, WhatAnOpenTaskWaitsForIsNotRemoved) {
    rig.submit("a");
    rig.submit("z");
    submit(spec_after("b", {"a", "z"}, AfterMode::kAllDone));
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token, FailureClass::kPermanent);
    EXPECT_EQ(CoreRig::refusal(rig.run(RemoveTask{TaskId("a"), ""})), "CONFLICT");
    complete("z");
    complete("b");
    CoreRig::answer<ChangedAnswer>(rig.run(RemoveTask{TaskId("a"), ""}));
}

TEST_F(Dependencies, ThousandsMayWaitForOneAndOneForThousands) {
    constexpr int kMany = 3'000;
    rig.unchecked = true;
    rig.submit("root");
    TaskSpec last = spec_after("last", {});
    for (int i = 0; i < kMany; ++i) {
        const std::string id = "m" + std::to_string(i);
        submit(spec_after(id, {"root"}, AfterMode::kAllOk, OnUnmet::kSkip));
        last.after.tasks.emplace_back(id);
    }
    last.after.on_unmet = OnUnmet::kRun;
    submit(last);
    rig.unchecked = false;
    cancel("root");
    for (int i = 0; i < kMany; ++i) {
        ASSERT_EQ(state_of("m" + std::to_string(i)), TaskState::kSkipped);
    }
    EXPECT_EQ(state_of("last"), TaskState::kQueued);
}

TEST_F(Dependencies, AnEndThatWouldMakeADecisionTooLongIsSpreadByTheNextTicks) {
    rig.unchecked = true;
    rig.submit("root");
    constexpr int kWide = 6'000;
    std::string above = "root";
    for (int level = 0; level < 5; ++level) {
        for (int i = 0; i < kWide; ++i) {
            const std::string id = "l" + std::to_string(level) + "-" + std::to_string(i);
            submit(spec_after(id, {above}));
        }
        above = "l" + std::to_string(level) + "-0";
    }
    cancel("root");
    rig.unchecked = false;
    EXPECT_LT(rig.journal.size(), 5U * kWide + 40'000U);
    rig.advance(millis(1));
    for (int level = 0; level < 5; ++level) {
        EXPECT_EQ(state_of("l" + std::to_string(level) + "-" + std::to_string(kWide - 1)),
                  TaskState::kSkipped);
    }
}

}  // namespace
}  // namespace zq::core
