// Unique keys: at most one unfinished task has one.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TaskSpec keyed(const std::string& id, OnUnique on = OnUnique::kReject) {
    TaskSpec spec = CoreRig::spec(id);
    spec.unique_key = "deploy";
    spec.on_unique = on;
    return spec;
}

SubmitTask submit_of(const TaskSpec& spec, std::uint8_t body) {
    return {spec, CoreRig::digest(body), {}, false};
}

TEST(UniqueKey, OfAnUnfinishedTaskIsRefusedWithThatTasksName) {
    CoreRig rig;
    rig.submit(keyed("a"));
    const Error error = CoreRig::error(rig.run(submit_of(keyed("b"), 2)));
    EXPECT_EQ(error.code, ErrorCode::CONFLICT);
    EXPECT_EQ(error.field, "task.unique_key");
    EXPECT_NE(error.message.find("task a "), std::string::npos) << error.message;
    EXPECT_EQ(rig.state.durable.open.size(), 1U);
}

TEST(UniqueKey, IsTakenWhileItsTaskRunsTooAndFreeWhenItHasEnded) {
    CoreRig rig;
    rig.submit(keyed("a"));
    const Assignment given = rig.assign_to(1, "w1");
    EXPECT_EQ(CoreRig::refusal(rig.run(submit_of(keyed("b"), 2))), "CONFLICT");
    rig.complete("a", given.lease.token);
    CoreRig::answer<SubmitAnswer>(rig.run(submit_of(keyed("b"), 2)));
    EXPECT_EQ(rig.state_of("b"), TaskState::kQueued);
}

TEST(UniqueKey, WithExistingGivesTheTaskThatHasIt) {
    CoreRig rig;
    rig.submit(keyed("a"));
    const std::size_t events = rig.journal.size();
    auto answer =
        CoreRig::answer<SubmitAnswer>(rig.run(submit_of(keyed("b", OnUnique::kExisting), 2)));
    EXPECT_EQ(answer.task.text, "a");
    EXPECT_TRUE(answer.duplicate);
    EXPECT_EQ(rig.journal.size(), events);
}

TEST(UniqueKey, ARepeatedSubmitIsStillTheSameTask) {
    CoreRig rig;
    rig.submit(keyed("a"));
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig.submit(keyed("a"))).duplicate);
}

TEST(UniqueKey, IsFreedByACancel) {
    CoreRig rig;
    rig.submit(keyed("a"));
    rig.run(CancelTask{TaskId("a"), ""});
    CoreRig::answer<SubmitAnswer>(rig.run(submit_of(keyed("b"), 2)));
}

TEST(UniqueKey, IsHeldAcrossARestart) {
    CoreRig rig;
    rig.submit(keyed("a"));
    rig.restart();
    EXPECT_EQ(CoreRig::refusal(rig.run(submit_of(keyed("b"), 2))), "CONFLICT");
}

TEST(UniqueKey, AnEarlierTaskOfTheSameBatchHasIt) {
    CoreRig rig;
    SubmitBatch batch;
    for (const char* id : {"a", "b"}) {
        BatchEntry entry;
        entry.submit = submit_of(keyed(id), static_cast<std::uint8_t>(id[0]));
        batch.entries.push_back(entry);
    }
    batch.entries.push_back(batch.entries.back());
    batch.entries.back().submit.spec.edit().on_unique = OnUnique::kExisting;
    auto answer = CoreRig::answer<BatchAnswer>(rig.run(batch));
    EXPECT_EQ(std::get<Rejected>(answer.items[1].said).error.field, "task.unique_key");
    EXPECT_EQ(std::get<SubmitAnswer>(answer.items[2].said).task.text, "a");
}

TEST(UniqueKey, ADeadTaskIsNotRunAgainWhileAnotherHasItAndHoldsItAfterwards) {
    CoreRig rig;
    TaskSpec spec = keyed("a");
    spec.max_attempts = 1;
    rig.submit(spec);
    const Assignment given = rig.assign_to(1, "w1");
    rig.fail_attempt("a", given.lease.token);
    ASSERT_EQ(rig.state_of("a"), TaskState::kDead);
    rig.run(submit_of(keyed("b"), 2));
    rig.facts.spec = spec;
    const Error error = CoreRig::error(rig.run(ReplayTask{TaskId("a")}));
    EXPECT_EQ(error.code, ErrorCode::CONFLICT);
    EXPECT_NE(error.message.find("task b "), std::string::npos) << error.message;
    rig.run(CancelTask{TaskId("b"), ""});
    rig.facts.spec = spec;
    CoreRig::answer<ChangedAnswer>(rig.run(ReplayTask{TaskId("a")}));
    EXPECT_EQ(CoreRig::refusal(rig.run(submit_of(keyed("c"), 3))), "CONFLICT");
}

}  // namespace
}  // namespace zq::core
