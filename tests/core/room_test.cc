// What the queue takes in: a queue that is full refuses, and says what is full.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TaskSpec big(const std::string& id, std::size_t bytes, const std::string& role = "review") {
    TaskSpec spec = CoreRig::spec(id, role);
    spec.instructions = std::string(bytes, 'x');
    return spec;
}

TEST(Room, OfARoleIsBoundedByCount) {
    CoreRig rig;
    rig.policy.role_limits[RoleName("review")].max_open = 2;
    rig.submit("a");
    rig.submit("b");
    const Error error = CoreRig::error(rig.submit("c"));
    EXPECT_EQ(error.code, ErrorCode::QUEUE_FULL);
    EXPECT_EQ(error.field, "task.to");
    EXPECT_GT(error.retry_after.count, 0);
    EXPECT_NE(error.message.find("role review"), std::string::npos) << error.message;
    rig.submit("other", "implement");
    EXPECT_EQ(rig.state_of("other"), TaskState::kQueued);
}

TEST(Room, OfARoleCountsWhatRunsAndIsThereAgainWhenItEnds) {
    CoreRig rig;
    rig.policy.role_limits[RoleName("review")].max_open = 1;
    rig.submit("a");
    const Assignment given = rig.assign_to(1, "w1");
    EXPECT_EQ(CoreRig::error(rig.submit("b")).code, ErrorCode::QUEUE_FULL);
    rig.complete("a", given.lease.token);
    CoreRig::answer<SubmitAnswer>(rig.submit("b"));
}

TEST(Room, OfARoleIsBoundedByBytesAlsoAfterARestart) {
    CoreRig rig;
    rig.policy.role_limits[RoleName("review")].max_bytes = 1000;
    rig.submit(big("a", 600));
    rig.restart();
    EXPECT_EQ(CoreRig::error(rig.submit(big("b", 600))).code, ErrorCode::QUEUE_FULL);
    CoreRig::answer<SubmitAnswer>(rig.submit(big("c", 300)));
}

TEST(Room, OfAllRolesIsBoundedByBytes) {
    CoreRig rig;
    rig.policy.max_open_bytes = 1000;
    rig.submit(big("a", 600));
    EXPECT_EQ(CoreRig::error(rig.submit(big("b", 600, "implement"))).code, ErrorCode::QUEUE_FULL);
}

TEST(Room, OfOneClientDoesNotTakeThatOfAnother) {
    CoreRig rig;
    rig.policy.max_open_per_client = 2;
    rig.submit("a");
    rig.submit("b");
    const Error error = CoreRig::error(rig.submit("c"));
    EXPECT_EQ(error.code, ErrorCode::QUEUE_FULL);
    EXPECT_NE(error.message.find("local"), std::string::npos) << error.message;
    rig.identity = Identity("other@0123456789abcdef");
    CoreRig::answer<SubmitAnswer>(rig.submit("d"));
}

TEST(Room, OfABatchCountsTheTasksBeforeInIt) {
    CoreRig rig;
    rig.policy.role_limits[RoleName("review")].max_open = 2;
    SubmitBatch batch;
    for (const char* id : {"a", "b", "c"}) {
        BatchEntry entry;
        entry.submit = {
            CoreRig::spec(id), CoreRig::digest(static_cast<std::uint8_t>(id[0])), {}, false};
        batch.entries.push_back(entry);
    }
    auto answer = CoreRig::answer<BatchAnswer>(rig.run(batch));
    EXPECT_TRUE(std::holds_alternative<SubmitAnswer>(answer.items[1].said));
    EXPECT_EQ(std::get<Rejected>(answer.items[2].said).error.code, ErrorCode::QUEUE_FULL);
}

}  // namespace
}  // namespace zq::core
