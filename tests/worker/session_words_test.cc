// What attempts say while they run: in order, until it is answered, before the report.
#include "tests/worker/session_rig.h"

namespace zq::worker {
namespace {

struct Saying : SessionRig {
    Saying() {
        welcome();
        assign(1, "a", id_of_last<wire::Ready>());
    }
    void tell(std::uint64_t number, wire::Body body, std::vector<ArtifactRef> contents = {}) {
        take(session.tell(token(1), {number, std::move(body), std::move(contents)}, now));
    }
    void store(std::uint64_t number, const Result<void>& stored = {}) {
        take(session.word_stored(token(1), number, stored, now));
    }
    static wire::Checkpoint checkpoint(const std::string& name) {
        wire::Checkpoint body;
        body.task = TaskId("a");
        body.lease = token(1);
        body.artifact.ref.name = name;
        return body;
    }
    static wire::Progress progress(std::uint32_t percent) {
        return {TaskId("a"), token(1), percent, {}, {}};
    }
    static wire::ErrorReply error(ErrorCode code) { return {code, "no", {}, {}, {}}; }
    wire::Accepted accepted() const { return {TaskId("a"), TaskState::kRunning, 1}; }
    /// The code that the last answered word ended with.
    std::string ended() const {
        const auto* word = last_action<WordAnswered>();
        if (word == nullptr) return "none";
        const auto* refused = std::get_if<wire::ErrorReply>(&word->answer.body);
        return refused == nullptr ? "answered" : std::string(to_string(refused->code));
    }
};

TEST(SessionWords, AreSaidOneAfterTheOther) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    rig.tell(2, Saying::checkpoint("two"));
    EXPECT_EQ(rig.last<wire::Checkpoint>()->artifact.ref.name, "one");
    EXPECT_EQ(rig.session.words_of(token(1)), 2U);
    rig.deliver(rig.id_of_last<wire::Checkpoint>(), rig.accepted());
    EXPECT_EQ(rig.last_action<WordAnswered>()->word, 1U);
    EXPECT_EQ(rig.last<wire::Checkpoint>()->artifact.ref.name, "two");
    rig.deliver(rig.id_of_last<wire::Checkpoint>(), rig.accepted());
    EXPECT_EQ(rig.session.words_of(token(1)), 0U);
}

TEST(SessionWords, AreRepeatedUnderOneIdUntilTheyAreAnswered) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    const auto id = rig.id_of_last<wire::Checkpoint>();
    rig.pass(seconds(6));
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 2U);
    EXPECT_EQ(rig.id_of_last<wire::Checkpoint>(), id);
    rig.deliver(id, rig.accepted());
    rig.pass(seconds(6));
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 2U);
}

TEST(SessionWords, OfATimeWithoutACoordinatorAreSaidAfterItsWelcome) {
    Saying rig;
    rig.pass(seconds(20));  // nothing is heard: a new socket, and HELLO again
    rig.tell(1, Saying::checkpoint("one"));
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 0U);
    rig.welcome({SessionRig::say(1, Verdict::kOk)});
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 1U);
}

TEST(SessionWords, HoldTheReportBackUntilTheyAreAnswered) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    const auto word = rig.id_of_last<wire::Checkpoint>();
    rig.session.child_ended(token(1));
    rig.take(rig.session.report(token(1), SessionRig::complete(1, "a"), rig.now));
    rig.pass(seconds(6));
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 0U);
    rig.deliver(word, rig.accepted());
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 1U);
    rig.deliver(rig.id_of_last<wire::Complete>(),
                wire::Accepted{TaskId("a"), TaskState::kCompleted, 1});
    EXPECT_EQ(rig.count<Settled>(), 1U);
}

TEST(SessionWords, ThatAreRefusedHoldNothingBack) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    rig.session.child_ended(token(1));
    rig.take(rig.session.report(token(1), SessionRig::complete(1, "a"), rig.now));
    rig.deliver(rig.id_of_last<wire::Checkpoint>(), Saying::error(ErrorCode::INVALID));
    EXPECT_EQ(rig.ended(), "INVALID");
    EXPECT_EQ(rig.count_sent<wire::Complete>(), 1U);
}

TEST(SessionWords, WithContentsAreSaidWhenThoseAreStored) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"), {{"one", {}, 20'000, "", ""}});
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 0U);
    EXPECT_EQ(rig.last_action<StoreForWord>()->word, 1U);
    rig.store(1);
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 1U);
}

TEST(SessionWords, WhoseContentsAreLostEndWithThatError) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"), {{"one", {}, 20'000, "", ""}});
    rig.store(1, fail(ErrorCode::IO, "gone"));
    EXPECT_EQ(rig.ended(), "IO");
    EXPECT_EQ(rig.session.words_of(token(1)), 0U);
}

TEST(SessionWords, WhoseContentsAreMissingHaveThemStoredAFewTimes) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    auto missing = Saying::error(ErrorCode::MISSING_CONTENT);
    missing.missing = {Digest{}};
    for (int i = 0; i < 3; ++i) {
        rig.deliver(rig.id_of_last<wire::Checkpoint>(), missing);
        EXPECT_EQ(rig.count<StoreForWord>(), static_cast<std::size_t>(i + 1));
        rig.store(1);
    }
    rig.deliver(rig.id_of_last<wire::Checkpoint>(), missing);
    EXPECT_EQ(rig.ended(), "MISSING_CONTENT");
}

TEST(SessionWords, ThatMayBeTakenLaterAreSaidAgain) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    rig.deliver(rig.id_of_last<wire::Checkpoint>(), Saying::error(ErrorCode::BUSY));
    EXPECT_EQ(rig.ended(), "none");
    rig.pass(seconds(6));
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 2U);
}

TEST(SessionWords, ASubmitThatIsRefusedForAFullQueueIsItsSubmittersBusiness) {
    Saying rig;
    rig.tell(1, wire::Submit{});
    rig.deliver(rig.id_of_last<wire::Submit>(), Saying::error(ErrorCode::QUEUE_FULL));
    EXPECT_EQ(rig.ended(), "QUEUE_FULL");
}

TEST(SessionWords, OfProgressThatWaitTheLastOneCounts) {
    Saying rig;
    rig.tell(0, Saying::progress(10));
    rig.tell(0, Saying::progress(20));
    rig.tell(0, Saying::progress(30));
    rig.deliver(rig.id_of_last<wire::Progress>(), rig.accepted());
    EXPECT_EQ(rig.last<wire::Progress>()->percent, 30U);
    EXPECT_EQ(rig.count_sent<wire::Progress>(), 2U);
}

TEST(SessionWords, OfAStaleLeaseAreNotSaid) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    rig.pass(seconds(10));
    rig.beat({SessionRig::say(1, Verdict::kStale)});
    EXPECT_EQ(rig.ended(), "STALE_LEASE");
    EXPECT_EQ(rig.session.words_of(token(1)), 0U);
    rig.tell(2, Saying::checkpoint("two"));
    EXPECT_EQ(rig.last_action<WordAnswered>()->word, 2U);
    EXPECT_EQ(rig.ended(), "STALE_LEASE");
}

TEST(SessionWords, OneThatIsToldToSayHelloFirstIsSaidAgainAfterIt) {
    Saying rig;
    rig.tell(1, Saying::checkpoint("one"));
    rig.deliver(rig.id_of_last<wire::Checkpoint>(), Saying::error(ErrorCode::HELLO_FIRST));
    EXPECT_EQ(rig.ended(), "none");
    rig.welcome({SessionRig::say(1, Verdict::kOk)});
    EXPECT_EQ(rig.count_sent<wire::Checkpoint>(), 2U);
}

TEST(SessionWords, AQuestionIsAWordWhoseAnswerIsItsState) {
    Saying rig;
    const NewQuestion question{"q-1", "Delete them?", {}, {}};
    rig.tell(7, wire::Ask{TaskId("a"), token(1), question});
    wire::Asked asked{TaskId("a"), token(1), {}};
    asked.question.id = "q-1";
    rig.deliver(rig.id_of_last<wire::Ask>(), asked);
    ASSERT_EQ(rig.count<WordAnswered>(), 1U);
    EXPECT_EQ(rig.last_action<WordAnswered>()->word, 7U);
    EXPECT_EQ(rig.count<QuestionNews>(), 0U);
    EXPECT_EQ(rig.session.words_of(token(1)), 0U) << "an open question bars no other word";
}

TEST(SessionWords, NewsOfAQuestionArePassedOnForLeasesOfOursAlone) {
    Saying rig;
    wire::Asked news{TaskId("a"), token(1), {}};
    news.question.id = "q-1";
    news.question.state = QuestionState::kAnswered;
    rig.deliver(0, news);
    ASSERT_EQ(rig.count<QuestionNews>(), 1U);
    EXPECT_EQ(rig.last_action<QuestionNews>()->asked, news);
    news.lease = token(99);
    rig.deliver(0, news);
    EXPECT_EQ(rig.count<QuestionNews>(), 1U);
}

}  // namespace
}  // namespace zq::worker
