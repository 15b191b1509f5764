// The handshake, credit, leases' clocks and the worker's own end.
#include "tests/worker/session_rig.h"

namespace zq::worker {
namespace {

TEST(WorkerSession, SaysHelloUntilItIsWelcomedAndThenItsCredit) {
    SessionRig rig(3);
    EXPECT_EQ(rig.count_sent<wire::Hello>(), 1U);
    rig.pass(seconds(4));
    EXPECT_GE(rig.count_sent<wire::Hello>(), 2U);
    EXPECT_EQ(rig.count_sent<wire::Ready>(), 0U);
    rig.welcome();
    ASSERT_NE(rig.last<wire::Ready>(), nullptr);
    EXPECT_EQ(rig.last<wire::Ready>()->free, 3U);
}

TEST(WorkerSession, CreditIsTheNumberOfFreeSlotsAndNamesTheLastAssignmentSeen) {
    SessionRig rig(2);
    rig.welcome();
    rig.assign(11, "t-a");
    EXPECT_EQ(rig.count<Start>(), 1U);
    rig.pass(seconds(10));
    const auto* beat = rig.last<wire::Heartbeat>();
    ASSERT_NE(beat, nullptr);
    EXPECT_EQ(beat->free, 1U);
    EXPECT_EQ(beat->seen, token(11));
    ASSERT_EQ(beat->leases.size(), 1U);
    EXPECT_EQ(beat->leases[0].lease, token(11));
}

TEST(WorkerSession, AnAssignmentThatComesTwiceIsStartedOnce) {
    SessionRig rig(2);
    rig.welcome();
    rig.assign(11, "t-a");
    rig.assign(11, "t-a");
    EXPECT_EQ(rig.count<Start>(), 1U);
    EXPECT_EQ(rig.session.held(), 1U);
}

TEST(WorkerSession, AnAssignmentThatComesAfterItsLeaseEndedIsDroppedUnconfirmed) {
    SessionRig rig;
    rig.welcome();
    const std::uint64_t ready = rig.last_id();
    rig.pass(seconds(5));
    rig.now = rig.now + seconds(50);  // the message was under way for that long
    rig.assign(11, "t-a", ready);
    EXPECT_EQ(rig.count<Start>(), 0U);
    rig.pass(seconds(11));
    rig.welcome();
    EXPECT_FALSE(rig.last<wire::Ready>()->seen.is_set());
}

TEST(WorkerSession, AnAssignmentThatAnswersNothingWeSentIsDropped) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a", 9999);
    EXPECT_EQ(rig.count<Start>(), 0U);
}

TEST(WorkerSession, ALeaseRunsFromWhenItsRenewalWasSentNotFromWhenTheAnswerCame) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.pass(seconds(10));
    const Millis sent_at = rig.now;
    rig.now = rig.now + seconds(9);
    rig.beat({SessionRig::say(11, Verdict::kOk)});
    EXPECT_EQ(freeze_time(rig.session.leases().at(token(11))), sent_at + seconds(55));
}

TEST(WorkerSession, APushedVerdictCancelsButRenewsNothing) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    const Millis before = rig.session.leases().at(token(11)).renewed;
    rig.now = rig.now + seconds(3);
    rig.deliver(0, wire::Beat{{SessionRig::say(11, Verdict::kOk)}});
    EXPECT_EQ(rig.session.leases().at(token(11)).renewed, before);
    rig.deliver(0, wire::Beat{{SessionRig::say(11, Verdict::kCancel)}});
    rig.deliver(0, wire::Beat{{SessionRig::say(11, Verdict::kCancel)}});
    EXPECT_EQ(rig.count<Cancel>(), 1U);
    EXPECT_EQ(rig.session.leases().at(token(11)).renewed, before);
}

TEST(WorkerSession, AStaleLeaseIsKilledAndItsSlotIsFreeOnlyWhenTheChildIsGone) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.pass(seconds(10));
    rig.beat({SessionRig::say(11, Verdict::kStale)});
    EXPECT_EQ(rig.count<Kill>(), 1U);
    EXPECT_EQ(rig.session.free_slots(rig.now), 0U);
    rig.pass(seconds(10));
    EXPECT_TRUE(rig.last<wire::Heartbeat>()->leases.empty());
    rig.take(rig.session.gone(token(11), rig.now));
    EXPECT_EQ(rig.last<wire::Ready>()->free, 1U);
    EXPECT_EQ(rig.session.held(), 0U);
}

TEST(WorkerSession, SilenceOfAQuarterLeaseOpensAnotherSocketAndSaysHelloAgain) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    const std::size_t hellos = rig.count_sent<wire::Hello>();
    rig.pass(seconds(14));
    EXPECT_EQ(rig.count<Reopen>(), 0U);
    rig.pass(seconds(1));
    EXPECT_EQ(rig.count<Reopen>(), 1U);
    EXPECT_EQ(rig.count_sent<wire::Hello>(), hellos + 1);
    ASSERT_EQ(rig.last<wire::Hello>()->leases.size(), 1U);
    EXPECT_EQ(rig.last<wire::Hello>()->leases[0].task, TaskId("t-a"));
    EXPECT_EQ(rig.last<wire::Hello>()->seen, token(11));
}

TEST(WorkerSession, WhatALowerEpochSaysIsIgnored) {
    SessionRig rig;
    rig.welcome();
    rig.assign(11, "t-a");
    rig.epoch = 3;
    rig.deliver(0, wire::Beat{{SessionRig::say(11, Verdict::kStale)}});
    EXPECT_EQ(rig.count<Kill>(), 0U);
    rig.epoch = 5;
    rig.deliver(0, wire::Beat{{SessionRig::say(11, Verdict::kStale)}});
    EXPECT_EQ(rig.count<Kill>(), 1U);
}

TEST(WorkerSession, ARestoredJournalMayStartWithALowerEpoch) {
    SessionRig rig;
    rig.welcome();
    rig.answer(wire::ErrorReply{ErrorCode::HELLO_FIRST, "", "", {}, {}});
    rig.journal = "0000000000000008";
    rig.epoch = 1;
    const std::size_t before = rig.count_sent<wire::Ready>();
    rig.welcome();
    EXPECT_EQ(rig.count_sent<wire::Ready>(), before + 1);
}

TEST(WorkerSession, TokensOfARestoredJournalAreNotTakenForRepetitions) {
    SessionRig rig(2);
    rig.welcome();
    rig.assign(11, "t-a");
    wire::Assign body;
    body.lease = {kJournal - 1, 2};
    body.attempt = 1;
    body.term = seconds(60);
    body.answers = rig.last_id();
    body.task.id = TaskId("t-b");
    rig.deliver(0, body);
    EXPECT_EQ(rig.count<Start>(), 2U);
}

TEST(WorkerSession, ATakenNameOrALaterStartEndsTheWorkerWithCodeFive) {
    for (ErrorCode code : {ErrorCode::NAME_IN_USE, ErrorCode::SUPERSEDED}) {
        SessionRig rig;
        rig.answer(wire::ErrorReply{code, "because", "", {}, {}});
        ASSERT_NE(rig.last_action<End>(), nullptr);
        EXPECT_EQ(rig.last_action<End>()->exit_code, kExitConflict);
        EXPECT_EQ(rig.session.deadline(rig.now), kNoTime);
    }
}

TEST(WorkerSession, AHelloThatIsDeniedEndsTheWorkerWithCodeFour) {
    SessionRig rig;
    rig.answer(wire::ErrorReply{ErrorCode::DENIED, "unknown key", "", {}, {}});
    ASSERT_NE(rig.last_action<End>(), nullptr);
    EXPECT_EQ(rig.last_action<End>()->exit_code, kExitDenied);
}

TEST(WorkerSession, DrainingTakesNothingNewAndEndsWhenTheLastReportIsAcknowledged) {
    SessionRig rig(2);
    rig.welcome();
    rig.assign(11, "t-a");
    rig.take(rig.session.drain(rig.now));
    EXPECT_EQ(rig.last<wire::Ready>()->free, 0U);
    rig.assign(12, "t-b");  // crossed with the drain
    EXPECT_EQ(rig.count<Start>(), 1U);
    ASSERT_NE(rig.last<wire::Release>(), nullptr);
    EXPECT_EQ(rig.last<wire::Release>()->cause, ReleaseCause::kDrained);
    rig.deliver(rig.id_of_last<wire::Release>(),
                wire::Accepted{TaskId("t-b"), TaskState::kQueued, 1});
    rig.session.child_ended(token(11));
    rig.take(rig.session.report(token(11), SessionRig::complete(11, "t-a"), rig.now));
    EXPECT_EQ(rig.count<End>(), 0U);
    rig.deliver(rig.id_of_last<wire::Complete>(),
                wire::Accepted{TaskId("t-a"), TaskState::kCompleted, 1});
    ASSERT_NE(rig.last<wire::Goodbye>(), nullptr);
    rig.answer(wire::Goodbye{});
    ASSERT_NE(rig.last_action<End>(), nullptr);
    EXPECT_EQ(rig.last_action<End>()->exit_code, 0);
}

TEST(WorkerSession, OneTaskAndThenTheEnd) {
    SessionOptions options = SessionRig::with_slots(2);
    options.lifetime = Lifetime::kOneTask;
    SessionRig rig(options);
    rig.welcome();
    rig.assign(11, "t-a");
    EXPECT_EQ(rig.session.free_slots(rig.now), 0U);
    rig.session.child_ended(token(11));
    rig.take(rig.session.report(token(11), SessionRig::complete(11, "t-a"), rig.now));
    rig.deliver(rig.id_of_last<wire::Complete>(),
                wire::Accepted{TaskId("t-a"), TaskState::kCompleted, 1});
    EXPECT_NE(rig.last<wire::Goodbye>(), nullptr);
    rig.pass(seconds(2));
    ASSERT_NE(rig.last_action<End>(), nullptr);
    EXPECT_EQ(rig.last_action<End>()->exit_code, 0);
}

TEST(WorkerSession, OneTaskWithNobodyThereEndsWithCodeSix) {
    SessionOptions options = SessionRig::with_slots(1);
    options.lifetime = Lifetime::kOneTask;
    SessionRig rig(options);
    rig.connected = false;
    rig.pass(seconds(29));
    EXPECT_EQ(rig.count<End>(), 0U);
    rig.pass(seconds(1));
    ASSERT_NE(rig.last_action<End>(), nullptr);
    EXPECT_EQ(rig.last_action<End>()->exit_code, kExitUnreachable);
}

TEST(WorkerSession, IdleForLongEnoughEnds) {
    SessionOptions options = SessionRig::with_slots(1);
    options.idle_exit = seconds(5);
    SessionRig rig(options);
    rig.welcome();
    rig.pass(seconds(4));
    EXPECT_EQ(rig.count_sent<wire::Goodbye>(), 0U);
    rig.pass(seconds(3));
    EXPECT_EQ(rig.count_sent<wire::Goodbye>(), 1U);
    EXPECT_EQ(rig.count<End>(), 1U);
}

}  // namespace
}  // namespace zq::worker
