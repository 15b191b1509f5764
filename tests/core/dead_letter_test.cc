#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

/// A task whose attempts are used up, in spite of a checkpoint.
CoreRig rig_with_dead(const std::string& id) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec(id);
    spec.max_attempts = 2;
    spec.backoff = {Backoff::Kind::kNone, {}, {}};
    rig.submit(spec);
    rig.hello(1, "w1");
    for (int i = 0; i < 2; ++i) {
        auto given = CoreRig::assignments(rig.ready(1, 1));
        EXPECT_EQ(given.size(), 1U);
        const LeaseToken token = given.at(0).lease.token;
        if (i == 0) {
            const ArtifactRef ref{"state", CoreRig::digest(7), 5, "", ""};
            rig.run(SaveCheckpoint{TaskId(id), token, ref, {ref}});
        }
        rig.fail_attempt(id, token);
    }
    EXPECT_EQ(rig.state_of(id), TaskState::kDead);
    return rig;
}

/// What the edge finds of a task that is in memory.
Facts facts_of(const CoreRig& rig, const std::string& id) {
    Facts facts;
    for (const auto& [key, attempt] : rig.state.index.attempts) {
        if (key.first == rig.task(id).key) facts.attempts.push_back(attempt);
    }
    facts.spec = CoreRig::spec(id);
    facts.held.artifacts = {CoreRig::digest(7)};
    facts.held.artifact_bytes = 5;
    return facts;
}

template <class Body>
const Body& last_body(const CoreRig& rig) {
    // The memory of its request comes after it.
    return std::get<Body>(rig.journal.at(rig.journal.size() - 2).body);
}

TEST(DeadLetter, ReplayedHasAllItsAttemptsAgainUnderTheNextNumber) {
    CoreRig rig = rig_with_dead("a");
    auto answer = CoreRig::answer<ChangedAnswer>(rig.run(ReplayTask{TaskId("a")}));
    EXPECT_EQ(answer.task, TaskId("a"));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kNone);
    EXPECT_EQ(rig.task("a").failures, 0U);
    auto given = CoreRig::assignments(rig.ready(1, 1));
    ASSERT_EQ(given.size(), 1U);
    EXPECT_EQ(given.at(0).lease.attempt, 3U) << "attempts are numbered on";
    rig.fail_attempt("a", given.at(0).lease.token);
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued) << "one failure of two";
}

TEST(DeadLetter, ReplayedKeepsItsCheckpoints) {
    CoreRig rig = rig_with_dead("a");
    rig.run(ReplayTask{TaskId("a")});
    auto given = CoreRig::assignments(rig.ready(1, 1));
    ASSERT_EQ(given.size(), 1U);
    EXPECT_EQ(given.at(0).checkpoints.size(), 1U);
    EXPECT_TRUE(
        std::get<TaskReplayed>(rig.journal.at(rig.journal.size() - 3).body).released.empty());
}

TEST(DeadLetter, ReplayedAfreshForgetsCheckpointsAndLetsGoOfThem) {
    CoreRig rig = rig_with_dead("a");
    ReplayTask replay{TaskId("a")};
    replay.fresh = true;
    rig.run(replay);
    EXPECT_EQ(last_body<TaskReplayed>(rig).released, std::vector{CoreRig::digest(7)});
    EXPECT_TRUE(rig.task("a").checkpoints.empty());
    EXPECT_EQ(rig.task("a").feedback, Feedback{});
}

TEST(DeadLetter, ReplayedAfreshMayKeepItsCheckpoints) {
    CoreRig rig = rig_with_dead("a");
    ReplayTask replay{TaskId("a")};
    replay.fresh = replay.keep_checkpoints = true;
    rig.run(replay);
    EXPECT_TRUE(last_body<TaskReplayed>(rig).released.empty());
    EXPECT_EQ(rig.task("a").checkpoints.size(), 1U);
}

TEST(DeadLetter, CheckpointsThatRetentionHasTakenAreNeitherGivenNorLetGoOfAgain) {
    CoreRig rig = rig_with_dead("a");
    rig.facts.checkpoints_gone = true;
    rig.run(ReplayTask{TaskId("a")});
    EXPECT_TRUE(last_body<TaskReplayed>(rig).released.empty());
    EXPECT_TRUE(rig.task("a").checkpoints.empty());
}

TEST(DeadLetter, ReplayedWithChangesHasThemFromTheEventOn) {
    CoreRig rig = rig_with_dead("a");
    rig.facts = facts_of(rig, "a");
    rig.facts.spec->role = RoleName("research");
    rig.facts.spec->priority = 9;
    rig.facts.spec->max_attempts = 7;
    rig.facts.changed = {"to", "priority", "max_attempts"};
    const Digest request = rig.task("a").request;
    rig.run(ReplayTask{TaskId("a")});
    EXPECT_TRUE(CoreRig::assignments(rig.ready(1, 1)).empty()) << "this worker reviews";
    EXPECT_EQ(rig.task("a").priority, 9);
    EXPECT_EQ(rig.task("a").max_attempts, 7U);
    EXPECT_EQ(rig.task("a").request, request) << "a repeated submit is still the same";
    auto claimed = CoreRig::answer<ClaimAnswer>(
        rig.run(ClaimTask{RoleName("research"), {}, "anna", seconds(60)}));
    EXPECT_EQ(claimed.task.id, TaskId("a"));
    EXPECT_EQ(claimed.spec_seq, rig.task("a").edited_seq);
    EXPECT_GT(claimed.spec_seq, rig.task("a").submitted_seq);
}

TEST(DeadLetter, ThatHasExpiredHasItsTtlAnew) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.ttl = seconds(5);
    rig.submit(spec);
    rig.advance(seconds(6));
    EXPECT_EQ(rig.state_of("a"), TaskState::kExpired);
    rig.facts.spec = spec;
    rig.run(ReplayTask{TaskId("a")});
    rig.advance(seconds(4));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    rig.advance(seconds(2));
    EXPECT_EQ(rig.state_of("a"), TaskState::kExpired);
}

TEST(DeadLetter, OfWhatHasNotEndedOrIsNotThereOrHasEndedOtherwiseIsRefused) {
    CoreRig rig;
    rig.submit("a");
    EXPECT_EQ(CoreRig::refusal(rig.run(ReplayTask{TaskId("a")})), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.run(ReplayTask{TaskId("b")})), "NOT_FOUND");
    rig.run(CancelTask{TaskId("a"), ""});
    ReplayTask dead{TaskId("a")};
    dead.dead_only = true;
    EXPECT_EQ(CoreRig::refusal(rig.run(dead)), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.run(RemoveTask{TaskId("a"), ""})), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.run(EditTask{TaskId("a"), ""})), "CONFLICT");
    rig.run(ReplayTask{TaskId("a")});
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued) << "a retry takes any that has ended";
}

TEST(DeadLetter, IsRefusedARepetitionWhereThereIsNoRoom) {
    CoreRig rig = rig_with_dead("a");
    rig.policy.max_open_tasks = 0;
    EXPECT_EQ(CoreRig::refusal(rig.run(ReplayTask{TaskId("a")})), "QUEUE_FULL");
    rig.facts.storage_full = true;
    EXPECT_EQ(CoreRig::refusal(rig.run(ReplayTask{TaskId("a")})), "STORAGE_FULL");
}

TEST(DeadLetter, AskedForTwiceUnderOneRequestIsChangedOnce) {
    CoreRig rig = rig_with_dead("a");
    rig.run(ReplayTask{TaskId("a")});
    const std::size_t events = rig.journal.size();
    --rig.request;  // its answer was lost
    EXPECT_EQ(CoreRig::answer<ChangedAnswer>(rig.run(ReplayTask{TaskId("a")})).task, TaskId("a"));
    EXPECT_EQ(rig.journal.size(), events);
    --rig.request;
    rig.submit("b");
    --rig.request;
    EXPECT_EQ(CoreRig::refusal(rig.run(RemoveTask{TaskId("b"), ""})), "CONFLICT")
        << "that request was about another task";
}

TEST(DeadLetter, ReplayedKnowsNothingOfALateReport) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken old = rig.assign_to(1, "w1").lease.token;
    rig.run(CancelTask{TaskId("a"), ""});
    rig.advance(minutes(5));  // the worker never came back
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
    rig.run(ReplayTask{TaskId("a")});
    EXPECT_EQ(CoreRig::refusal(rig.complete("a", old)), "STALE_LEASE");
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
}

TEST(DeadLetter, ThatIsInTheStoreAloneComesBackWithAllItHas) {
    CoreRig rig = rig_with_dead("a");
    const Task dead = rig.task("a");
    Facts facts = facts_of(rig, "a");
    facts.task = dead;
    ASSERT_EQ(facts.attempts.size(), 2U);
    forget_projected(rig.state, rig.state.durable.last_seq);
    rig.facts = facts;
    rig.run(ReplayTask{TaskId("a")});
    const Revision revision = *last_body<TaskReplayed>(rig).revision;
    EXPECT_EQ(revision.before, dead);
    EXPECT_EQ(revision.attempts, facts.attempts);
    EXPECT_EQ(rig.task("a").attempts, 2U);
}

TEST(DeadLetter, EditedStaysWhereItIsWithItsNewEnvelope) {
    CoreRig rig = rig_with_dead("a");
    rig.facts = facts_of(rig, "a");
    rig.facts.spec->instructions = "do it right";
    rig.facts.changed = {"instructions"};
    rig.run(EditTask{TaskId("a"), "a typing error"});
    EXPECT_EQ(rig.state_of("a"), TaskState::kDead);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kAttemptsExhausted);
    const auto& event = rig.journal.at(rig.journal.size() - 2);
    EXPECT_EQ(event.identity, kLocalIdentity);
    EXPECT_EQ(rig.task("a").edited_seq, event.seq);
    const Revision& revision = *std::get<TaskEdited>(event.body).revision;
    EXPECT_EQ(revision.spec->instructions, "do it right");
    EXPECT_EQ(revision.reason, "a typing error");
    rig.run(ReplayTask{TaskId("a")});
    EXPECT_EQ(spec_seq(rig.task("a")), event.seq) << "the next attempt gets it";
}

TEST(DeadLetter, EditedIntoWhatItIsIsRefused) {
    CoreRig rig = rig_with_dead("a");
    rig.facts = facts_of(rig, "a");
    EXPECT_EQ(CoreRig::refusal(rig.run(EditTask{TaskId("a"), ""})), "INVALID");
}

TEST(DeadLetter, EditedIntoAPayloadThatItsRoleDoesNotTakeIsRefused) {
    CoreRig rig = rig_with_dead("a");
    rig.facts = facts_of(rig, "a");
    rig.facts.changed = {"payload"};
    rig.facts.payload = Error{ErrorCode::INVALID, "no", "changes.payload", {}};
    EXPECT_EQ(CoreRig::refusal(rig.run(EditTask{TaskId("a"), ""})), "INVALID");
    EXPECT_EQ(rig.task("a").edited_seq, 0U);
}

TEST(DeadLetter, RemovedIsGoneWithAllItHeldAndTheJournalSaysWhy) {
    CoreRig rig = rig_with_dead("a");
    const Seq submitted = rig.task("a").submitted_seq;
    rig.facts = facts_of(rig, "a");
    rig.run(RemoveTask{TaskId("a"), "nobody wants it"});
    const auto& removed = last_body<TaskRemoved>(rig);
    EXPECT_EQ(removed.submitted_seq, submitted);
    EXPECT_EQ(removed.released, std::vector{CoreRig::digest(7)});
    EXPECT_EQ(removed.bytes, 5U);
    EXPECT_EQ(removed.reason, "nobody wants it");
    EXPECT_EQ(CoreRig::refusal(rig.run(ReplayTask{TaskId("a")})), "NOT_FOUND");
    rig.submit("a");
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued) << "its id is free";
}

TEST(DeadLetter, ThatRetentionIsJustAboutIsBusy) {
    CoreRig rig = rig_with_dead("a");
    rig.state.index.artifacts_removed[rig.task("a").key] = rig.state.durable.last_seq;
    EXPECT_EQ(CoreRig::refusal(rig.run(ReplayTask{TaskId("a")})), "BUSY");
    EXPECT_EQ(CoreRig::refusal(rig.run(RemoveTask{TaskId("a"), ""})), "BUSY");
    forget_projected(rig.state, rig.state.durable.last_seq);
    EXPECT_TRUE(rig.state.index.artifacts_removed.empty());
}

}  // namespace
}  // namespace zq::core
