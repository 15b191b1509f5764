// Approvals: what may not start, or does not count, without a person's word; and work that cannot
// be undone.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

const Identity kBoss("boss@1");

class ApprovalTest : public testing::Test {
  protected:
    static TaskSpec asking(const std::string& id, ApprovalTime time) {
        TaskSpec spec = CoreRig::spec(id);
        spec.approval.time = time;
        return spec;
    }
    const Question& question(const std::string& id) { return rig_.task(id).questions.back(); }

    std::vector<Effect> say(const std::string& id, const std::string& choice,
                            const std::string& note = {}) {
        AnswerPerson said;
        said.task = TaskId(id);
        said.choice = choice;
        said.answer = note;
        said.digest = question(id).digest;
        const Identity before = rig_.identity;
        rig_.identity = kBoss;
        auto effects = rig_.run(said);
        rig_.identity = before;
        return effects;
    }

    CoreRig rig_;
};

TEST_F(ApprovalTest, ATaskWaitsForItsApprovalWithoutAWorker) {
    auto submitted = rig_.submit(asking("t", ApprovalTime::kBefore));
    EXPECT_EQ(CoreRig::answer<SubmitAnswer>(submitted).state, TaskState::kInputRequired);
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInputRequired);
    rig_.hello(1, "w1");
    EXPECT_TRUE(CoreRig::assignments(rig_.ready(1, 1)).empty());
    EXPECT_EQ(question("t").kind, QuestionKind::kApproval);
    const auto effects = say("t", "approve", "looks right");
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(effects).state, TaskState::kQueued);
    ASSERT_EQ(CoreRig::assignments(effects).size(), 1U);
    EXPECT_EQ(question("t").answered_by, kBoss);
    EXPECT_EQ(question("t").answer, "looks right");
}

TEST_F(ApprovalTest, WhatIsRejectedIsDeadAndSaysByWhomAndWhy) {
    rig_.submit(asking("t", ApprovalTime::kBefore));
    say("t", "reject", "not on a Friday");
    EXPECT_EQ(rig_.state_of("t"), TaskState::kDead);
    EXPECT_EQ(rig_.task("t").dead_reason, DeadReason::kRejected);
    EXPECT_EQ(rig_.task("t").reason, "rejected by boss@1: not on a Friday");
}

TEST_F(ApprovalTest, IsBoundToTheDigestOfWhatIsApproved) {
    rig_.submit(asking("t", ApprovalTime::kBefore));
    EXPECT_EQ(question("t").digest, rig_.task("t").request);
    AnswerPerson said;
    said.task = TaskId("t");
    said.choice = "approve";
    EXPECT_EQ(CoreRig::refusal(rig_.run(said)), "INVALID");
    said.digest = CoreRig::digest(7);
    EXPECT_EQ(CoreRig::refusal(rig_.run(said)), "CONFLICT");
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInputRequired);
}

TEST_F(ApprovalTest, AnotherThanTheSubmitterApprovesWhereThatIsAsked) {
    TaskSpec spec = asking("t", ApprovalTime::kBefore);
    spec.approval.by_other = true;
    rig_.identity = kBoss;
    rig_.submit(spec);
    rig_.identity = Identity("ann@1");
    EXPECT_EQ(CoreRig::refusal(say("t", "approve")), "DENIED");
    AnswerPerson said;
    said.task = TaskId("t");
    said.choice = "approve";
    said.digest = question("t").digest;
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig_.run(said)).state, TaskState::kQueued);
}

TEST_F(ApprovalTest, NobodysWordInTimeIsARejection) {
    TaskSpec spec = asking("t", ApprovalTime::kBefore);
    spec.approval.timeout = minutes(10);
    rig_.submit(spec);
    rig_.advance(minutes(10) - millis(1));
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInputRequired);
    rig_.advance(millis(1));
    EXPECT_EQ(rig_.task("t").dead_reason, DeadReason::kRejected);
    EXPECT_EQ(rig_.task("t").reason, "nobody approved it in time");
}

TEST_F(ApprovalTest, ItIsAskedWhenTheTaskCouldStartAndNotBefore) {
    TaskSpec late = asking("late", ApprovalTime::kBefore);
    late.delay = minutes(1);
    rig_.submit(late);
    rig_.submit("first");
    TaskSpec second = asking("second", ApprovalTime::kBefore);
    second.after.tasks = {TaskId("first")};
    rig_.submit(second);
    EXPECT_EQ(rig_.state_of("late"), TaskState::kScheduled);
    EXPECT_EQ(rig_.state_of("second"), TaskState::kBlocked);
    rig_.advance(minutes(1));
    EXPECT_EQ(rig_.state_of("late"), TaskState::kInputRequired);
    const Assignment first = rig_.assign_to(1, "w1");
    rig_.complete("first", first.lease.token);
    EXPECT_EQ(rig_.state_of("second"), TaskState::kInputRequired);
}

TEST_F(ApprovalTest, ItsTtlAndItsDeadlineGoOnMeanwhile) {
    TaskSpec spec = asking("t", ApprovalTime::kBefore);
    spec.ttl = minutes(5);
    rig_.submit(spec);
    TaskSpec other = asking("u", ApprovalTime::kBefore);
    other.deadline = minutes(5);
    rig_.submit(other);
    rig_.advance(minutes(5));
    EXPECT_EQ(rig_.state_of("t"), TaskState::kExpired);
    EXPECT_EQ(rig_.state_of("u"), TaskState::kExpired);
}

TEST_F(ApprovalTest, ARetryIsNotApprovedAgainAndAReplayIs) {
    TaskSpec spec = asking("t", ApprovalTime::kBefore);
    spec.max_attempts = 2;
    spec.backoff.kind = Backoff::Kind::kNone;
    rig_.submit(spec);
    say("t", "approve");
    const Assignment one = rig_.assign_to(1, "w1");
    rig_.fail_attempt("t", one.lease.token);
    ASSERT_TRUE(rig_.task("t").approved);
    const Assignment two = rig_.assign_to(2, "w2");
    rig_.fail_attempt("t", two.lease.token);
    ASSERT_EQ(rig_.state_of("t"), TaskState::kDead);
    ReplayTask replay;
    replay.task = TaskId("t");
    rig_.run(replay);
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInputRequired);
    say("t", "approve");
    EXPECT_EQ(rig_.state_of("t"), TaskState::kQueued);
}

TEST_F(ApprovalTest, AResultThatIsToBeApprovedIsInReviewAndHoldsNothing) {
    rig_.submit(asking("t", ApprovalTime::kAfter));
    rig_.submit("next");
    const Assignment given = rig_.assign_to(1, "w1");
    const auto done = rig_.complete("t", given.lease.token);
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(done).state, TaskState::kInReview);
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInReview);
    EXPECT_FALSE(rig_.task("t").lease);
    EXPECT_EQ(CoreRig::assignments(rig_.ready(1, 1, given.lease.token)).size(), 1U)
        << "its slot is free";
    say("t", "approve");
    EXPECT_EQ(rig_.state_of("t"), TaskState::kCompleted);
}

TEST_F(ApprovalTest, ARejectedResultIsDeadAndCountsForNobody) {
    rig_.submit(asking("t", ApprovalTime::kAfter));
    TaskSpec after = CoreRig::spec("after");
    after.after.tasks = {TaskId("t")};
    rig_.submit(after);
    const Assignment given = rig_.assign_to(1, "w1");
    rig_.complete("t", given.lease.token);
    EXPECT_EQ(rig_.state_of("after"), TaskState::kBlocked) << "it has not ended";
    say("t", "reject", "wrong file");
    EXPECT_EQ(rig_.task("t").dead_reason, DeadReason::kRejected);
    EXPECT_EQ(rig_.state_of("after"), TaskState::kSkipped);
}

TEST_F(ApprovalTest, WhoWaitsForAResultGoesOnWhenItIsApproved) {
    rig_.submit(asking("t", ApprovalTime::kAfter));
    TaskSpec after = CoreRig::spec("after");
    after.after.tasks = {TaskId("t")};
    rig_.submit(after);
    rig_.complete("t", rig_.assign_to(1, "w1").lease.token);
    say("t", "approve");
    EXPECT_EQ(rig_.state_of("after"), TaskState::kQueued);
}

TEST_F(ApprovalTest, WhatIsInReviewOutlivesItsDeadlineAndARestartAndCanBeCancelled) {
    TaskSpec spec = asking("t", ApprovalTime::kAfter);
    spec.deadline = minutes(5);
    rig_.submit(spec);
    rig_.complete("t", rig_.assign_to(1, "w1").lease.token);
    rig_.advance(hours(1));
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInReview) << "it was done in time";
    rig_.restart();
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInReview);
    CancelTask cancel;
    cancel.task = TaskId("t");
    rig_.run(cancel);
    EXPECT_EQ(rig_.state_of("t"), TaskState::kCancelled);
}

TEST_F(ApprovalTest, ARestartBetweenTheQuestionAndItsAnswerLosesNothing) {
    rig_.submit(asking("t", ApprovalTime::kBefore));
    rig_.restart();
    say("t", "approve");
    rig_.restart();
    EXPECT_EQ(rig_.state_of("t"), TaskState::kQueued);
    EXPECT_TRUE(rig_.task("t").approved);
}

// --- What cannot be undone -----------------------------------------------------------------------

TaskSpec irreversible(const std::string& id) {
    TaskSpec spec = CoreRig::spec(id);
    spec.labels["side_effects"] = "irreversible";
    spec.max_attempts = 5;
    return spec;
}

TEST_F(ApprovalTest, WorkThatCannotBeUndoneIsApprovedFirstAndHasOneAttempt) {
    rig_.submit(irreversible("t"));
    EXPECT_EQ(rig_.state_of("t"), TaskState::kInputRequired);
    say("t", "approve");
    rig_.fail_attempt("t", rig_.assign_to(1, "w1").lease.token);
    EXPECT_EQ(rig_.state_of("t"), TaskState::kDead) << "no attempt follows by itself";
}

TEST_F(ApprovalTest, WorkThatCannotBeUndoneIsHeldAfterALossAndARateLimit) {
    for (const std::string id : {"lost", "limited"}) {
        rig_.submit(irreversible(id));
        say(id, "approve");
    }
    const Assignment lost = rig_.assign_to(1, "w1");
    const std::string id = lost.task.id.text;
    rig_.heartbeat(1, {lost.lease.token});
    rig_.advance(rig_.policy.lease + rig_.policy.heartbeat * 2);
    EXPECT_EQ(rig_.state_of(id), TaskState::kInputRequired);
    EXPECT_EQ(question(id).kind, QuestionKind::kHold);
    const Assignment limited = rig_.assign_to(2, "w2");
    rig_.fail_attempt(limited.task.id.text, limited.lease.token, FailureClass::kRateLimited);
    EXPECT_EQ(question(limited.task.id.text).kind, QuestionKind::kHold);
}

TEST_F(ApprovalTest, ByHandItCanBeSaidThatNoApprovalIsNeeded) {
    TaskSpec spec = irreversible("t");
    spec.approval.time = ApprovalTime::kNone;
    rig_.submit(spec);
    EXPECT_EQ(rig_.state_of("t"), TaskState::kQueued);
    EXPECT_EQ(rig_.task("t").max_attempts, 1U) << "it is repeated no more for that";
}

TEST_F(ApprovalTest, ARuleOfTheConfigurationCannotBeSpokenAgainst) {
    ApprovalRule& rule = rig_.policy.role_approvals[RoleName("review")];
    rule.approval.time = ApprovalTime::kBefore;
    rule.approval.by_other = true;
    rig_.submit(asking("none", ApprovalTime::kNone));
    rig_.submit(asking("after", ApprovalTime::kAfter));
    for (const std::string id : {"none", "after"}) {
        EXPECT_EQ(rig_.state_of(id), TaskState::kInputRequired) << id;
        EXPECT_TRUE(rig_.task(id).approval.by_other);
    }
}

TEST_F(ApprovalTest, TheStricterOfTwoRulesHolds) {
    rig_.policy.role_approvals[RoleName("review")].approval.time = ApprovalTime::kAfter;
    rig_.policy.type_approvals["payment"].irreversible = true;
    rig_.policy.type_approvals["payment"].approval.time = ApprovalTime::kBefore;
    TaskSpec spec = CoreRig::spec("t");
    spec.type = "payment";
    rig_.submit(spec);
    EXPECT_EQ(rig_.task("t").approval.time, ApprovalTime::kBefore);
    EXPECT_EQ(rig_.task("t").on_lost, OnLost::kHold);
    rig_.submit("u");
    EXPECT_EQ(rig_.task("u").approval.time, ApprovalTime::kAfter);
}

TEST_F(ApprovalTest, TheSameSubmitAgainIsTheSameTaskThoughTheRulesMadeMoreOfIt) {
    rig_.policy.role_approvals[RoleName("review")].approval.time = ApprovalTime::kBefore;
    const TaskSpec spec = CoreRig::spec("t");
    rig_.submit(spec);
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig_.submit(spec)).duplicate);
}

// --- Keys ----------------------------------------------------------------------------------------

TEST(KnownKeys, AreJournaledWhenWhatTheyMayDoChangesAndNeverElse) {
    CoreRig rig;
    NoteAccess note;
    note.keys = {{"f1", KeyAccess{Identity("ann@f1"), KeyKind::kClient, {"put"}, {}, {}}},
                 {"f2", std::nullopt}};
    note.reason = "she joined";
    const std::size_t before = rig.journal.size();
    rig.run(note);
    rig.run(note);
    EXPECT_EQ(rig.journal.size(), before + 1);
    rig.restart();
    ASSERT_EQ(rig.state.durable.access.size(), 1U);
    EXPECT_EQ(rig.state.durable.access.at("f1").permissions, std::vector<std::string>{"put"});
    note.keys.front().access.reset();
    rig.run(note);
    EXPECT_TRUE(rig.state.durable.access.empty());
}

}  // namespace
}  // namespace zq::core
