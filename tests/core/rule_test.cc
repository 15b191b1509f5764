// What follows from a failure by the task's own rules, and what becomes of a task that is held.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

class Rules : public ::testing::Test {
  protected:
    void submit(const std::vector<std::string>& rules) {
        TaskSpec spec = CoreRig::spec("a");
        for (const std::string& rule : rules) {
            spec.retry_rules.push_back(parse_retry_rule(rule, "rule").value());
        }
        rig.submit(spec);
    }
    std::vector<Effect> fail_as(FailureClass failure, std::optional<std::int64_t> code = {},
                                Millis retry_after = {}) {
        EndAttempt end;
        end.kind = EndAttempt::Kind::kFail;
        end.task = TaskId("a");
        end.token = rig.assign_to(1, "w1").lease.token;
        end.failure = failure;
        end.exit_code = code;
        end.delay = retry_after;
        end.reason = "it broke";
        end.report = CoreRig::digest(static_cast<std::uint8_t>(++reports_));
        return rig.run(end);
    }
    void say(const std::string& choice) {
        const auto effects = rig.run(AnswerPerson{TaskId("a"), {}, choice, {}});
        CoreRig::answer<AcceptedAnswer>(effects);
    }
    const Task& task() const { return rig.task("a"); }

    CoreRig rig;

  private:
    int reports_ = 0;
};

TEST_F(Rules, AFailureOfTheModelIsDeadAtOnceUnlessARuleSaysOtherwise) {
    submit({});
    fail_as(FailureClass::kRefusal);
    EXPECT_EQ(task().state, TaskState::kDead);
    EXPECT_EQ(task().dead_reason, DeadReason::kPermanent);
}

TEST_F(Rules, ARuleAboutAClassTurnsItsUsualEnd) {
    submit({"context_overflow=retry:3s", "error=dead"});
    fail_as(FailureClass::kContextOverflow);
    EXPECT_EQ(task().state, TaskState::kRetryWait);
    EXPECT_EQ(task().due_at, rig.now + seconds(3));
    EXPECT_EQ(task().failures, 1U);
    rig.advance(seconds(3));
    fail_as(FailureClass::kError);
    EXPECT_EQ(task().dead_reason, DeadReason::kPermanent);
}

TEST_F(Rules, ARuleAboutAnExitCodeCountsBeforeOneAboutItsClass) {
    submit({"error=dead", "exit:7=retry"});
    fail_as(FailureClass::kError, 7);
    EXPECT_EQ(task().state, TaskState::kRetryWait);
}

TEST_F(Rules, ARateLimitWaitsAsLongAsItSaysAndUsesNoAttempt) {
    submit({});
    for (int i = 0; i < 10; ++i) {
        fail_as(FailureClass::kRateLimited, std::nullopt, minutes(7));
        EXPECT_EQ(task().due_at, rig.now + minutes(7));
        rig.advance(minutes(7));
        EXPECT_EQ(task().state, TaskState::kQueued);
    }
    EXPECT_EQ(task().failures, 0U);
    EXPECT_EQ(task().waits, 10U);
}

TEST_F(Rules, ARateLimitThatSaysNothingIsWaitedForAtLeastASecond) {
    TaskSpec spec = CoreRig::spec("a");
    spec.backoff = {Backoff::Kind::kNone, {}, {}};
    rig.submit(spec);
    fail_as(FailureClass::kRateLimited);
    EXPECT_EQ(task().due_at, rig.now + seconds(1));
}

TEST_F(Rules, WhatAWorkerSaysOfTheNextAttemptCountsMoreThanTheBackoff) {
    submit({});
    fail_as(FailureClass::kTransient, std::nullopt, hours(2));
    EXPECT_EQ(task().due_at, rig.now + hours(2));
}

TEST_F(Rules, AHeldFailureAsksAPersonAndIsRunAgainOnTheirWord) {
    submit({"crashed=hold"});
    fail_as(FailureClass::kCrashed);
    EXPECT_EQ(task().state, TaskState::kInputRequired);
    ASSERT_NE(open_question(task()), nullptr);
    EXPECT_EQ(open_question(task())->kind, QuestionKind::kHold);
    EXPECT_EQ(CoreRig::refusal(rig.run(AnswerPerson{TaskId("a"), {}, "perhaps", {}})), "INVALID");
    say("retry");
    EXPECT_EQ(task().state, TaskState::kQueued);
    fail_as(FailureClass::kCrashed);
    say("stop");
    EXPECT_EQ(task().state, TaskState::kDead);
    EXPECT_EQ(task().dead_reason, DeadReason::kRejected);
}

TEST_F(Rules, ATooOftenDeferredTaskMayBeHeldLikeAnyFailure) {
    submit({"error=hold"});
    for (std::uint32_t i = 0; i <= limits::kDeferrals; ++i) {
        EndAttempt later;
        later.kind = EndAttempt::Kind::kRelease;
        later.task = TaskId("a");
        later.token = rig.assign_to(1, "w1").lease.token;
        later.cause = ReleaseCause::kTryLater;
        later.delay = seconds(1);
        later.report = CoreRig::digest(static_cast<std::uint8_t>(i));
        rig.run(later);
        rig.advance(seconds(1));
    }
    EXPECT_EQ(task().state, TaskState::kInputRequired);
    EXPECT_EQ(open_question(task())->kind, QuestionKind::kHold);
}

class Held : public ::testing::Test {
  protected:
    Held() {
        TaskSpec spec = CoreRig::spec("a");
        spec.on_lost = OnLost::kHold;
        rig.submit(spec);
        token = rig.assign_to(1, "w1").lease.token;
        rig.heartbeat(1, {token});
    }
    CoreRig rig;
    LeaseToken token;
};

TEST_F(Held, AfterALossWaitsForAPersonInsteadOfRunningTwice) {
    rig.advance(seconds(75));
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
    EXPECT_EQ(rig.task("a").losses, 1U);
    rig.run(AnswerPerson{TaskId("a"), {}, "retry", {}});
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
}

TEST_F(Held, GoesOnWhenItsHolderIsBackAndAsksNobodyAnyMore) {
    rig.advance(seconds(75));
    rig.hello(2, "w1", 1, {token});
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    EXPECT_EQ(rig.task("a").losses, 0U);
    EXPECT_EQ(open_question(rig.task("a")), nullptr);
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", token));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
}

TEST_F(Held, TakesTheCompletionOfAHolderThatIsBack) {
    rig.advance(seconds(75));
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", token));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
}

TEST_F(Held, IsHeldAlsoWhenItsWorkerWasRestarted) {
    rig.hello(2, "w1", 2, {});
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
}

TEST_F(Held, StaysHeldOverARestart) {
    rig.advance(seconds(75));
    rig.restart();
    rig.advance(hours(5));
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
    rig.run(AnswerPerson{TaskId("a"), {}, "stop", {}});
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kRejected);
}

}  // namespace
}  // namespace zq::core
