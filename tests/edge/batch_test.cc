// BATCH in the control conversation: what is wrong with one task stands in its item, contents are
// shared, and nothing is said before the disk has it.
#include "common/platform/digest.h"
#include "tests/edge/control_rig.h"

namespace zq::coordinator {
namespace {

class Batches : public ControlTest {
  protected:
    template <class T>
    T ask(wire::Body body) {
        tell("c", std::move(body), ++request_, "one");
        turn_and_sync();
        return expect<T>("c");
    }
    static wire::Batch batch_of(const std::vector<std::string>& ids) {
        wire::Batch batch;
        for (const std::string& id : ids) batch.tasks.push_back(submit(id).task);
        return batch;
    }
    static void add_input(TaskSpec& task, const std::string& content) {
        task.inputs = {{"context", sha256(content), content.size(), "", "", false}};
    }

    std::uint64_t request_ = 0;
};

TEST_F(Batches, AreAnsweredTaskByTaskWhenTheDiskHasThem) {
    wire::Batch batch = batch_of({"a", "b", "c"});
    batch.tasks[1].role = RoleName("no role");
    tell("c", batch, 1, "one");
    turn();
    EXPECT_FALSE(take("c")) << "it is not committed";
    sync();
    const auto reply = expect<wire::Batched>("c");
    ASSERT_EQ(reply.items.size(), 3U);
    EXPECT_EQ(reply.items[0].state, TaskState::kQueued);
    EXPECT_EQ(reply.items[1].task.text, "b");
    EXPECT_EQ(reply.items[1].state, std::nullopt);
    EXPECT_EQ(reply.items[1].error.value().field, "task.to");
    EXPECT_EQ(reply.items[2].state, TaskState::kQueued);
    EXPECT_FALSE(reply.refused);
}

TEST_F(Batches, AnAtomicOneThatIsRefusedGivesNoTaskAState) {
    wire::Batch batch = batch_of({"a", "b"});
    batch.atomic = true;
    batch.tasks[1].priority = 11;
    const auto reply = ask<wire::Batched>(batch);
    EXPECT_TRUE(reply.refused);
    EXPECT_EQ(reply.items.at(0).state, std::nullopt);
    EXPECT_FALSE(reply.items.at(0).error);
    EXPECT_EQ(reply.items.at(1).error.value().field, "task.priority");
    EXPECT_EQ(ask<wire::ErrorReply>(wire::Get{TaskId("a"), false}).code, ErrorCode::NOT_FOUND);
}

TEST_F(Batches, OneContentServesEveryTaskThatNamesIt) {
    wire::Batch batch = batch_of({"a", "b", "c"});
    add_input(batch.tasks[0], "shared");
    add_input(batch.tasks[1], "shared");
    add_input(batch.tasks[2], "elsewhere");
    batch.contents = {{sha256("shared"), {"shared"}}};
    auto reply = ask<wire::Batched>(batch);
    EXPECT_TRUE(reply.items.at(0).state);
    EXPECT_TRUE(reply.items.at(1).state);
    EXPECT_EQ(reply.items.at(2).error.value().code, ErrorCode::MISSING_CONTENT);
    EXPECT_EQ(reply.items.at(2).error.value().missing, std::vector{sha256("elsewhere")});
    // It is stored now: another need not bring it, but must have its size right.
    batch = batch_of({"d", "e"});
    add_input(batch.tasks[0], "shared");
    add_input(batch.tasks[1], "shared");
    batch.tasks[1].inputs[0].size = 1;
    reply = ask<wire::Batched>(batch);
    EXPECT_TRUE(reply.items.at(0).state);
    EXPECT_EQ(reply.items.at(1).error.value().field, "task.inputs");
}

TEST_F(Batches, WhoseNumbersOrContentsAreWrongAreRefusedAsAWhole) {
    EXPECT_EQ(ask<wire::ErrorReply>(wire::Batch{}).field, "tasks");
    wire::Batch many;
    many.tasks.assign(limits::kBatchTasks + 1, submit("a").task);
    EXPECT_EQ(ask<wire::ErrorReply>(many).code, ErrorCode::TOO_LARGE);
    wire::Batch batch = batch_of({"a"});
    batch.contents = {{sha256("x"), {"x"}}};
    EXPECT_EQ(ask<wire::ErrorReply>(batch).field, "contents[0].digest");
    add_input(batch.tasks[0], "x");
    batch.contents.push_back(batch.contents[0]);
    EXPECT_EQ(ask<wire::ErrorReply>(batch).field, "contents[1].digest");
    batch.contents = {{sha256("x"), {"y"}}};
    EXPECT_EQ(ask<wire::ErrorReply>(batch).code, ErrorCode::DIGEST_MISMATCH);
}

TEST_F(Batches, AFullBatchOfRefusalsFitsItsAnswer) {
    wire::Batch batch;
    for (std::size_t i = 0; i < limits::kBatchTasks; ++i) {
        batch.tasks.push_back(submit("t" + std::to_string(i)).task);
        TaskSpec& task = batch.tasks.back();
        for (std::size_t k = 0; k < 10; ++k) {
            const std::string content = std::to_string(i) + "/" + std::to_string(k);
            task.inputs.push_back({"i" + std::to_string(k), sha256(content), 9, "", "", false});
        }
    }
    const auto reply = ask<wire::Batched>(batch);
    ASSERT_EQ(reply.items.size(), limits::kBatchTasks);
    EXPECT_EQ(reply.items.back().error.value().missing.size(), 10U);
}

TEST_F(Batches, AnEndedTasksIdAndKeyAreStillKnown) {
    wire::Submit first = submit("a");
    first.task.idempotency_key = "k";
    ask<wire::Submitted>(first);
    ask<wire::Accepted>(wire::Cancel{TaskId("a"), ""});
    wire::Batch batch = batch_of({"a", "b"});
    batch.tasks[0].idempotency_key = "k";
    batch.tasks[1].idempotency_key = "k";
    const auto reply = ask<wire::Batched>(batch);
    EXPECT_TRUE(reply.items.at(0).duplicate);
    EXPECT_EQ(reply.items.at(1).task.text, "a");
    EXPECT_EQ(reply.items.at(1).state, TaskState::kCancelled);
}

}  // namespace
}  // namespace zq::coordinator
