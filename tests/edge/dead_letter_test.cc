// Dead letters over the control conversation: what they are told by, what becomes of them, and how
// they are found.
#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

class DeadLetters : public ControlTest {
  protected:
    /// Asks as one client; the answer, once it is on disk.
    template <class Answer>
    Answer ask(wire::Body body) {
        tell("c", std::move(body), ++request_, "one");
        turn_and_sync();
        turn_and_sync();
        return expect<Answer>("c");
    }

    void die(const std::string& id, FailureClass failure = FailureClass::kError) {
        wire::Submit task = submit(id);
        task.task.max_attempts = 1;
        ask<wire::Submitted>(task);
        wire::Fail failed;
        failed.report.task = TaskId(id);
        failed.report.from = "me";
        failed.failure = failure;
        failed.reason = "no such folder";
        ask<wire::Accepted>(failed);
    }

    static wire::Replay replay(const std::string& id) {
        wire::Replay message;
        message.task = TaskId(id);
        return message;
    }

    std::uint64_t request_ = 0;
};

TEST_F(DeadLetters, AnEditedTaskIsGivenOutAsItIsNow) {
    die("a");
    wire::Edit edit;
    edit.task = TaskId("a");
    edit.changes.instructions = "look at src/auth";
    edit.changes.role = RoleName("second");
    edit.changes.type = "audit";
    edit.changes.limit_key = "account-7";
    EXPECT_EQ(ask<wire::Changed>(edit).task, TaskId("a"));
    auto shown = ask<wire::TaskReply>(wire::Get{TaskId("a"), false});
    EXPECT_EQ(shown.row.state, TaskState::kDead);
    EXPECT_EQ(shown.spec.instructions, "look at src/auth");
    // In one batch with what follows: it is read before it is on disk.
    tell("c", replay("a"), ++request_, "one");
    wire::Claim claim;
    claim.role = RoleName("second");
    tell("d", claim, 1, "two");
    turn_and_sync();
    expect<wire::Changed>("c");
    auto claimed = expect<wire::Claimed>("d");
    EXPECT_EQ(claimed.attempt, 2U);
    EXPECT_EQ(claimed.task.role, RoleName("second"));
    EXPECT_EQ(claimed.task.type, "audit");
    EXPECT_EQ(claimed.task.limit_key, "account-7");
    EXPECT_EQ(claimed.task.instructions, "look at src/auth");
}

TEST_F(DeadLetters, ChangesAreCheckedAsASubmitIs) {
    die("a");
    wire::Edit edit;
    edit.task = TaskId("a");
    EXPECT_EQ(ask<wire::ErrorReply>(edit).field, "changes");
    edit.changes.priority = 11;
    EXPECT_EQ(ask<wire::ErrorReply>(edit).field, "changes.priority");
    edit.changes.priority.reset();
    edit.changes.max_attempts = 0;
    EXPECT_EQ(ask<wire::ErrorReply>(edit).field, "changes.max_attempts");
    edit.changes.max_attempts.reset();
    edit.changes.needs = {"two words"};
    EXPECT_EQ(ask<wire::ErrorReply>(edit).field, "changes.needs");
    wire::Replay kept = replay("a");
    kept.keep_checkpoints = true;
    EXPECT_EQ(ask<wire::ErrorReply>(kept).field, "keep_checkpoints");
}

TEST_F(DeadLetters, ARemovedTaskIsGoneForWhateverComesInTheSameBatch) {
    die("a");
    tell("c", wire::Remove{TaskId("a"), "a trial"}, ++request_, "one");
    tell("d", replay("a"), 1, "two");
    turn_and_sync();
    expect<wire::Changed>("c");
    EXPECT_EQ(expect<wire::ErrorReply>("d").code, ErrorCode::NOT_FOUND);
    tell("c", wire::Remove{TaskId("a"), "a trial"}, request_, "one");
    turn_and_sync();
    EXPECT_EQ(expect<wire::Changed>("c").task, TaskId("a")) << "said again, it gets its answer";
}

TEST_F(DeadLetters, AnErasedTaskLeavesItsEventsWithoutTheirTexts) {
    die("a");
    ask<wire::Changed>(wire::Remove{TaskId("a"), "a key was in it", true});
    EXPECT_EQ(ask<wire::ErrorReply>(wire::Get{TaskId("a"), false}).code, ErrorCode::NOT_FOUND);
    const auto left = ask<wire::EventRows>(wire::Events{0, 100, {}, TaskId("a")});
    ASSERT_GE(left.rows.size(), 4U);
    EXPECT_EQ(left.rows.front().kind, "task_submitted");
    EXPECT_EQ(left.rows.back().kind, "request_recorded");
    ask<wire::Changed>(wire::Remove{TaskId("a"), "once more", true});
    EXPECT_EQ(ask<wire::ErrorReply>(wire::Remove{TaskId("b"), "", true}).code,
              ErrorCode::NOT_FOUND);
}

TEST_F(DeadLetters, AreFoundByReasonAndTimePageByPage) {
    for (const char* id : {"a", "b", "c", "d"}) {
        die(id, id[0] == 'b' || id[0] == 'd' ? FailureClass::kPermanent : FailureClass::kError);
        now_ = now_ + minutes(1);
    }
    wire::List list;
    list.states = {TaskState::kDead, TaskState::kExpired};
    list.dead_reason = DeadReason::kPermanent;
    list.limit = 1;
    std::vector<std::string> found;
    for (int page = 0; page < 8; ++page) {
        auto tasks = ask<wire::Tasks>(list);
        for (const wire::TaskRow& row : tasks.rows) found.push_back(row.id.text);
        EXPECT_EQ(tasks.more, tasks.next != 0);
        if (!tasks.more) break;
        list.before = tasks.next;
    }
    EXPECT_EQ(found, (std::vector<std::string>{"d", "b"}));
    wire::List old;
    old.ended_before = kNoon + minutes(2);
    EXPECT_EQ(ask<wire::Tasks>(old).rows.size(), 2U);
    wire::List recent;
    recent.ended_since = kNoon + minutes(3);
    EXPECT_EQ(ask<wire::Tasks>(recent).rows.size(), 1U);
}

}  // namespace
}  // namespace zq::coordinator
