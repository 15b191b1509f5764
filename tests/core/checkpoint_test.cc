// CHECKPOINT: what an attempt saved is there for the next one, and nobody but the holder saves.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

struct Saving : CoreRig {
    Saving() {
        submit("a");
        token = assign_to(1, "w1").lease.token;
        heartbeat(1, {token});
    }
    std::vector<Effect> save(const std::string& name, std::uint8_t content) {
        return run(SaveCheckpoint{TaskId("a"), token, {name, digest(content), 10, "", ""}, {}});
    }
    /// `name:content` of each kept one, by number.
    std::string kept() const {
        std::string text;
        for (const CheckpointRef& checkpoint : task("a").checkpoints) {
            text += (text.empty() ? "" : " ") + checkpoint.ref.name + ":" +
                    std::to_string(checkpoint.ref.digest.bytes[0]);
        }
        return text;
    }
    LeaseToken token;
};

TEST(Checkpoint, IsGivenToTheNextAttempt) {
    Saving rig;
    CoreRig::answer<AcceptedAnswer>(rig.save("plan", 1));
    CoreRig::answer<AcceptedAnswer>(rig.save("state", 2));
    rig.fail_attempt("a", rig.token);
    rig.advance(seconds(5));
    const Assignment second = rig.assign_to(1, "w1");
    ASSERT_EQ(second.checkpoints.size(), 2U);
    EXPECT_EQ(second.checkpoints[0].ref.name, "plan");
    EXPECT_EQ(second.checkpoints[1].number, 2U);
    EXPECT_EQ(second.checkpoints[1].attempt, 1U);
    EXPECT_EQ(second.checkpoints[1].at, rig.journal.back().at - seconds(5));
}

TEST(Checkpoint, IsGivenToWhoClaimsByHand) {
    Saving rig;
    rig.save("state", 1);
    rig.fail_attempt("a", rig.token);
    rig.advance(seconds(5));
    auto claimed =
        CoreRig::answer<ClaimAnswer>(rig.run(ClaimTask{RoleName("review"), {}, "me", minutes(1)}));
    ASSERT_EQ(claimed.checkpoints.size(), 1U);
    EXPECT_EQ(claimed.checkpoints[0].ref.name, "state");
}

TEST(Checkpoint, OfAnOldTokenIsRefused) {
    Saving rig;
    const LeaseToken old = rig.token;
    rig.save("state", 1);
    rig.fail_attempt("a", rig.token);
    EXPECT_EQ(CoreRig::refusal(rig.save("state", 2)), "STALE_LEASE") << "nobody holds it";
    rig.advance(seconds(5));
    rig.token = rig.assign_to(1, "w1").lease.token;
    CoreRig::answer<AcceptedAnswer>(rig.save("state", 3));
    rig.token = old;
    EXPECT_EQ(CoreRig::refusal(rig.save("state", 4)), "STALE_LEASE") << "another attempt runs";
    EXPECT_EQ(rig.kept(), "state:1 state:3");
}

TEST(Checkpoint, OfAnotherIdentityThanTheHoldersIsRefused) {
    Saving rig;
    rig.identity = Identity("thief@0000000000000000");
    EXPECT_EQ(CoreRig::refusal(rig.save("state", 1)), "STALE_LEASE");
    EXPECT_EQ(rig.kept(), "");
}

TEST(Checkpoint, OfAnUnknownTaskIsNotFound) {
    CoreRig rig;
    EXPECT_EQ(CoreRig::refusal(rig.run(SaveCheckpoint{TaskId("no"), {}, {}, {}})), "NOT_FOUND");
}

TEST(Checkpoint, WithoutItsContentIsAnsweredWithTheDigest) {
    Saving rig;
    rig.facts.missing = {CoreRig::digest(1)};
    EXPECT_EQ(CoreRig::refusal(rig.save("state", 1)), "MISSING_CONTENT");
    EXPECT_EQ(rig.kept(), "");
}

TEST(Checkpoint, SentAgainIsAnsweredAlikeAndSavedOnce) {
    Saving rig;
    rig.save("state", 1);
    const std::size_t events = rig.journal.size();
    CoreRig::answer<AcceptedAnswer>(rig.save("state", 1));
    EXPECT_EQ(rig.journal.size(), events);
    rig.save("state", 2);
    rig.save("state", 1);
    EXPECT_EQ(rig.kept(), "state:1 state:2 state:1") << "back to an earlier one is news";
}

TEST(Checkpoint, OfTheSameContentIsTheNextAttemptsOwn) {
    Saving rig;
    rig.save("state", 1);
    rig.fail_attempt("a", rig.token);
    rig.advance(seconds(5));
    rig.token = rig.assign_to(1, "w1").lease.token;
    rig.save("state", 1);
    EXPECT_EQ(rig.task("a").checkpoints.back().attempt, 2U);
}

TEST(Checkpoint, OnlyTheLastOnesAreKeptAndANameSavedOnceStays) {
    Saving rig;
    rig.save("plan", 100);
    for (std::uint8_t i = 1; i <= 20; ++i) rig.save("state", i);
    EXPECT_EQ(rig.kept(),
              "plan:100 state:14 state:15 state:16 state:17 state:18 state:19 state:20");
    EXPECT_EQ(rig.task("a").checkpoints.back().number, 21U);
}

TEST(Checkpoint, OfTooManyNamesDropsTheOldest) {
    Saving rig;
    for (std::uint8_t i = 1; i <= limits::kCheckpointsKept + 1; ++i) {
        rig.save("n" + std::to_string(i), i);
    }
    EXPECT_EQ(rig.kept(), "n2:2 n3:3 n4:4 n5:5 n6:6 n7:7 n8:8 n9:9");
}

TEST(Checkpoint, LivesThroughARestartAndALostLease) {
    Saving rig;
    rig.save("state", 1);
    rig.restart();
    EXPECT_EQ(rig.kept(), "state:1");
    rig.advance(minutes(10));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    const Assignment second = rig.assign_to(2, "w2");
    ASSERT_EQ(second.checkpoints.size(), 1U);
    EXPECT_EQ(second.lease.attempt, 2U);
}

TEST(Checkpoint, IsStillSavedWhileItsTaskIsBeingCancelled) {
    Saving rig;
    rig.run(CancelTask{TaskId("a"), "no need"});
    auto answer = CoreRig::answer<AcceptedAnswer>(rig.save("state", 1));
    EXPECT_EQ(answer.state, TaskState::kCancelling);
}

TEST(Checkpoint, OfAFinishedTaskIsKeptWithIt) {
    Saving rig;
    rig.save("state", 1);
    rig.complete("a", rig.token);
    EXPECT_EQ(rig.state_of("a"), TaskState::kCompleted);
    EXPECT_EQ(rig.kept(), "state:1");
    EXPECT_EQ(CoreRig::refusal(rig.save("state", 2)), "STALE_LEASE");
}

}  // namespace
}  // namespace zq::core
