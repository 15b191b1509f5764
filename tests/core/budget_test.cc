// Budgets: what counts against them, and what becomes of a task that has used its own up.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

struct Spending : CoreRig {
    explicit Spending(Budget budget = {0, 1'000, OnBudget::kAsk}) {
        TaskSpec spec = CoreRig::spec("a");
        spec.budget = budget;
        spec.backoff = {Backoff::Kind::kFixed, seconds(5), seconds(5)};
        submit(spec);
        take();
    }
    void take(SessionId session = 1) {
        token = assign_to(session, "w" + std::to_string(session)).lease.token;
        heartbeat(session, {token});
    }
    std::vector<Effect> use(std::uint64_t tokens) {
        return run(NoteUsage{TaskId("a"), token, {0, tokens, 0, ""}});
    }
    std::vector<Effect> end(EndAttempt::Kind kind, std::uint64_t tokens,
                            ReleaseCause cause = ReleaseCause::kReleased) {
        EndAttempt end;
        end.kind = kind;
        end.task = TaskId("a");
        end.token = token;
        end.cause = cause;
        end.output = {{"input_tokens", std::to_string(tokens)}};
        end.report = digest(60);
        return run(end);
    }
    std::vector<Effect> say(const std::string& choice) {
        return run(AnswerPerson{TaskId("a"), "", choice, ""});
    }
    static std::vector<Verdict> pushed(const std::vector<Effect>& effects) {
        std::vector<Verdict> found;
        for (const Effect& effect : effects) {
            const auto* push = std::get_if<Push>(&effect);
            if (push == nullptr) continue;
            if (const auto* word = std::get_if<LeaseWord>(&push->body)) {
                found.push_back(word->verdict);
            }
        }
        return found;
    }
    const Question& last() const { return task("a").questions.back(); }
    LeaseToken token;
};

using Kind = EndAttempt::Kind;

TEST(Budget, OfATaskThatStaysWithinItChangesNothing) {
    Spending rig;
    EXPECT_TRUE(Spending::pushed(rig.use(999)).empty());
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.end(Kind::kFail, 999)).state,
              TaskState::kRetryWait);
    EXPECT_EQ(rig.task("a").spent.tokens, 999U);
}

TEST(Budget, ThatIsUsedUpByFailedAttemptsTogetherAsksAPerson) {
    Spending rig;
    rig.end(Kind::kFail, 600);
    rig.advance(seconds(5));
    rig.take(2);
    const auto said = CoreRig::answer<AcceptedAnswer>(rig.end(Kind::kFail, 400));
    EXPECT_EQ(said.state, TaskState::kInputRequired);
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
    EXPECT_EQ(rig.last().kind, QuestionKind::kBudget);
    EXPECT_EQ(rig.last().text,
              "The budget is used up: 1000 of 1000 tokens. Shall the task go on with as much "
              "again?");
    EXPECT_FALSE(rig.last().until.is_set());
}

TEST(Budget, CountsMoneyAsWellAsTokens) {
    Spending rig({2'500'000, 0, OnBudget::kAsk});
    rig.run(NoteUsage{TaskId("a"), rig.token, {2'500'000, 1'000'000, 0, "m"}});
    rig.end(Kind::kRelease, 1'000'000);
    EXPECT_EQ(rig.last().text,
              "The budget is used up: $2.5 of $2.5. Shall the task go on with as much again?");
}

TEST(Budget, ThatIsUsedUpWhereThatWasWishedEndsTheTaskAsDead) {
    Spending rig({0, 1'000, OnBudget::kDead});
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.end(Kind::kFail, 2'000)).state, TaskState::kDead);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kBudget);
    EXPECT_EQ(rig.task("a").reason, "its budget is used up: 2000 of 1000 tokens");
}

TEST(Budget, DoesNotStopWhatIsDoneAtLast) {
    Spending rig;
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.end(Kind::kComplete, 5'000)).state,
              TaskState::kCompleted);
}

TEST(Budget, WithoutOneNothingIsCountedAgainstTheTask) {
    Spending rig{Budget{}};
    rig.use(1'000'000);
    rig.end(Kind::kFail, 1'000'000);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRetryWait);
    EXPECT_EQ(rig.task("a").spent, Spent{});
}

TEST(Budget, ThatARunningAttemptUsesUpIsSaidToItsWorkerAtOnceAndWithEveryHeartbeat) {
    Spending rig;
    EXPECT_EQ(Spending::pushed(rig.use(1'000)), std::vector{Verdict::kBudget});
    const auto beat = CoreRig::answer<BeatAnswer>(rig.heartbeat(1, {rig.token}));
    ASSERT_EQ(beat.leases.size(), 1U);
    EXPECT_EQ(beat.leases.front().verdict, Verdict::kBudget);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning) << "its holder ends it";
    rig.end(Kind::kRelease, 1'000, ReleaseCause::kBudget);
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
    EXPECT_EQ(rig.task("a").failures, 0U);
}

TEST(Budget, ACancelIsSaidBeforeIt) {
    Spending rig;
    rig.use(1'000);
    rig.run(CancelTask{TaskId("a"), "enough"});
    const auto beat = CoreRig::answer<BeatAnswer>(rig.heartbeat(1, {rig.token}));
    EXPECT_EQ(beat.leases.front().verdict, Verdict::kCancel);
    rig.end(Kind::kRelease, 1'000, ReleaseCause::kBudget);
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
}

TEST(Budget, CountsWhatALostAttemptHadNoted) {
    Spending rig;
    rig.use(1'000);
    rig.advance(rig.policy.lease + rig.policy.heartbeat);
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
    EXPECT_EQ(rig.task("a").losses, 1U);
    EXPECT_FALSE(rig.task("a").lost_lease.has_value()) << "nobody may go on with it";
    EXPECT_EQ(rig.state.index.attempts.rbegin()->second.output.at("input_tokens"), "1000");
}

TEST(Budget, CountsTheGreaterOfWhatWasNotedAndWhatIsReported) {
    Spending rig;
    rig.use(400);
    rig.end(Kind::kFail, 300);
    EXPECT_EQ(rig.task("a").spent.tokens, 400U);
}

TEST(Budget, OldTotalsThatComeLateSayNothingNew) {
    Spending rig;
    rig.use(500);
    const std::size_t before = rig.journal.size();
    rig.use(300);
    rig.use(500);
    EXPECT_EQ(rig.journal.size(), before);
    EXPECT_EQ(rig.task("a").spending.input_tokens, 500U);
}

TEST(Budget, IsNotedUnderTheCurrentLeaseAlone) {
    Spending rig;
    const LeaseToken old = rig.token;
    rig.end(Kind::kFail, 1);
    EXPECT_EQ(CoreRig::refusal(rig.run(NoteUsage{TaskId("a"), old, {1, 1, 1, ""}})), "STALE_LEASE");
    EXPECT_EQ(CoreRig::refusal(rig.run(NoteUsage{TaskId("b"), old, {1, 1, 1, ""}})), "NOT_FOUND");
}

TEST(Budget, ThatAPersonGrantsAnewLastsFromWhatWasSpentThen) {
    Spending rig;
    rig.end(Kind::kFail, 1'700);
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.say("continue")).state, TaskState::kQueued);
    rig.take(2);
    EXPECT_TRUE(Spending::pushed(rig.use(999)).empty());
    EXPECT_EQ(Spending::pushed(rig.use(1'000)), std::vector{Verdict::kBudget});
    rig.end(Kind::kRelease, 1'000, ReleaseCause::kBudget);
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
    EXPECT_NE(rig.last().text.find("2700 of 2700 tokens"), std::string::npos) << rig.last().text;
}

TEST(Budget, ThatAPersonDoesNotGrantEndsTheTask) {
    Spending rig;
    rig.end(Kind::kFail, 1'700);
    EXPECT_EQ(CoreRig::refusal(rig.say("maybe")), "INVALID");
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.say("stop")).state, TaskState::kDead);
    EXPECT_EQ(rig.task("a").dead_reason, DeadReason::kBudget);
}

TEST(Budget, IsAskedAboutOnceTheTasksOwnQuestionIsAnswered) {
    Spending rig;
    EndAttempt park;
    park.kind = Kind::kRelease;
    park.task = TaskId("a");
    park.token = rig.token;
    park.cause = ReleaseCause::kInputRequired;
    park.question = NewQuestion{"q", "Which one?", {}, {}};
    park.output = {{"output_tokens", "1000"}};
    park.report = CoreRig::digest(61);
    rig.run(park);
    const auto said = rig.run(AnswerPerson{TaskId("a"), "", "", "the left one"});
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(said).state, TaskState::kInputRequired);
    EXPECT_EQ(rig.last().kind, QuestionKind::kBudget);
    rig.say("continue");
    const Assignment next = rig.assign_to(3, "w3");
    ASSERT_EQ(next.questions.size(), 1U) << "what the budget is asked about is nobody else's";
    EXPECT_EQ(next.questions.front().answer, "the left one");
}

TEST(Budget, IsKeptInAStateOfThePastThatWasCutOffBeforeItsEvent) {
    Spending rig;
    rig.end(Kind::kFail, 1'000);
    ASSERT_EQ(kind_of(rig.journal.back().body), "budget_reached");
    State past;
    for (std::size_t i = 0; i + 1 < rig.journal.size(); ++i) apply(past, rig.journal[i]);
    rig.state = past;
    rig.journal.pop_back();
    rig.restart();
    rig.advance(seconds(5));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued) << "nobody has asked for it yet";
    EXPECT_EQ(CoreRig::refusal(rig.run(ClaimTask{RoleName("review"), {}, "hand", seconds(60)})),
              "NOTHING_TO_CLAIM");
    EXPECT_EQ(CoreRig::refusal(rig.run(ClaimTask{{}, TaskId("a"), "hand", seconds(60)})),
              "CONFLICT");
    rig.hello(5, "w5");
    EXPECT_TRUE(CoreRig::assignments(rig.ready(5, 1)).empty());
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
}

TEST(Budget, OfAWaitingTaskCanBeCancelled) {
    Spending rig;
    rig.end(Kind::kFail, 1'000);
    rig.run(CancelTask{TaskId("a"), "too dear"});
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
}

}  // namespace
}  // namespace zq::core
