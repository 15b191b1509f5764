#include "coordinator/intake.h"

#include <gtest/gtest.h>

namespace zq::coordinator {
namespace {

Incoming message(const std::string& peer, const std::string& type, const std::string& user = "") {
    Received received;
    received.frames = {peer, "", "zq/1", type, "\x80"};
    received.user_id = user;
    return {0, std::move(received)};
}

class IntakeTest : public testing::Test {
  protected:
    void put(const std::string& peer, const std::string& type, int times = 1,
             const std::string& user = "") {
        for (int i = 0; i < times; ++i) {
            EXPECT_FALSE(intake_.put(message(peer, type, user)));
        }
    }
    /// Whom the pass serves, in order; each message takes so many microseconds.
    std::string pass(std::int64_t each = 1, Lookups lookups = Lookups::kGiven) {
        std::string served;
        intake_.begin_turn({now_});
        intake_.begin_pass({now_}, lookups);
        while (auto incoming = intake_.next({now_})) {
            served += incoming->received.frames.front();
            now_ += each;
        }
        intake_.end_turn({now_});
        return served;
    }

    Intake intake_;
    std::int64_t now_ = 1'000'000;
};

TEST_F(IntakeTest, ServesEveryoneWithLittleWaitingInOnePass) {
    put("a", "SUBMIT", 2);
    put("b", "EVENTS");
    put("c", "PING");
    EXPECT_EQ(pass(10'000), "aabc");
    EXPECT_TRUE(intake_.is_empty());
    EXPECT_EQ(intake_.next_pass({now_}, Lookups::kGiven), Intake::kNever);
}

TEST_F(IntakeTest, TakesTurnsBetweenTheBusyAndTheOthers) {
    put("b", "SUBMIT", 100);
    put("a", "SUBMIT");
    EXPECT_EQ(pass(100), "a");
    put("a", "SUBMIT");
    EXPECT_EQ(pass(100), "bbbbbbbbbbb") << "a millisecond, and what was begun in it";
    EXPECT_EQ(pass(100), "a");
    EXPECT_EQ(pass(500).size(), 3U) << "nobody else is there: the busy one goes on";
}

TEST_F(IntakeTest, GivesBusyOnesTheirTurnsOneByOne) {
    put("a", "SUBMIT", 10);
    put("b", "SUBMIT", 10);
    EXPECT_EQ(pass(300), "abab");
    EXPECT_EQ(pass(300), "abab");
}

TEST_F(IntakeTest, GivesABusyOneOneLookupInAPassAndRestsTwiceItsTime) {
    put("a", "EVENTS");
    EXPECT_EQ(pass(), "a");
    put("b", "EVENTS", 20);
    EXPECT_EQ(pass(15'000), "b");
    EXPECT_EQ(intake_.next_pass({now_}, Lookups::kGiven), Micros{30'000});
    EXPECT_EQ(pass(), "");
    put("a", "EVENTS");
    EXPECT_EQ(pass(), "a") << "the rest is for the busy";
    now_ += 30'000;
    EXPECT_EQ(pass(), "b");
    EXPECT_EQ(pass(), "b") << "a short one needs no rest";
}

TEST_F(IntakeTest, LetsABusyOneGoOnWhereNobodyElseHasSpokenForASecond) {
    put("b", "EVENTS", 20);
    EXPECT_EQ(pass(15'000), "b");
    EXPECT_EQ(pass(15'000), "b");
    put("a", "EVENTS");
    EXPECT_EQ(pass(), "a");
    EXPECT_EQ(pass(15'000), "b");
    EXPECT_EQ(pass(), "") << "the other may speak again";
    now_ += 1'000'000;
    EXPECT_EQ(pass(15'000), "b");
    EXPECT_EQ(pass(15'000), "b") << "it has not";
}

TEST_F(IntakeTest, HoldsALookupOfABusyOneWhileACommitIsUnderWay) {
    put("b", "LIST", 10);
    put("c", "SUBMIT", 10);
    EXPECT_EQ(pass(100, Lookups::kHeld), "cccccccccc");
    EXPECT_EQ(intake_.next_pass({now_}, Lookups::kHeld), Intake::kNever);
    EXPECT_EQ(intake_.next_pass({now_}, Lookups::kGiven), Micros{0});
}

TEST_F(IntakeTest, TakesAKeyForOneHoweverManyConnectionsItOpens) {
    for (const char* peer : {"1", "2", "3", "4", "5"}) put(peer, "SUBMIT", 2, "mallory");
    put("a", "SUBMIT", 1, "anna");
    EXPECT_EQ(pass(), "a");
    EXPECT_EQ(pass(), "1122334455");
}

TEST_F(IntakeTest, GivesBackWhatIsTooMuch) {
    put("b", "PING", limits::kIntakeMessages);
    EXPECT_TRUE(intake_.put(message("b", "PING")));
    put("a", "PING");
    Incoming large = message("c", "SUBMIT");
    large.received.frames.emplace_back(limits::kIntakeBytesEach / 2, 'x');
    EXPECT_FALSE(intake_.put(large));
    EXPECT_TRUE(intake_.put(large)) << "too many bytes of one";
}

TEST_F(IntakeTest, HasABoundOnAllBytes) {
    Incoming large = message("c", "SUBMIT");
    large.received.frames.emplace_back(limits::kMessageBytes, 'x');
    std::size_t taken = 0;
    for (int i = 0; i < 100; ++i) {
        large.received.frames.front() = "peer" + std::to_string(i);
        if (!intake_.put(large)) ++taken;
    }
    EXPECT_EQ(taken, limits::kIntakeBytes / limits::kMessageBytes - 1);
}

TEST_F(IntakeTest, ForgetsTheLookupsOfAPeerThatIsGoneAndNothingElse) {
    put("b", "EVENTS", 10);
    put("b", "SUBMIT", 2);
    intake_.forget_lookups(0, "b", "");
    EXPECT_EQ(pass(), "bb");
    intake_.forget_lookups(0, "nobody", "");
}

}  // namespace
}  // namespace zq::coordinator
