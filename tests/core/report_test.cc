#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

struct Running : CoreRig {
    explicit Running(TaskSpec made = CoreRig::spec("a")) {
        submit(made);
        token = assign_to(1, "w1").lease.token;
        heartbeat(1, {token});
    }
    EndAttempt report(EndAttempt::Kind kind) const {
        EndAttempt end;
        end.kind = kind;
        end.task = TaskId("a");
        end.token = token;
        end.report = digest(50);
        return end;
    }
    LeaseToken token;
};

TEST(Report, TheSameReportGetsTheSameAnswerAndAnotherOneIsAConflict) {
    Running rig;
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", rig.token));
    auto again = CoreRig::answer<AcceptedAnswer>(rig.complete("a", rig.token));
    EXPECT_EQ(again.state, TaskState::kCompleted);
    EXPECT_EQ(CoreRig::refusal(rig.fail_attempt("a", rig.token)), "CONFLICT");
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
}

TEST(Report, IsStillAnsweredAlikeWhenTheAttemptIsOnlyInTheStore) {
    Running rig;
    rig.complete("a", rig.token);
    const Task task = rig.task("a");
    const Attempt attempt = rig.state.index.attempts.begin()->second;
    forget_projected(rig.state, rig.state.durable.last_seq);
    rig.facts.task = task;
    rig.facts.attempt = attempt;
    auto again = CoreRig::answer<AcceptedAnswer>(rig.complete("a", rig.token));
    EXPECT_EQ(again.state, TaskState::kCompleted);
}

TEST(Report, SkippedIsASuccess) {
    Running rig;
    rig.run(rig.report(EndAttempt::Kind::kSkip));
    EXPECT_EQ(rig.state_of("a"), TaskState::kSkipped);
}

TEST(Report, CompletionWithoutWhatWasExpectedIsRefusedAndTheLeaseStays) {
    TaskSpec spec = CoreRig::spec("a");
    spec.expected.artifacts = {"patch", "summary"};
    Running rig(spec);
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", rig.token)), "CONTRACT");
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    EndAttempt end = rig.report(EndAttempt::Kind::kComplete);
    end.summary = "two files changed";
    end.artifacts = {{"patch.diff", CoreRig::digest(3), 10, "", ""}};
    CoreRig::answer<AcceptedAnswer>(rig.run(end));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
}

TEST(Report, CompletionThatBreaksARuleOfTheEnvelopeIsRefusedWithAllThatIsWrong) {
    TaskSpec spec = CoreRig::spec("a");
    spec.expected.artifacts = {"patch"};
    spec.expected.rules = {{"log", "", 1, 0, true}};
    Running rig(spec);
    EXPECT_TRUE(rig.task("a").has_rules);
    rig.facts.unmet = "log is missing";
    auto effects = rig.run(rig.report(EndAttempt::Kind::kComplete));
    EXPECT_EQ(CoreRig::refusal(effects), "CONTRACT");
    const auto& no = std::get<Rejected>(std::get<Answer>(effects.front()).body);
    EXPECT_EQ(no.error.message, "expected artifacts are missing: patch; log is missing");
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Report, WhatBrokeTheContractIsToldToEveryAttemptAfterIt) {
    TaskSpec spec = CoreRig::spec("a");
    spec.backoff = {Backoff::Kind::kNone, {}, {}};
    Running rig(spec);
    EndAttempt end = rig.report(EndAttempt::Kind::kFail);
    end.failure = FailureClass::kContract;
    end.reason = "no patch";
    rig.run(end);
    const Feedback told{1, "no patch"};
    EXPECT_EQ(rig.task("a").feedback, told);
    rig.restart();
    const Assignment second = rig.assign_to(2, "w2");
    EXPECT_EQ(second.feedback, told);
    rig.heartbeat(2, {second.lease.token});
    rig.fail_attempt("a",
                     second.lease.token);  // for another reason: that says nothing of the result
    EXPECT_EQ(rig.assign_to(3, "w3").feedback, told);
}

TEST(Report, AnOrdinaryFailureSendsNothingBack) {
    TaskSpec spec = CoreRig::spec("a");
    spec.backoff = {Backoff::Kind::kNone, {}, {}};
    Running rig(spec);
    rig.fail_attempt("a", rig.token);
    EXPECT_EQ(rig.task("a").feedback, Feedback{});
}

TEST(Report, ATaskWhoseLastAttemptBrokeTheContractIsDeadForIt) {
    TaskSpec spec = CoreRig::spec("a");
    spec.max_attempts = 1;
    Running rig(spec);
    rig.fail_attempt("a", rig.token, FailureClass::kContract);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kContract);
}

TEST(Report, NamingContentThatIsNotStoredIsAnsweredWithTheList) {
    Running rig;
    rig.facts.missing = {CoreRig::digest(9)};
    auto effects = rig.run(rig.report(EndAttempt::Kind::kComplete));
    EXPECT_EQ(CoreRig::refusal(effects), "MISSING_CONTENT");
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
}

TEST(Report, OfATaskNobodyHoldsClaimsAndEndsItInOneCommit) {
    CoreRig rig;
    rig.submit("a");
    const std::size_t before = rig.journal.size();
    CoreRig::answer<AcceptedAnswer>(rig.complete("a", {}));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
    EXPECT_EQ(rig.journal.size(), before + 3) << "assigned, remembered, ended";
    EXPECT_EQ(rig.task("a").worker.text, "hand");
    auto again = CoreRig::answer<AcceptedAnswer>(rig.complete("a", {}));
    EXPECT_EQ(again.state, TaskState::kCompleted);
    EXPECT_EQ(CoreRig::refusal(rig.fail_attempt("a", {})), "CONFLICT");
}

TEST(Report, WithoutALeaseThatIsSentAgainEndsNoSecondAttempt) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.backoff = {Backoff::Kind::kNone, {}, {}};
    rig.submit(spec);
    CoreRig::answer<AcceptedAnswer>(rig.fail_attempt("a", {}));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    for (int i = 0; i < 3; ++i) {
        --rig.request;  // the same request: its answer was lost
        CoreRig::answer<AcceptedAnswer>(rig.fail_attempt("a", {}));
    }
    EXPECT_EQ(rig.task("a").failures, 1U);
    CoreRig::answer<AcceptedAnswer>(rig.fail_attempt("a", {}));
    EXPECT_EQ(rig.task("a").failures, 2U) << "another request is another failure";
}

TEST(Report, WithoutALeaseIsRefusedWhereAnotherHoldsTheTask) {
    Running rig;
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", {})), "CONFLICT");
}

TEST(Report, OfAnUnknownTaskIsNotFound) {
    CoreRig rig;
    EXPECT_EQ(CoreRig::refusal(rig.complete("nobody", {})), "NOT_FOUND");
}

TEST(Report, ReleaseGivesTheTaskBackWithoutACharge) {
    Running rig;
    rig.run(rig.report(EndAttempt::Kind::kRelease));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.task("a").failures, 0U);
    EndAttempt late = rig.report(EndAttempt::Kind::kComplete);
    late.report = CoreRig::digest(51);
    EXPECT_EQ(CoreRig::refusal(rig.run(late)), "CONFLICT") << "a released lease is over";
}

TEST(Report, ProgressIsVisibleAndOnlySampledInTheJournal) {
    Running rig;
    rig.run(NoteProgress{TaskId("a"), rig.token, 10, "1/3", "reading"});
    const std::size_t events = rig.journal.size();
    rig.run(NoteProgress{TaskId("a"), rig.token, 20, "2/3", "thinking"});
    EXPECT_EQ(rig.journal.size(), events);
    EXPECT_EQ(rig.state.now.progress.begin()->second.percent, 20U);
    rig.now = rig.now + limits::kProgressJournalEvery;
    rig.run(NoteProgress{TaskId("a"), rig.token, 30, "3/3", "writing"});
    EXPECT_EQ(rig.journal.size(), events + 1);
}

}  // namespace
}  // namespace zq::core
