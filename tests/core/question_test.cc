// ASK and ANSWER, and releases that ask: who may ask, what a task is while it asks, how a question
// ends.
#include "tests/core/core_rig.h"

namespace zq::core {
namespace {

struct Asking : CoreRig {
    Asking() {
        submit("a");
        take();
    }
    void take(const std::string& worker = "w1", SessionId session = 1) {
        token = assign_to(session, worker).lease.token;
        heartbeat(session, {token});
    }
    static NewQuestion question(const std::string& id, Millis timeout = {}) {
        return {id, "Delete " + id + "?", {}, timeout};
    }
    static NewQuestion choice(const std::string& id) {
        return {id, "Delete " + id + "?", {"yes", "no"}, {}};
    }
    std::vector<Effect> ask(const NewQuestion& asked) {
        return run(AskPerson{TaskId("a"), token, asked});
    }
    std::vector<Effect> park(const NewQuestion& asked) {
        EndAttempt end;
        end.kind = EndAttempt::Kind::kRelease;
        end.task = TaskId("a");
        end.token = token;
        end.cause = ReleaseCause::kInputRequired;
        end.question = asked;
        end.report = digest(50);
        return run(end);
    }
    std::vector<Effect> say(const std::string& text, const std::string& picked = "",
                            const std::string& id = "") {
        return run(AnswerPerson{TaskId("a"), id, picked, text});
    }
    const Question& last() const { return task("a").questions.back(); }
    static std::vector<QuestionNews> news(const std::vector<Effect>& effects) {
        std::vector<QuestionNews> found;
        for (const Effect& effect : effects) {
            const auto* push = std::get_if<Push>(&effect);
            if (push == nullptr) continue;
            if (const auto* told = std::get_if<QuestionNews>(&push->body)) found.push_back(*told);
        }
        return found;
    }
    std::size_t events() const { return journal.size(); }
    LeaseToken token;
};

TEST(AskWaiting, KeepsTheLeaseAndTheStateWhileItIsOpen) {
    Asking rig;
    auto asked = CoreRig::answer<QuestionAnswer>(rig.ask(Asking::question("q")));
    EXPECT_EQ(asked.question.state, QuestionState::kOpen);
    EXPECT_EQ(asked.question.attempt, 1U);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    EXPECT_EQ(rig.task("a").lease->token, rig.token);
    EXPECT_EQ(rig.state.index.asking.size(), 1U);
}

TEST(AskWaiting, IsToldTheAnswerAtOnceAndWhenItAsksAgain) {
    Asking rig;
    rig.ask(Asking::question("q"));
    rig.identity = Identity("boss@0000000000000000");
    auto effects = rig.say("do it");
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(effects).state, TaskState::kRunning);
    ASSERT_EQ(Asking::news(effects).size(), 1U);
    const Question told = Asking::news(effects)[0].question;
    EXPECT_EQ(told.answer, "do it");
    EXPECT_EQ(told, rig.last()) << "what is told is what is kept";
    EXPECT_EQ(rig.last().answered_by.text, "boss@0000000000000000");
    rig.identity = kLocalIdentity;
    auto again = CoreRig::answer<QuestionAnswer>(rig.ask(Asking::question("q")));
    EXPECT_EQ(again.question, told);
    EXPECT_TRUE(rig.state.index.asking.empty());
}

TEST(AskWaiting, AskedAgainIsTheSameQuestion) {
    Asking rig;
    rig.ask(Asking::question("q"));
    const std::size_t before = rig.events();
    auto again = CoreRig::answer<QuestionAnswer>(rig.ask(Asking::question("q")));
    EXPECT_EQ(again.question.state, QuestionState::kOpen);
    EXPECT_EQ(rig.events(), before);
    NewQuestion other = Asking::question("q");
    other.text = "Something else?";
    EXPECT_EQ(CoreRig::refusal(rig.ask(other)), "CONFLICT");
}

TEST(AskWaiting, OneAtATime) {
    Asking rig;
    rig.ask(Asking::question("q"));
    EXPECT_EQ(CoreRig::refusal(rig.ask(Asking::question("r"))), "CONFLICT");
    rig.say("yes");
    CoreRig::answer<QuestionAnswer>(rig.ask(Asking::question("r")));
}

TEST(AskWaiting, OfAnotherThanTheHolderIsRefused) {
    Asking rig;
    EXPECT_EQ(CoreRig::refusal(rig.run(AskPerson{TaskId("no"), {}, Asking::question("q")})),
              "NOT_FOUND");
    rig.identity = Identity("thief@0000000000000000");
    EXPECT_EQ(CoreRig::refusal(rig.ask(Asking::question("q"))), "STALE_LEASE");
    rig.identity = kLocalIdentity;
    const LeaseToken old = rig.token;
    rig.fail_attempt("a", rig.token);
    rig.advance(seconds(5));
    rig.take();
    rig.token = old;
    EXPECT_EQ(CoreRig::refusal(rig.ask(Asking::question("q"))), "STALE_LEASE");
}

TEST(AskWaiting, WithoutAnAnswerInItsTimeEndsSo) {
    Asking rig;
    rig.ask(Asking::question("q", seconds(20)));
    rig.advance(seconds(19));
    EXPECT_EQ(rig.last().state, QuestionState::kOpen);
    auto effects = rig.advance(seconds(1));
    EXPECT_EQ(rig.last().state, QuestionState::kNoAnswer);
    ASSERT_EQ(Asking::news(effects).size(), 1U);
    EXPECT_EQ(Asking::news(effects)[0].question.state, QuestionState::kNoAnswer);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning) << "the attempt goes on";
    EXPECT_EQ(CoreRig::refusal(rig.say("late")), "CONFLICT");
}

TEST(AskWaiting, EndsWithItsAttemptAndTheNextMayAskAgain) {
    Asking rig;
    rig.ask(Asking::question("q"));
    rig.advance(minutes(10));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued) << "the lease was lost";
    EXPECT_EQ(rig.last().state, QuestionState::kWithdrawn);
    EXPECT_EQ(CoreRig::refusal(rig.say("yes")), "CONFLICT");
    rig.take("w2", 2);
    EXPECT_EQ(CoreRig::refusal(rig.ask(Asking::question("q"))), "CONFLICT") << "its id is used";
    CoreRig::answer<QuestionAnswer>(rig.ask(Asking::question("q2")));
    EXPECT_EQ(rig.last().attempt, 2U);
}

TEST(AskWaiting, OfALossThatIsTakenBackIsAskedAnew) {
    Asking rig;
    rig.ask(Asking::question("q"));
    rig.advance(minutes(10));
    EXPECT_EQ(rig.last().state, QuestionState::kWithdrawn);
    rig.hello(1, "w1", 1, {rig.token}, rig.token);
    EXPECT_EQ(rig.state_of("a"), TaskState::kRunning);
    auto again = CoreRig::answer<QuestionAnswer>(rig.ask(Asking::question("q")));
    EXPECT_EQ(again.question.state, QuestionState::kOpen);
    EXPECT_EQ(rig.task("a").questions.size(), 1U);
    CoreRig::answer<AcceptedAnswer>(rig.say("yes"));
}

TEST(AskWaiting, IsWithdrawnByACancel) {
    Asking rig;
    rig.ask(Asking::question("q"));
    rig.run(CancelTask{TaskId("a"), "no need"});
    EXPECT_EQ(rig.last().state, QuestionState::kWithdrawn);
    EXPECT_TRUE(rig.state.index.asking.empty());
    EXPECT_EQ(CoreRig::refusal(rig.say("yes")), "CONFLICT");
    auto told = CoreRig::answer<QuestionAnswer>(rig.ask(Asking::question("r")));
    EXPECT_EQ(told.question.state, QuestionState::kWithdrawn) << "nobody is asked any more";
    EXPECT_EQ(rig.task("a").questions.size(), 1U);
}

TEST(AskWaiting, IsWithdrawnWhenItsWorkerDrains) {
    Asking rig;
    rig.ask(Asking::question("q"));
    EndAttempt end;
    end.kind = EndAttempt::Kind::kRelease;
    end.task = TaskId("a");
    end.token = rig.token;
    end.cause = ReleaseCause::kDrained;
    end.report = CoreRig::digest(9);
    rig.run(end);
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    EXPECT_EQ(rig.last().state, QuestionState::kWithdrawn);
    EXPECT_EQ(rig.task("a").failures, 0U);
}

TEST(AskWaiting, LivesThroughARestart) {
    Asking rig;
    rig.ask(Asking::question("q", minutes(30)));
    rig.restart();
    EXPECT_EQ(rig.last().state, QuestionState::kOpen);
    rig.hello(1, "w1", 1, {rig.token}, rig.token);
    EXPECT_EQ(Asking::news(rig.say("yes")).size(), 1U);
}

TEST(AskParked, HoldsNeitherLeaseNorSlotAndChargesNothing) {
    Asking rig;
    rig.run(SaveCheckpoint{TaskId("a"), rig.token, {"state", CoreRig::digest(3), 10, "", ""}, {}});
    auto accepted = CoreRig::answer<AcceptedAnswer>(rig.park(Asking::question("q")));
    EXPECT_EQ(accepted.state, TaskState::kInputRequired);
    const Task& task = rig.task("a");
    EXPECT_FALSE(task.lease);
    EXPECT_EQ(task.failures + task.losses + task.deferrals, 0U);
    EXPECT_EQ(task.checkpoints.size(), 1U);
    EXPECT_TRUE(rig.last().parked);
    rig.submit("b");
    EXPECT_EQ(rig.assign_to(1, "w1").task.id.text, "b") << "the slot is free";
}

TEST(AskParked, IsQueuedByItsAnswerWhichTheNextAttemptIsTold) {
    Asking rig;
    rig.park(Asking::question("q"));
    rig.advance(hours(30));
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired) << "it waits";
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.say("account 7")).state, TaskState::kQueued);
    const Assignment next = rig.assign_to(1, "w1");
    EXPECT_EQ(next.lease.attempt, 2U);
    ASSERT_EQ(next.questions.size(), 1U);
    EXPECT_EQ(next.questions[0].text, "Delete q?");
    EXPECT_EQ(next.questions[0].answer, "account 7");
}

TEST(AskParked, IsToldToWhoClaimsByHandToo) {
    Asking rig;
    rig.park(Asking::question("q"));
    EXPECT_EQ(CoreRig::refusal(rig.run(ClaimTask{{}, TaskId("a"), "me", minutes(1)})), "CONFLICT");
    rig.say("yes");
    auto claimed =
        CoreRig::answer<ClaimAnswer>(rig.run(ClaimTask{{}, TaskId("a"), "me", minutes(1)}));
    EXPECT_EQ(claimed.questions.size(), 1U);
}

TEST(AskParked, GoesOnWithoutAnAnswerWhenItsTimeIsOver) {
    Asking rig;
    rig.park(Asking::question("q", hours(1)));
    rig.restart();
    rig.advance(minutes(59));
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired);
    rig.advance(minutes(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued);
    const Assignment next = rig.assign_to(1, "w1");
    ASSERT_EQ(next.questions.size(), 1U);
    EXPECT_EQ(next.questions[0].state, QuestionState::kNoAnswer);
}

TEST(AskParked, SentAgainIsAnsweredAlike) {
    Asking rig;
    rig.park(Asking::question("q"));
    const std::size_t before = rig.events();
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.park(Asking::question("q"))).state,
              TaskState::kInputRequired);
    rig.say("yes");
    CoreRig::answer<AcceptedAnswer>(rig.park(Asking::question("q")));
    EXPECT_EQ(rig.state_of("a"), TaskState::kQueued) << "the repetition asks nothing";
    EXPECT_GT(rig.events(), before);
}

TEST(AskParked, IsCancelledAtOnce) {
    Asking rig;
    rig.park(Asking::question("q", hours(1)));
    rig.run(CancelTask{TaskId("a"), "no need"});
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
    EXPECT_EQ(rig.last().state, QuestionState::kWithdrawn);
    rig.advance(hours(2));
    EXPECT_EQ(rig.state_of("a"), TaskState::kCancelled);
    EXPECT_EQ(CoreRig::refusal(rig.say("yes")), "CONFLICT");
}

TEST(AskParked, WhileACancelIsUnderWayEndsInCancelled) {
    Asking rig;
    rig.run(CancelTask{TaskId("a"), "no need"});
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.park(Asking::question("q"))).state,
              TaskState::kCancelled);
    EXPECT_TRUE(rig.task("a").questions.empty());
}

TEST(AskParked, IsNoBusinessOfTheTtl) {
    CoreRig rig;
    TaskSpec spec = CoreRig::spec("a");
    spec.ttl = minutes(1);
    rig.submit(spec);
    const LeaseToken token = rig.assign_to(1, "w1").lease.token;
    EndAttempt end;
    end.kind = EndAttempt::Kind::kRelease;
    end.task = TaskId("a");
    end.token = token;
    end.cause = ReleaseCause::kInputRequired;
    end.question = Asking::question("q");
    end.report = CoreRig::digest(50);
    rig.run(end);
    rig.advance(hours(1));
    EXPECT_EQ(rig.state_of("a"), TaskState::kInputRequired) << "it has started in time";
}

TEST(AskParked, TakesBackALossThatWasNone) {
    Asking rig;
    rig.advance(minutes(10));
    EXPECT_EQ(rig.task("a").losses, 1U);
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.park(Asking::question("q"))).state,
              TaskState::kInputRequired);
    EXPECT_EQ(rig.task("a").losses, 0U);
}

TEST(AskParked, ReplacesTheQuestionThatItsAttemptWaitedWith) {
    Asking rig;
    rig.ask(Asking::question("q"));
    rig.park(Asking::question("r"));
    ASSERT_EQ(rig.task("a").questions.size(), 2U);
    EXPECT_EQ(rig.task("a").questions[0].state, QuestionState::kWithdrawn);
    EXPECT_EQ(rig.last().id, "r");
    rig.say("yes");
    EXPECT_EQ(rig.assign_to(1, "w1").questions.size(), 1U) << "what was withdrawn is no answer";
}

TEST(AnswerPerson, OfChoicesIsOneOfThem) {
    Asking rig;
    rig.ask(Asking::choice("q"));
    EXPECT_EQ(CoreRig::refusal(rig.say("perhaps")), "INVALID");
    EXPECT_EQ(CoreRig::refusal(rig.say("", "perhaps")), "INVALID");
    CoreRig::answer<AcceptedAnswer>(rig.say("no"));
    EXPECT_EQ(rig.last().choice, "no");
    EXPECT_EQ(rig.last().answer, "");
    rig.ask(Asking::choice("r"));
    rig.say("as agreed", "yes");
    EXPECT_EQ(rig.last().choice + "/" + rig.last().answer, "yes/as agreed");
}

TEST(AnswerPerson, OfAQuestionWithoutChoicesIsAText) {
    Asking rig;
    rig.ask(Asking::question("q"));
    EXPECT_EQ(CoreRig::refusal(rig.say("", "yes")), "INVALID");
    EXPECT_EQ(CoreRig::refusal(rig.say("")), "INVALID");
    EXPECT_EQ(rig.last().state, QuestionState::kOpen);
}

TEST(AnswerPerson, GivenTwiceAlikeIsTakenOtherwiseAConflict) {
    Asking rig;
    rig.park(Asking::choice("q"));
    rig.say("yes");
    const std::size_t before = rig.events();
    EXPECT_EQ(CoreRig::answer<AcceptedAnswer>(rig.say("yes")).state, TaskState::kQueued);
    EXPECT_EQ(rig.events(), before);
    EXPECT_EQ(CoreRig::refusal(rig.say("no")), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.say("no", "", "q")), "CONFLICT");
}

TEST(AnswerPerson, WhereNothingIsAskedIsAConflict) {
    Asking rig;
    EXPECT_EQ(CoreRig::refusal(rig.say("yes")), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.say("yes", "", "q9")), "NOT_FOUND");
    rig.complete("a", rig.token);
    EXPECT_EQ(CoreRig::refusal(rig.say("yes")), "CONFLICT");
    EXPECT_EQ(CoreRig::refusal(rig.run(AnswerPerson{TaskId("no"), "", "", "x"})), "NOT_FOUND");
}

TEST(AnswerPerson, RepeatedUnderItsRequestAnswersNoLaterQuestion) {
    Asking rig;
    rig.ask(Asking::question("q"));
    rig.say("yes");
    const std::uint64_t request = rig.request;
    rig.ask(Asking::question("r"));
    rig.request = request - 1;
    CoreRig::answer<AcceptedAnswer>(rig.say("yes"));
    EXPECT_EQ(rig.last().id, "r");
    EXPECT_EQ(rig.last().state, QuestionState::kOpen);
    EXPECT_EQ(CoreRig::refusal(rig.say("no", "", "q")), "CONFLICT");
}

TEST(Questions, OnlyTheLastOnesAreKept) {
    Asking rig;
    for (std::size_t i = 0; i < limits::kQuestionsKept + 3; ++i) {
        rig.ask(Asking::question("q" + std::to_string(i)));
        rig.say("yes");
    }
    EXPECT_EQ(rig.task("a").questions.size(), limits::kQuestionsKept);
    EXPECT_EQ(rig.task("a").questions.front().id, "q3");
}

}  // namespace
}  // namespace zq::core
