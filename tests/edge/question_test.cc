// ASK, ANSWER, QUESTIONS and USAGE through the control socket.
#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

class QuestionsAtTheEdge : public ControlTest {
  protected:
    /// The worker has task t.
    wire::Assign take_task() {
        tell("w", hello("w1"));
        turn_and_sync();
        expect<wire::Welcome>("w");
        tell("w", wire::Ready{1, {}}, 2);
        wire::Submit submitted = submit("t");
        submitted.task.group = GroupName("g");
        tell("c", submitted, 1, "client");
        turn_and_sync();
        expect<wire::Beat>("w");
        expect<wire::Submitted>("c");
        return expect<wire::Assign>("w");
    }
    wire::QuestionRows questions(const std::string& role = "") {
        wire::Questions query;
        query.role = RoleName(role);
        tell("c", query, ++request_, "client");
        turn_and_sync();
        return expect<wire::QuestionRows>("c");
    }
    wire::Accepted end(wire::Body report) {
        tell("w", std::move(report), ++request_);
        turn_and_sync();
        return expect<wire::Accepted>("w");
    }
    std::uint64_t request_ = 100;
};

TEST_F(QuestionsAtTheEdge, AreAnsweredToTheWorkerWhoseAttemptWaits) {
    const wire::Assign assign = take_task();
    tell("w", wire::Ask{TaskId("t"), assign.lease, {"q-1", "Go on?", {"yes", "no"}, {}}}, 3);
    turn();
    EXPECT_FALSE(take("w")) << "it is not on disk yet";
    sync();
    EXPECT_EQ(expect<wire::Asked>("w").question.state, QuestionState::kOpen);
    ASSERT_EQ(questions("r").rows.size(), 1U);
    EXPECT_EQ(questions("r").rows[0].question.text, "Go on?");
    EXPECT_TRUE(questions("other").rows.empty());

    tell("c", wire::AnswerQuestion{TaskId("t"), "", "", "no"}, 50, "client");
    turn();
    EXPECT_FALSE(take("w"));
    sync();
    const auto told = take("w");
    ASSERT_TRUE(told);
    EXPECT_EQ(told->header.id, 0U) << "unasked";
    const auto& asked = std::get<wire::Asked>(told->body);
    EXPECT_EQ(asked.lease, assign.lease);
    EXPECT_EQ(asked.question.choice, "no");
    EXPECT_EQ(expect<wire::Accepted>("c").state, TaskState::kRunning);
    EXPECT_TRUE(questions().rows.empty());
    tell("c", wire::Get{TaskId("t"), false}, 51, "client");
    turn_and_sync();
    const auto task = expect<wire::TaskReply>("c");
    ASSERT_EQ(task.questions.size(), 1U);
    EXPECT_EQ(task.questions[0].choice, "no");
    EXPECT_EQ(task.row.question, "");
}

TEST_F(QuestionsAtTheEdge, ThatParkTheirTaskAreToldToTheNextAttempt) {
    const wire::Assign assign = take_task();
    wire::Release parks;
    parks.report.task = TaskId("t");
    parks.report.attempt = 1;
    parks.report.lease = assign.lease;
    parks.cause = ReleaseCause::kInputRequired;
    parks.question = NewQuestion{"q-1", "Which account?", {}, {}};
    EXPECT_EQ(end(parks).state, TaskState::kInputRequired);
    EXPECT_EQ(end(parks).state, TaskState::kInputRequired) << "sent again";
    parks.question->text = "Which house?";
    tell("w", parks, ++request_);
    turn_and_sync();
    EXPECT_EQ(expect<wire::ErrorReply>("w").code, ErrorCode::CONFLICT) << "another report";

    tell("c", wire::AnswerQuestion{TaskId("t"), "q-1", "", "number 7"}, 50, "client");
    tell("w", wire::Ready{1, assign.lease}, ++request_);
    turn_and_sync();
    EXPECT_EQ(expect<wire::Accepted>("c").state, TaskState::kQueued);
    expect<wire::Beat>("w");
    const auto next = expect<wire::Assign>("w");
    ASSERT_EQ(next.questions.size(), 1U);
    EXPECT_EQ(next.questions[0].answer, "number 7");
}

TEST_F(QuestionsAtTheEdge, UsageIsReadOfATaskOrOfAGroup) {
    const wire::Assign assign = take_task();
    wire::Complete done;
    done.report.task = TaskId("t");
    done.report.attempt = 1;
    done.report.lease = assign.lease;
    done.report.output = {{"cost_usd", "0.09"}, {"input_tokens", "12"}, {"model", "m"}};
    end(done);
    wire::UsageQuery query;
    query.task = TaskId("t");
    tell("c", query, 60, "client");
    query.task = {};
    query.group = GroupName("g");
    query.limit = 1;
    tell("c", query, 61, "client");
    query.group = GroupName("other");
    tell("c", query, 62, "client");
    query.group = {};
    query.task = TaskId("no");
    tell("c", query, 63, "client");
    turn_and_sync();
    for (int i = 0; i < 2; ++i) {
        const auto rows = expect<wire::UsageRows>("c");
        ASSERT_EQ(rows.rows.size(), 1U) << i;
        EXPECT_EQ(rows.rows[0].cost_usd_micros, 90'000U);
        EXPECT_EQ(rows.rows[0].input_tokens, 12U);
        EXPECT_EQ(rows.rows[0].model, "m");
        EXPECT_EQ(rows.rows[0].group.text, "g");
        EXPECT_EQ(rows.before, 0U) << "there is no more";
    }
    EXPECT_TRUE(expect<wire::UsageRows>("c").rows.empty());
    EXPECT_EQ(expect<wire::ErrorReply>("c").code, ErrorCode::NOT_FOUND);
}

}  // namespace
}  // namespace zq::coordinator
