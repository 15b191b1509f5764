// The exit table.
#include "worker/ending.h"

#include <gtest/gtest.h>

#include <csignal>

namespace zq::worker {
namespace {

const wire::HeldLease kHeld{TaskId("t-a"), 2, {1, 9}};

wire::Body after(EndFacts facts) {
    return report_of(kHeld, "w", facts);
}

EndFacts exited(int code) {
    EndFacts facts;
    facts.end.exit_code = code;
    return facts;
}

TEST(Ending, ZeroCompletesUnlessItSaysSkippedOrTheContractIsBroken) {
    EndFacts facts = exited(0);
    facts.output = parse_output("summary=fine\nkey=value");
    facts.end.duration = seconds(4);
    wire::Body body = after(facts);
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
    EXPECT_EQ(report_part(body).summary, "fine");
    EXPECT_EQ(report_part(body).output.at("key"), "value");
    EXPECT_EQ(report_part(body).lease, kHeld.lease);
    EXPECT_EQ(report_part(body).duration, seconds(4));

    facts.unmet = "missing: patch";
    body = after(facts);
    EXPECT_EQ(std::get<wire::Fail>(body).failure, FailureClass::kContract);
    EXPECT_EQ(std::get<wire::Fail>(body).reason, "missing: patch");

    facts.output = parse_output("status=skipped\nreason=nothing to do");
    body = after(facts);
    EXPECT_EQ(std::get<wire::Skip>(body).reason, "nothing to do");
}

TEST(Ending, ACheckThatFailsBreaksTheContractAndTellsItsLastLines) {
    EndFacts facts = exited(0);
    facts.end.verified = VerifyEnd{0, 0, false, {}};
    EXPECT_TRUE(std::holds_alternative<wire::Complete>(after(facts)));
    facts.end.verified = VerifyEnd{3, 0, false, {}};
    facts.verify_words = "2 tests failed";
    facts.unmet = "patch is missing";
    auto fail = std::get<wire::Fail>(after(facts));
    EXPECT_EQ(fail.failure, FailureClass::kContract);
    EXPECT_EQ(
        fail.reason,
        "patch is missing; the check after the command failed (exit code 3):\n2 tests failed");
    facts.unmet.clear();
    facts.end.verified = VerifyEnd{std::nullopt, 15, true, {}};
    EXPECT_EQ(
        std::get<wire::Fail>(after(facts)).reason,
        "the check after the command failed: it took longer than its time limit:\n2 tests failed");
    // That it cannot start says nothing of the work.
    facts.end.verified = VerifyEnd{std::nullopt, 0, false, "no shell"};
    EXPECT_EQ(std::get<wire::Release>(after(facts)).cause, ReleaseCause::kWorkerFault);
}

TEST(Ending, AnInputThatDriftedIsPermanent) {
    EndFacts facts;
    facts.end.drifted = "input context cannot be had: file:///x has drifted";
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kPermanent);
}

TEST(Ending, SeventyFiveIsTryLaterWithItsDelay) {
    EndFacts facts = exited(75);
    facts.output = parse_output("retry_after=90");
    const auto release = std::get<wire::Release>(after(facts));
    EXPECT_EQ(release.cause, ReleaseCause::kTryLater);
    EXPECT_EQ(release.delay, seconds(90));
    EXPECT_EQ(parse_retry_after("15m"), minutes(15));
    EXPECT_EQ(parse_retry_after("-3"), Millis{});
    EXPECT_EQ(parse_retry_after("soon"), Millis{});
    EXPECT_EQ(parse_retry_after("9223372036854775807"), limits::kLongest);
}

TEST(Ending, SomeCodesArePermanentSomeTheWorkersFaultTheRestErrors) {
    for (int code : {64, 65, 66, 77, 78}) {
        EXPECT_EQ(std::get<wire::Fail>(after(exited(code))).failure, FailureClass::kPermanent)
            << code;
    }
    for (int code : {126, 127}) {
        EXPECT_EQ(std::get<wire::Release>(after(exited(code))).cause, ReleaseCause::kWorkerFault);
    }
    EndFacts facts = exited(1);
    facts.last_words = "boom";
    const auto fail = std::get<wire::Fail>(after(facts));
    EXPECT_EQ(fail.failure, FailureClass::kError);
    EXPECT_EQ(fail.exit_code, 1);
    EXPECT_EQ(fail.reason, "exit code 1: boom");
    facts.output.values["reason"] = "no repo in the payload";
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).reason,
              "no repo in the payload (exit code 1): boom");
    facts = {};
    facts.end.not_started = "no such file";
    EXPECT_EQ(std::get<wire::Release>(after(facts)).cause, ReleaseCause::kWorkerFault);
}

TEST(Ending, ASignalIsACrashUnlessWeSentIt) {
    EndFacts facts;
    facts.end.signal = SIGKILL;
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kCrashed);
    facts.end.stop = StopCause::kTimedOut;
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kTimedOut);
    facts.end.stop = StopCause::kCancelled;
    EXPECT_EQ(std::get<wire::Release>(after(facts)).cause, ReleaseCause::kCancelled);
    facts.end.stop = StopCause::kDrained;
    EXPECT_EQ(std::get<wire::Release>(after(facts)).cause, ReleaseCause::kDrained);
}

TEST(Ending, AFinalWordCountsAsSaidWhenTheCommandHadToBeKilled) {
    EndFacts facts;
    facts.end.stop = StopCause::kLingered;
    facts.end.signal = SIGKILL;
    facts.output = parse_output("status=completed\nsummary=fine");
    EXPECT_TRUE(std::holds_alternative<wire::Complete>(after(facts)));
    facts.unmet = "missing: patch";
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kContract);
    facts.output = parse_output("status=skipped\nreason=nothing to do");
    EXPECT_EQ(std::get<wire::Skip>(after(facts)).reason, "nothing to do");
    facts.output = parse_output("status=failed\nreason=no access");
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kError);
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).reason, "no access");
}

TEST(Ending, AnExitCodeThatIsNotZeroOutweighsAWordOfSuccess) {
    EndFacts facts = exited(1);
    facts.output = parse_output("status=completed");
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kError);
    facts = exited(0);
    facts.output = parse_output("status=failed");
    EXPECT_TRUE(std::holds_alternative<wire::Fail>(after(facts)));
}

TEST(Ending, TheToolsOwnErrorIsAFailureUnlessTheCommandSaidOtherwise) {
    EndFacts facts = exited(0);
    facts.end.agent = AgentRecord{true, true, "claude: error_max_turns", {}, {}};
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).reason, "claude: error_max_turns");
    facts.output = parse_output("status=completed");
    EXPECT_TRUE(std::holds_alternative<wire::Complete>(after(facts)));
    facts = exited(1);
    facts.end.agent = AgentRecord{true, true, "claude: API Error", {}, {}};
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).reason, "exit code 1: claude: API Error");
}

TEST(Ending, AStallAndAnOomKillSayWhatTheyWere) {
    EndFacts facts;
    facts.end.signal = SIGKILL;
    facts.end.oom = true;
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kCrashed);
    EXPECT_TRUE(std::get<wire::Fail>(after(facts)).reason.starts_with("oom: "));
    facts.end.stop = StopCause::kStalled;  // our own kill is none of the kernel's
    EXPECT_EQ(std::get<wire::Fail>(after(facts)).failure, FailureClass::kError);
    EXPECT_TRUE(std::get<wire::Fail>(after(facts)).reason.starts_with("stalled: "));
}

TEST(Ending, BytesThatALogDroppedAreInTheOutputAndCannotBeForged) {
    EndFacts facts = exited(0);
    facts.output = parse_output("stdout_dropped_bytes=1\nstderr_dropped_bytes=2");
    facts.end.stdout_dropped = 77;
    wire::Body body = after(facts);
    EXPECT_EQ(report_part(body).output.at("stdout_dropped_bytes"), "77");
    EXPECT_FALSE(report_part(body).output.contains("stderr_dropped_bytes"));
}

TEST(Ending, TextsAreCutAtCharactersAndAlwaysUtf8) {
    EXPECT_EQ(bounded_text("h\xc3\xa9llo", 2), "h");
    EXPECT_EQ(bounded_text("\xff!", 10), "?!");
    EndFacts facts = exited(0);
    facts.output.values["summary"] = std::string(limits::kSummaryBytes - 1, 'x') + "\xe2\x82\xac";
    wire::Body body = after(facts);
    EXPECT_EQ(report_part(body).summary.size(), limits::kSummaryBytes - 1);
}

}  // namespace
}  // namespace zq::worker
