// Reports until they are acknowledged, and what refusals lead to.
#include "tests/worker/session_rig.h"

namespace zq::worker {
namespace {

wire::ErrorReply refusal(ErrorCode code, std::vector<Digest> missing = {}) {
    return {code, "why", "field", {}, std::move(missing)};
}

/// A session with one report under way.
class WorkerReport : public ::testing::Test {
  protected:
    void SetUp() override {
        rig.welcome();
        rig.assign(11, "t-a");
        rig.session.child_ended(token(11));
        wire::Complete body = SessionRig::complete(11, "t-a");
        body.report.artifacts.push_back({{"result.md", digest, 70'000, "", ""}, std::nullopt});
        rig.take(rig.session.report(token(11), body, rig.now));
        id = rig.id_of_last<wire::Complete>();
        ASSERT_NE(id, 0U);
    }
    SessionRig rig;
    Digest digest{{1, 2, 3}};
    std::uint64_t id = 0;
};

TEST_F(WorkerReport, IsSentAgainUnderTheSameIdUntilItIsAcknowledged) {
    rig.pass(seconds(6));
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 2U);
    EXPECT_EQ(rig.id_of_last<wire::Complete>(), id);
    rig.deliver(id, wire::Accepted{TaskId("t-a"), TaskState::kCompleted, 1});
    EXPECT_EQ(rig.count<Settled>(), 1U);
    rig.deliver(id, wire::Accepted{TaskId("t-a"), TaskState::kCompleted, 1});
    EXPECT_EQ(rig.count<Settled>(), 1U);
    rig.pass(seconds(6));
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 2U);
}

TEST_F(WorkerReport, IsListedWhileItIsNotAcknowledgedAndFreesTheSlot) {
    EXPECT_EQ(rig.session.free_slots(rig.now), 1U);
    rig.pass(seconds(10));
    EXPECT_TRUE(rig.last<wire::Heartbeat>()->leases.empty());
    ASSERT_EQ(rig.last<wire::Heartbeat>()->reports.size(), 1U);
    EXPECT_EQ(rig.last<wire::Heartbeat>()->reports[0].lease, token(11));
}

TEST_F(WorkerReport, OnlyItsOwnAnswerEndsItNotAStaleLease) {
    rig.pass(seconds(10));
    rig.beat({SessionRig::say(11, Verdict::kStale)});
    EXPECT_EQ(rig.count<Kill>(), 0U);
    EXPECT_EQ(rig.session.held(), 1U);
}

TEST_F(WorkerReport, IsDroppedWhenTheLeaseIsStaleOrTheTaskUnknownOrTold) {
    rig.deliver(id, refusal(ErrorCode::STALE_LEASE));
    EXPECT_EQ(rig.count<Refused>(), 1U);
    EXPECT_EQ(rig.session.held(), 0U);
}

TEST_F(WorkerReport, PutsMissingContentAgainAndThenSaysItAgain) {
    rig.deliver(id, refusal(ErrorCode::MISSING_CONTENT, {digest}));
    const auto* again = rig.last_action<PutAgain>();
    ASSERT_NE(again, nullptr);
    ASSERT_EQ(again->artifacts.size(), 1U);
    EXPECT_EQ(again->artifacts[0].name, "result.md");
    rig.deliver(rig.id_of_last<wire::Ready>(), wire::Beat{});
    rig.pass(seconds(7));
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 1U);
    rig.take(rig.session.put_again(token(11), rig.now));
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 2U);
}

TEST_F(WorkerReport, ABrokenContractBecomesAFailureWithItsArtifacts) {
    rig.deliver(id, refusal(ErrorCode::CONTRACT));
    const auto* mended = rig.last_action<Replace>();
    ASSERT_NE(mended, nullptr);
    const auto* fail = std::get_if<wire::Fail>(&mended->report);
    ASSERT_NE(fail, nullptr);
    EXPECT_EQ(fail->failure, FailureClass::kContract);
    EXPECT_EQ(fail->report.artifacts.size(), 1U);
    rig.take(rig.session.report(token(11), mended->report, rig.now));
    EXPECT_EQ(rig.count_sent<wire::Fail>(), 1U);
    EXPECT_NE(rig.id_of_last<wire::Fail>(), id);
}

TEST_F(WorkerReport, TheSecondAnswerToARepeatedReportDoesNotDropTheOneThatMendsIt) {
    rig.pass(seconds(6));  // no answer: it is sent again
    ASSERT_EQ(rig.count_sent<wire::Complete>(), 2U);
    rig.deliver(id, refusal(ErrorCode::CONTRACT));
    rig.deliver(id, refusal(ErrorCode::CONTRACT));
    EXPECT_EQ(rig.count<Replace>(), 1U);
    EXPECT_EQ(rig.count<Refused>(), 0U);
    ASSERT_EQ(rig.session.held(), 1U);
    rig.take(rig.session.report(token(11), rig.last_action<Replace>()->report, rig.now));
    EXPECT_EQ(rig.count_sent<wire::Fail>(), 1U);
}

TEST_F(WorkerReport, AReportThatIsInvalidTwiceIsGivenUpWithItsEvidenceKept) {
    rig.deliver(id, refusal(ErrorCode::INVALID));
    const auto* mended = rig.last_action<Replace>();
    ASSERT_NE(mended, nullptr);
    rig.take(rig.session.report(token(11), mended->report, rig.now));
    rig.deliver(rig.id_of_last<wire::Fail>(), refusal(ErrorCode::INVALID));
    EXPECT_EQ(rig.count<Refused>(), 1U);
    EXPECT_EQ(rig.session.held(), 0U);
}

TEST_F(WorkerReport, IsSentLaterWhenTheCoordinatorIsBusy) {
    rig.deliver(id, refusal(ErrorCode::BUSY));
    EXPECT_EQ(rig.session.held(), 1U);
    rig.pass(seconds(6));
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 2U);
}

TEST(WorkerReports, OfAnEarlierStartAreInTheFirstHelloAndSentOnWelcome) {
    StoredReport stored;
    stored.held = {TaskId("t-old"), 2, token(5)};
    stored.report = SessionRig::complete(5, "t-old");
    SessionRig rig(1, {stored});
    ASSERT_EQ(rig.last<wire::Hello>()->reports.size(), 1U);
    EXPECT_EQ(rig.last<wire::Hello>()->reports[0].attempt, 2U);
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 0U);
    rig.welcome();
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 1U);
    EXPECT_EQ(rig.last<wire::Ready>()->free, 1U);
}

TEST(WorkerReports, ThreeFaultsInARowPauseTheWorkerForAMinute) {
    SessionRig rig;
    rig.welcome();
    for (std::uint64_t i = 1; i <= 3; ++i) {
        EXPECT_EQ(rig.session.free_slots(rig.now), 1U);
        rig.assign(i, "t-a");
        rig.session.child_ended(token(i));
        wire::Release release;
        release.report = SessionRig::complete(i, "t-a").report;
        release.cause = ReleaseCause::kWorkerFault;
        rig.take(rig.session.report(token(i), release, rig.now));
        rig.deliver(rig.id_of_last<wire::Release>(),
                    wire::Accepted{TaskId("t-a"), TaskState::kQueued, 1});
        rig.deliver(rig.id_of_last<wire::Ready>(), wire::Beat{});
    }
    EXPECT_EQ(rig.last<wire::Ready>()->free, 0U);
    for (int i = 0; i < 5; ++i) {
        rig.pass(seconds(10));
        EXPECT_EQ(rig.last<wire::Heartbeat>()->free, 0U);
        rig.beat({});
    }
    rig.pass(seconds(11));
    EXPECT_EQ(rig.session.free_slots(rig.now), 1U);
}

}  // namespace
}  // namespace zq::worker
