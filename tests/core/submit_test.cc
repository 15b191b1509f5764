#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TEST(Submit, QueuesATaskAndSaysSo) {
    CoreRig rig;
    auto answer = CoreRig::answer<SubmitAnswer>(rig.submit("a"));
    EXPECT_EQ(answer.state, TaskState::kQueued);
    EXPECT_FALSE(answer.duplicate);
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
}

TEST(Submit, TheSameIdAndBodyAgainIsTheSameTask) {
    CoreRig rig;
    rig.submit("a");
    const std::size_t events = rig.journal.size();
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig.submit("a")).duplicate);
    EXPECT_EQ(rig.journal.size(), events);
}

TEST(Submit, TheSameIdWithAnotherBodyIsAConflict) {
    CoreRig rig;
    rig.submit("a");
    SubmitTask other{CoreRig::spec("a"), CoreRig::digest(2), {}, false};
    const auto effects = rig.run(other);
    EXPECT_EQ(CoreRig::refusal(effects), "CONFLICT");
    const Error error = std::get<Rejected>(std::get<Answer>(effects.at(0)).body).error;
    EXPECT_EQ(error.field, "task.task_id");
    EXPECT_EQ(error.message, "task a was submitted with another body under this id");
}

TEST(Submit, AnIdempotencyKeyFindsTheTaskUnderAnotherId) {
    CoreRig rig;
    TaskSpec first = CoreRig::spec("a");
    first.idempotency_key = "k";
    rig.submit(first);
    TaskSpec second = CoreRig::spec("b");
    second.idempotency_key = "k";
    auto answer = CoreRig::answer<SubmitAnswer>(rig.submit(second));
    EXPECT_TRUE(answer.duplicate);
    EXPECT_EQ(answer.task.text, "a");
    SubmitTask other{second, CoreRig::digest(9), {}, false};
    EXPECT_EQ(CoreRig::refusal(rig.run(other)), "CONFLICT");
}

TEST(Submit, AFinishedTaskOfThatIdIsFoundThroughTheFacts) {
    CoreRig rig;
    Task finished;
    finished.key = {kDefaultNamespace, TaskId("a")};
    finished.state = TaskState::kCompleted;
    finished.request = CoreRig::digest(1);
    rig.facts.task = finished;
    auto answer = CoreRig::answer<SubmitAnswer>(rig.submit("a"));
    EXPECT_TRUE(answer.duplicate);
    EXPECT_EQ(answer.state, TaskState::kCompleted);
}

TEST(Submit, IsRefusedAtTheBoundsAndNothingIsLost) {
    CoreRig rig;
    rig.policy.max_open_tasks = 1;
    rig.submit("a");
    EXPECT_EQ(CoreRig::refusal(rig.submit("b")), "QUEUE_FULL");
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig.submit("a")).duplicate);
    rig.policy.max_open_tasks = 10;
    rig.facts.storage_full = true;
    EXPECT_EQ(CoreRig::refusal(rig.submit("b")), "STORAGE_FULL");
    rig.facts.missing = {CoreRig::digest(5)};
    EXPECT_EQ(CoreRig::refusal(rig.submit("b")), "MISSING_CONTENT");
}

TEST(Submit, ADryRunChecksAndChangesNothing) {
    CoreRig rig;
    const std::size_t events = rig.journal.size();
    auto answer = CoreRig::answer<SubmitAnswer>(
        rig.run(SubmitTask{CoreRig::spec("a"), CoreRig::digest(1), {}, true}));
    EXPECT_EQ(answer.state, TaskState::kQueued);
    EXPECT_EQ(rig.journal.size(), events);
}

TEST(Submit, LabelsStandInTheRecordWhereTheEventSaysSo) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.labels = {{"team", "x"}};
    rig.submit(spec);
    EXPECT_EQ(rig.task("a").labels, spec.labels);
    // As an older program wrote it: it has to lead to the record that it led to then.
    Event old = rig.journal.back();
    std::get<TaskSubmitted>(old.body).labelled = false;
    State again;
    old.seq = 1;
    apply(again, old);
    EXPECT_TRUE(find_task(again, old.task)->labels.empty());
}

TEST(Submit, ARoleNobodyServedIsToldWithTheNearestOne) {
    CoreRig rig;
    rig.hello(1, "w1");
    auto answer = CoreRig::answer<SubmitAnswer>(rig.submit("a", "reviev"));
    EXPECT_FALSE(answer.role_served);
    EXPECT_EQ(answer.nearest_role, "review");
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig.submit("b")).role_served);
}

TEST(Submit, OfAPayloadThatItsRoleDoesNotTakeIsRefusedButNotItsRepetition) {
    CoreRig rig;
    const Error error{
        ErrorCode::INVALID, "not what review takes: at /issue: too few", "task.payload", {}};
    rig.facts.payload = error;
    EXPECT_EQ(CoreRig::refusal(rig.submit("a")), "INVALID");
    rig.submit("a");
    rig.facts.payload = error;  // the schema was set after the task was accepted
    EXPECT_TRUE(CoreRig::answer<SubmitAnswer>(rig.submit("a")).duplicate);
}

}  // namespace
}  // namespace zq::core
