// Retention: what may go, and what may not.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

class RetainTest : public testing::Test, protected CoreRig {
  protected:
    UnusedContent unused(std::uint8_t n, Millis ago) { return {digest(n), 100, false, now - ago}; }
    EndedTask ended(const std::string& id, Millis ago, TaskState as = TaskState::kCompleted) {
        EndedTask task;
        task.key = {kDefaultNamespace, TaskId(id)};
        task.role = RoleName("review");
        task.state = as;
        task.submitted_seq = 1;
        task.ended_at = now - ago;
        task.inputs = {digest(1)};
        task.logs = {digest(2)};
        task.artifacts = {digest(3), digest(4)};
        return task;
    }
    /// The events that the question leads to.
    std::vector<Event> retain(Retain what) {
        what.begun = now;
        const std::size_t before = journal.size();
        run(std::move(what));
        return {journal.begin() + static_cast<std::ptrdiff_t>(before), journal.end()};
    }
    /// Finished ones, the oldest first, with so many bytes each.
    std::vector<EndedTask> holding(const std::vector<std::string>& ids, std::uint64_t bytes) {
        std::vector<EndedTask> tasks;
        for (const std::string& id : ids) {
            tasks.push_back(ended(id, hours(1)));
            tasks.back().due = RetentionDue::kBytes;
            tasks.back().log_bytes = bytes * 4 / 10;
            tasks.back().artifact_bytes = bytes - tasks.back().log_bytes;
        }
        return tasks;
    }
    std::vector<Event> retain(UnusedContent content) {
        return retain(Retain{{content}, {}, 0, {}, 0});
    }
    std::vector<Event> retain(EndedTask task) { return retain(Retain{{}, {task}, 0, {}, 0}); }
};

TEST_F(RetainTest, ContentThatNothingRefersToGoesAfterItsTime) {
    EXPECT_TRUE(retain(unused(7, hours(24))).empty());
    const auto events = retain(unused(7, hours(24) + millis(1)));
    ASSERT_EQ(events.size(), 1U);
    const auto& body = std::get<ContentsCondemned>(events[0].body);
    ASSERT_EQ(body.contents.size(), 1U);
    EXPECT_EQ(body.contents[0].digest, digest(7));
    EXPECT_EQ(events[0].identity, kSystemIdentity);
}

TEST_F(RetainTest, ContentThatIsNamedButNotYetCommittedStays) {
    TaskSpec named = spec("t");
    named.inputs = {{"context", digest(7), 100, "", ""}};
    submit(named);
    EXPECT_TRUE(retain(unused(7, hours(48))).empty());
    take_changes(state);
    forget_projected(state, state.durable.last_seq);
    EXPECT_EQ(retain(unused(7, hours(48))).size(), 1U);
}

TEST_F(RetainTest, ContentIsCondemnedOnce) {
    EXPECT_EQ(retain(unused(7, hours(48))).size(), 1U);
    EXPECT_TRUE(retain(unused(7, hours(48))).empty());
}

TEST_F(RetainTest, ContentThatWasPutUnderALeaseStaysWhileTheLeaseRuns) {
    submit("t");
    hello(1, "host-review-1");
    const Assignment assignment = assign_to(1, "host-review-1");
    const Instant since = now;
    now = now + hours(100);
    EXPECT_TRUE(retain(UnusedContent{digest(7), 1, false, since}).empty());
    EXPECT_EQ(retain(UnusedContent{digest(8), 1, false, since - hours(2)}).size(), 1U);
    complete("t", assignment.lease.token);
    EXPECT_EQ(retain(UnusedContent{digest(7), 1, false, since}).size(), 1U);
}

TEST_F(RetainTest, NothingElseGoesWhereNoAgeIsSet) {
    for (const RetentionDue due :
         {RetentionDue::kTask, RetentionDue::kLogs, RetentionDue::kArtifacts}) {
        EndedTask task = ended("t", hours(100'000));
        task.due = due;
        EXPECT_TRUE(retain(task).empty());
    }
}

TEST_F(RetainTest, AFinishedTaskGoesWithEverythingItRefersTo) {
    policy.retention.finished = hours(1);
    EXPECT_TRUE(retain(ended("t", hours(1) - millis(1))).empty());
    const auto events = retain(ended("t", hours(1)));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<TaskRemoved>(events[0].body).released,
              (std::vector<Digest>{digest(1), digest(2), digest(3), digest(4)}));
    // Not a second time, before the rows say it.
    EXPECT_TRUE(retain(ended("t", hours(1))).empty());
}

TEST_F(RetainTest, LogsAndArtifactsHaveAgesOfTheirOwnAndNothingToRemoveIsNoEvent) {
    policy.retention.logs = hours(1);
    policy.retention.artifacts = hours(2);
    EndedTask task = ended("t", hours(1));
    task.due = RetentionDue::kLogs;
    const auto events = retain(task);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<ArtifactsRemoved>(events[0].body).released, std::vector<Digest>{digest(2)});
    task.due = RetentionDue::kArtifacts;
    EXPECT_TRUE(retain(task).empty());
    task.ended_at = now - hours(2);
    EXPECT_EQ(retain(task).size(), 1U);
    task.artifacts.clear();
    EXPECT_TRUE(retain(task).empty());
}

TEST_F(RetainTest, ADeadTaskKeepsAllItHasUntilItsOwnAge) {
    policy.retention = {hours(1), hours(5), hours(1), hours(1)};
    EndedTask task = ended("t", hours(2), TaskState::kDead);
    for (const RetentionDue due :
         {RetentionDue::kTask, RetentionDue::kLogs, RetentionDue::kArtifacts}) {
        task.due = due;
        EXPECT_TRUE(retain(task).empty());
    }
    task = ended("t", hours(5), TaskState::kExpired);
    EXPECT_EQ(retain(task).size(), 1U);
}

TEST_F(RetainTest, ARolesOwnAgesWin) {
    policy.retention.finished = hours(1);
    policy.role_retention[RoleName("review")].finished = hours(3);
    EXPECT_TRUE(retain(ended("t", hours(2))).empty());
    EXPECT_EQ(retain(ended("t", hours(3))).size(), 1U);
}

TEST_F(RetainTest, ATaskThatIsOpenStaysWhateverOldRowsSay) {
    policy.retention.finished = hours(1);
    submit("t");
    EXPECT_TRUE(retain(ended("t", hours(2))).empty());
}

TEST_F(RetainTest, ARemovedTasksIdAndKeyAreFreeAtOnce) {
    policy.retention.finished = hours(1);
    TaskSpec first = spec("t");
    first.idempotency_key = "key";
    submit(first);
    hello(1, "host-review-1");
    complete("t", assign_to(1, "host-review-1").lease.token);
    const Task row = task("t");
    take_changes(state);
    forget_projected(state, state.durable.last_seq);
    now = now + hours(2);
    ASSERT_EQ(retain(ended("t", hours(1))).size(), 1U);
    facts.task = row;  // as the store says until the event is committed
    facts.by_key = row;
    TaskSpec second = spec("t");
    second.idempotency_key = "key";
    second.instructions = "another one";
    EXPECT_FALSE(answer<SubmitAnswer>(submit(second)).duplicate);
}

TEST_F(RetainTest, WhileARoleHoldsMoreThanItMayItsOldestLoseLogsAndArtifactsAndItsNewestDoNot) {
    policy.retention.finished_bytes = 250;
    const auto events = retain(Retain{{}, holding({"a", "b", "c"}, 100), 300, {}, 0});
    ASSERT_EQ(events.size(), 2U);
    for (const Event& event : events) EXPECT_EQ(event.task.id, TaskId("a"));
    const auto& logs = std::get<ArtifactsRemoved>(events[0].body);
    EXPECT_EQ(logs.kind, RemovedKind::kLogs);
    EXPECT_EQ(logs.bytes, 40U);
    EXPECT_EQ(logs.rule, RetentionRule::kBytes);
    const auto& artifacts = std::get<ArtifactsRemoved>(events[1].body);
    EXPECT_EQ(artifacts.kind, RemovedKind::kArtifacts);
    EXPECT_EQ(artifacts.bytes, 60U);
}

TEST_F(RetainTest, NothingGoesByBytesWhereNoBoundIsSetOrNoMoreIsHeld) {
    EXPECT_TRUE(retain(Retain{{}, holding({"a"}, 1'000), 1'000, {}, 0}).empty());
    policy.retention.dead_bytes = 1;  // of what is dead
    EXPECT_TRUE(retain(Retain{{}, holding({"a"}, 1'000), 1'000, {}, 0}).empty());
    policy.retention.finished_bytes = 1'000;
    EXPECT_TRUE(retain(Retain{{}, holding({"a"}, 1'000), 1'000, {}, 0}).empty());
    EXPECT_FALSE(retain(Retain{{}, holding({"a"}, 1'000), 1'001, {}, 0}).empty());
}

TEST_F(RetainTest, WhatIsDeadHasABoundOfItsOwnAndGoesAsAWhole) {
    policy.retention.finished_bytes = 1;
    std::vector<EndedTask> dead = holding({"a", "b"}, 100);
    for (EndedTask& task : dead) task.state = TaskState::kDead;
    EXPECT_TRUE(retain(Retain{{}, dead, 200, {}, 0}).empty());
    policy.retention.dead_bytes = 150;
    const auto events = retain(Retain{{}, dead, 200, {}, 0});
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].task.id, TaskId("a"));
    const auto& removed = std::get<TaskRemoved>(events[0].body);
    EXPECT_EQ(removed.released.size(), 4U);  // its inputs too: it could not be replayed in part
    EXPECT_EQ(removed.bytes, 100U);
    EXPECT_EQ(removed.rule, RetentionRule::kBytes);
}

TEST_F(RetainTest, ARolesOwnBoundWins) {
    policy.retention.finished_bytes = 1;
    policy.role_retention[RoleName("review")].finished_bytes = 1'000;
    EXPECT_TRUE(retain(Retain{{}, holding({"a"}, 100), 1'000, {}, 0}).empty());
}

TEST_F(RetainTest, ATaskThatIsOpenAgainKeepsWhatItHasAndCountsNoMore) {
    policy.retention.finished_bytes = 250;
    submit("a");
    EXPECT_TRUE(retain(Retain{{}, holding({"a", "b"}, 100), 300, {}, 0}).empty());
    policy.retention.finished_bytes = 150;
    const auto events = retain(Retain{{}, holding({"a", "b"}, 100), 300, {}, 0});
    ASSERT_FALSE(events.empty());
    for (const Event& event : events) EXPECT_EQ(event.task.id, TaskId("b"));
}

}  // namespace
}  // namespace zq::core
