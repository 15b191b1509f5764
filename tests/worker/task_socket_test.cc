// The socket of an attempt: what may be said there, what is kept of it, and where it lies.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/platform/digest.h"
#include "common/platform/files.h"
#include "worker/ending.h"
#include "worker/task_socket/kept.h"
#include "worker/task_socket/request.h"
#include "worker/task_socket/socket_folder.h"

namespace zq::worker {
namespace {

namespace fs = std::filesystem;

OwnAttempt own() {
    OwnAttempt attempt;
    attempt.held = {TaskId("mine"), 2, {7, 5}};
    attempt.group = GroupName("g");
    attempt.trace_id = "trace";
    return attempt;
}

/// The code of a refusal; else what becomes of the word.
std::string verdict(wire::Body body) {
    Judgement judged = judge(std::move(body), own());
    if (const auto* answer = std::get_if<AnswerNow>(&judged)) {
        const auto* error = std::get_if<wire::ErrorReply>(&answer->body);
        if (error == nullptr) return "answered";
        return std::string(to_string(error->code)) + " " + error->field;
    }
    if (std::holds_alternative<PassOn>(judged)) return "passed on";
    if (std::holds_alternative<KeepAndPassOn>(judged)) return "kept";
    if (std::holds_alternative<Forward>(judged)) return "forwarded";
    if (std::holds_alternative<AskWord>(judged)) return "asked";
    if (std::holds_alternative<LookUp>(judged)) return "looked up";
    return "final";
}

wire::Checkpoint checkpoint(const std::string& task, LeaseToken lease) {
    wire::Checkpoint body{TaskId(task), lease, {}};
    body.artifact.ref = {"state", sha256("abc"), 3, "", ""};
    body.artifact.data = Bytes{"abc"};
    return body;
}

wire::Complete complete(const std::string& task, LeaseToken lease = {}) {
    wire::Complete body;
    body.report.task = TaskId(task);
    body.report.lease = lease;
    return body;
}

TEST(TaskSocket, SpeaksForItsOwnAttempt) {
    EXPECT_EQ(verdict(wire::Progress{TaskId("mine"), {7, 5}, 10, "", ""}), "passed on");
    EXPECT_EQ(verdict(checkpoint("mine", {7, 5})), "kept");
    EXPECT_EQ(verdict(complete("mine", {7, 5})), "final");
    EXPECT_EQ(verdict(complete("mine")), "final") << "no lease stands for this one";
    EXPECT_EQ(verdict(wire::Ping{}), "answered");
}

TEST(TaskSocket, RefusesWhatIsAboutAnotherTaskOrAttempt) {
    EXPECT_EQ(verdict(wire::Progress{TaskId("other"), {7, 5}, 10, "", ""}), "DENIED task_id");
    EXPECT_EQ(verdict(checkpoint("other", {7, 6})), "DENIED task_id");
    EXPECT_EQ(verdict(checkpoint("mine", {7, 4})), "STALE_LEASE lease");
    EXPECT_EQ(verdict(checkpoint("mine", {8, 5})), "STALE_LEASE lease") << "of another journal";
    EXPECT_EQ(verdict(complete("other")), "DENIED task_id");
    wire::Heartbeat beat;
    beat.leases = {{TaskId("other"), 1, {7, 6}}};
    EXPECT_EQ(verdict(beat), "DENIED task_id");
}

TEST(TaskSocket, RefusesWhatIsForTheCoordinatorOrForAWorkerAlone) {
    EXPECT_EQ(verdict(wire::List{}), "DENIED ");
    EXPECT_EQ(verdict(wire::Cancel{TaskId("mine"), "", false}), "DENIED ");
    EXPECT_EQ(verdict(wire::Claim{}), "DENIED ");
    EXPECT_EQ(verdict(wire::Hello{}), "DENIED ");
    EXPECT_EQ(verdict(wire::Join{}), "DENIED ");
}

TEST(TaskSocket, ChecksWhatItCannotLeaveToTheCoordinator) {
    EXPECT_EQ(verdict(wire::Progress{TaskId("mine"), {}, 101, "", ""}), "INVALID percent");
    auto wrong = checkpoint("mine", {});
    wrong.artifact.data = Bytes{"abd"};
    EXPECT_EQ(verdict(wrong), "DIGEST_MISMATCH artifact.data");
    auto outside = checkpoint("mine", {});
    outside.artifact.ref.name = "../state";
    EXPECT_EQ(verdict(outside), "INVALID artifact.name");
    auto files = complete("mine");
    files.report.artifacts.resize(1);
    EXPECT_EQ(verdict(files), "INVALID artifacts");
    auto long_winded = complete("mine");
    long_winded.report.summary.assign(limits::kSummaryBytes + 1, 'x');
    EXPECT_EQ(verdict(long_winded), "TOO_LARGE summary");
}

NewQuestion question() {
    return {"q-1", "Delete them?", {"yes", "no"}, {}};
}

TEST(TaskSocket, HandsOnItsOwnQuestions) {
    EXPECT_EQ(verdict(wire::Ask{TaskId("mine"), {7, 5}, question()}), "asked");
    EXPECT_EQ(verdict(wire::Ask{TaskId("other"), {7, 5}, question()}), "DENIED task_id");
    EXPECT_EQ(verdict(wire::Ask{TaskId("mine"), {7, 4}, question()}), "STALE_LEASE lease");
    NewQuestion empty = question();
    empty.text.clear();
    EXPECT_EQ(verdict(wire::Ask{TaskId("mine"), {7, 5}, empty}), "INVALID question");
    NewQuestion twice = question();
    twice.choices = {"yes", "yes"};
    EXPECT_EQ(verdict(wire::Ask{TaskId("mine"), {7, 5}, twice}), "INVALID choices");
    EXPECT_EQ(verdict(wire::AnswerQuestion{TaskId("mine"), "", "yes", ""}), "DENIED ")
        << "a task does not answer itself";
}

TEST(TaskSocket, TakesAQuestionAsTheFinalWordWithItsCauseAlone) {
    wire::Release parks;
    parks.report.task = TaskId("mine");
    parks.cause = ReleaseCause::kInputRequired;
    EXPECT_EQ(verdict(parks), "INVALID question");
    parks.question = question();
    EXPECT_EQ(verdict(parks), "final");
    parks.cause = ReleaseCause::kReleased;
    EXPECT_EQ(verdict(parks), "INVALID question");
}

TEST(FinalWord, ThatAsksIsReportedWithItsQuestion) {
    wire::Release said;
    said.cause = ReleaseCause::kInputRequired;
    said.reason = "waits for an answer";
    said.question = question();
    EndFacts facts;
    facts.said = said;
    facts.end.stop = StopCause::kLingered;
    facts.output.values["session_id"] = "s-1";
    const wire::Body report = report_of(own().held, "w", facts);
    const auto& release = std::get<wire::Release>(report);
    EXPECT_EQ(release.question, question());
    EXPECT_EQ(release.cause, ReleaseCause::kInputRequired);
    EXPECT_EQ(release.report.output.at("session_id"), "s-1");
}

TEST(TaskSocket, LooksUpItsOwnTaskAndWhatEarlierAttemptsOfItLeft) {
    EXPECT_EQ(verdict(wire::Get{TaskId("mine"), false}), "looked up");
    EXPECT_EQ(verdict(wire::Get{TaskId("other"), false}), "DENIED task_id");
    Judgement judged = judge(wire::Get{TaskId("mine"), true}, own());
    EXPECT_FALSE(std::get<wire::Get>(std::get<LookUp>(judged).word).prefix)
        << "a prefix could be another task's";
    EXPECT_EQ(verdict(wire::Fetch{TaskId("mine"), 1, "notes/plan.md", 0, 0, 0}), "looked up");
    EXPECT_EQ(verdict(wire::Fetch{TaskId("other"), 1, "a", 0, 0, 0}), "DENIED task_id");
    for (const std::uint32_t attempt : {0U, 2U, 3U}) {
        EXPECT_EQ(verdict(wire::Fetch{TaskId("mine"), attempt, "a", 0, 0, 0}), "INVALID attempt");
    }
    EXPECT_EQ(verdict(wire::Fetch{TaskId("mine"), 1, "a", 0, 0, 4}), "INVALID attempt");
    for (const char* name : {"", "../a", "/etc/passwd", "a/../../b"}) {
        EXPECT_EQ(verdict(wire::Fetch{TaskId("mine"), 1, name, 0, 0, 0}), "INVALID name") << name;
    }
}

TEST(TaskSocket, TellsTheVerdictOfItsLease) {
    OwnAttempt cancelled = own();
    cancelled.verdict = Verdict::kCancel;
    const Judgement judged = judge(wire::Heartbeat{}, cancelled);
    const auto& beat = std::get<wire::Beat>(std::get<AnswerNow>(judged).body);
    ASSERT_EQ(beat.leases.size(), 1U);
    EXPECT_EQ(beat.leases[0].verdict, Verdict::kCancel);
}

TEST(TaskSocket, GivesAChildItsGroupTraceAndParent) {
    wire::Submit submit;
    submit.task.id = TaskId("child");
    submit.task.role = RoleName("r");
    submit.task.labels = {{"parent", "forged"}, {"team", "x"}};
    Judgement judged = judge(submit, own());
    const TaskSpec& child = std::get<Forward>(judged).word.task;
    EXPECT_EQ(child.group.text, "g");
    EXPECT_EQ(child.trace_id, "trace");
    EXPECT_EQ(child.labels,
              (std::map<std::string, std::string>{{"parent", "mine"}, {"team", "x"}}));
    submit.task.group = GroupName("own");
    judged = judge(submit, own());
    EXPECT_EQ(std::get<Forward>(judged).word.task.group.text, "own");
}

wire::Body report_after(wire::Body said, AttemptEnd end, const std::string& unmet = {}) {
    EndFacts facts;
    facts.end = std::move(end);
    facts.said = std::move(said);
    facts.unmet = unmet;
    return report_of(own().held, "w", facts);
}

TEST(FinalWord, CountsHoweverTheProcessEndedAfterIt) {
    AttemptEnd failed;
    failed.exit_code = 1;
    AttemptEnd killed;
    killed.signal = 9;
    AttemptEnd too_long;
    too_long.stop = StopCause::kTimedOut;
    for (const AttemptEnd& end : {failed, killed, too_long}) {
        const wire::Body body = report_after(complete("mine"), end);
        ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
        EXPECT_EQ(std::get<wire::Complete>(body).report.lease, own().held.lease);
    }
    wire::Fail fail;
    fail.reason = "no way";
    fail.failure = FailureClass::kPermanent;
    AttemptEnd well;
    well.exit_code = 0;
    const wire::Body body = report_after(fail, well);
    EXPECT_EQ(std::get<wire::Fail>(body).failure, FailureClass::kPermanent);
    EXPECT_EQ(std::get<wire::Fail>(body).reason, "no way");
}

TEST(FinalWord, KeepsTheContractAndYieldsToACancel) {
    AttemptEnd well;
    well.exit_code = 0;
    const wire::Body unmet = report_after(complete("mine"), well, "missing: patch");
    EXPECT_EQ(std::get<wire::Fail>(unmet).failure, FailureClass::kContract);
    AttemptEnd cancelled;
    cancelled.stop = StopCause::kCancelled;
    const wire::Body body = report_after(complete("mine"), cancelled);
    EXPECT_EQ(std::get<wire::Release>(body).cause, ReleaseCause::kCancelled);
}

class KeptWords : public testing::Test {
  protected:
    KeptWords() {
        std::string name = "/tmp/zq-kept-XXXXXX";
        workspace_.folder = ::mkdtemp(name.data());
    }
    ~KeptWords() override { fs::remove_all(workspace_.folder); }
    Workspace workspace_;
};

TEST_F(KeptWords, AreReadInTheirOrderUntilTheyAreForgotten) {
    for (std::uint64_t number : {9U, 10U, 8U}) {
        ASSERT_TRUE(keep_word(workspace_, number, checkpoint("n" + std::to_string(number), {})));
    }
    forget_word(workspace_, 9);
    forget_word(workspace_, 9);
    const auto words = read_words(workspace_);
    ASSERT_EQ(words.size(), 2U);
    EXPECT_EQ(words[0].first, 8U);
    EXPECT_EQ(std::get<wire::Checkpoint>(words[1].second).task.text, "n10");
}

TEST_F(KeptWords, ADamagedOneIsLeftOut) {
    ASSERT_TRUE(keep_word(workspace_, 1, checkpoint("a", {})));
    ASSERT_TRUE(write_file(workspace_.words_folder() + "/2", "nonsense", 0600, Durability::kNone));
    EXPECT_EQ(read_words(workspace_).size(), 1U);
}

TEST_F(KeptWords, OneFinalWordIsTheAttemptsAndAnotherIsAConflict) {
    EXPECT_FALSE(read_final_word(workspace_));
    wire::Fail word;
    word.reason = "no way";
    ASSERT_TRUE(keep_final_word(workspace_, word));
    ASSERT_TRUE(keep_final_word(workspace_, word)) << "said again";
    auto other = keep_final_word(workspace_, wire::Complete{});
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(std::get<wire::Fail>(*read_final_word(workspace_)).reason, "no way");
}

TEST_F(KeptWords, AFolderOfSocketsLiesWhereItsPathsAreShort) {
    const std::string& state = workspace_.folder;
    auto folder = make_socket_folder(state);
    ASSERT_TRUE(folder);
    EXPECT_EQ(*folder, state + "/sockets");
    EXPECT_EQ(fs::status(*folder).permissions(), fs::perms::owner_all);
    ASSERT_TRUE(write_file(*folder + "/old", "", 0600, Durability::kNone));
    ASSERT_TRUE(make_socket_folder(state));
    EXPECT_TRUE(fs::is_empty(*folder)) << "what an earlier start left is gone";

    const std::string deep = state + "/" + std::string(90, 'd');
    ASSERT_TRUE(make_folders(deep, 0700));
    auto elsewhere = make_socket_folder(deep);
    ASSERT_TRUE(elsewhere);
    EXPECT_LT(socket_path(*elsewhere, UINT64_MAX).size(), 108U);
    EXPECT_EQ(fs::read_symlink(deep + "/sockets"), *elsewhere);
    auto again = make_socket_folder(deep);
    ASSERT_TRUE(again);
    EXPECT_FALSE(fs::exists(*elsewhere)) << "the next start removes it";
    fs::remove_all(*again);
}

}  // namespace
}  // namespace zq::worker
