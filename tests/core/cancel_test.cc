#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

TEST(Cancel, EndsAWaitingTaskAtOnceAndTwiceIsOnce) {
    CoreRig rig;
    rig.submit("a");
    rig.run(CancelTask{TaskId("a"), "not needed"});
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
    EXPECT_EQ(rig.task("a").reason, "not needed");
    const std::size_t events = rig.journal.size();
    auto again = CoreRig::answer<AcceptedAnswer>(rig.run(CancelTask{TaskId("a"), "again"}));
    EXPECT_EQ(again.state, TaskState::kCancelled);
    EXPECT_EQ(rig.journal.size(), events);
}

TEST(Cancel, OfARunningTaskIsPushedAndRepeatedWithEveryHeartbeat) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    auto effects = rig.run(CancelTask{TaskId("a"), ""});
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelling);
    bool pushed = false;
    for (const Effect& effect : effects) {
        const auto* push = std::get_if<Push>(&effect);
        pushed |= push != nullptr && push->to == 1 &&
                  std::get<LeaseWord>(push->body) == LeaseWord{token, Verdict::kCancel};
    }
    EXPECT_TRUE(pushed);
    auto beat = CoreRig::answer<BeatAnswer>(rig.heartbeat(1, {token}));
    EXPECT_EQ(beat.leases.at(0).verdict, Verdict::kCancel);
}

TEST(Cancel, EndsOnlyInCancelledAlsoWhenACompletionComes) {
    CoreRig rig;
    rig.submit("a");
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    rig.run(CancelTask{TaskId("a"), "not needed"});
    EndAttempt end;
    end.task = TaskId("a");
    end.token = token;
    end.reason = "ended by SIGTERM";
    end.artifacts = {{"result.md", CoreRig::digest(4), 3, "", ""}};
    end.report = CoreRig::digest(8);
    auto answer = CoreRig::answer<AcceptedAnswer>(rig.run(end));
    EXPECT_EQ(answer.state, TaskState::kCancelled);
    EXPECT_EQ(rig.state.index.attempts.begin()->second.artifacts.size(), 1U)
        << "what it made is kept";
    EXPECT_EQ(rig.task("a").reason, "not needed") << "the canceller's word stays";
}

TEST(Cancel, OfATaskWhoseWorkerIsGoneEndsWithItsLease) {
    CoreRig rig;
    rig.submit("a");
    rig.heartbeat(1, {rig.assign_to(1, "w1").lease.token});
    rig.run(CancelTask{TaskId("a"), ""});
    rig.advance(rig.policy.lease * 2);
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
}

TEST(Cancel, AfterTheCompletionIsAConflict) {
    CoreRig rig;
    rig.submit("a");
    rig.complete("a", {});
    EXPECT_EQ(CoreRig::refusal(rig.run(CancelTask{TaskId("a"), ""})), "CONFLICT");
}

TEST(Cancel, OfATaskThatWaitsForItsRetryIsAtOnce) {
    CoreRig rig;
    rig.submit("a");
    rig.fail_attempt("a", rig.assign_to(1, "w1").lease.token);
    rig.run(CancelTask{TaskId("a"), ""});
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
}

}  // namespace
}  // namespace zq::core
