// Whole attempts without a coordinator: prepared, run, concluded into the outbox. Inputs and
// contents are small enough to need no transfer.
#include "worker/attempts.h"

#include <sys/prctl.h>

#include "common/platform/clock.h"
#include "common/platform/digest.h"
#include "tests/worker/folder_rig.h"
#include "worker/ending.h"

namespace zq::worker {
namespace {

class AttemptRun : public ::testing::Test {
  protected:
    AttemptRun() : outbox(*Outbox::open(folder.file("outbox"))) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        options.environment = {"PATH=/usr/bin:/bin"};
        options.grace = millis(300);
        options.shell = true;
        state.path = folder.path();
        uploader =
            std::make_unique<Uploader>(context, UploaderOptions{"w", std::nullopt, 2, {}}, outbox);
        attempts = std::make_unique<Attempts>(options, handlers, state, *uploader, logs);
    }

    wire::Assign assign(std::uint64_t number, const std::string& task = "t-a") {
        wire::Assign body;
        body.lease = {7, number};
        body.attempt = static_cast<std::uint32_t>(number);
        body.task.id = TaskId(task);
        body.task.role = RoleName("role");
        body.task.instructions = "do it";
        return body;
    }
    /// Moves on until `condition`, gathering news.
    bool until(const std::function<bool()>& condition) {
        return eventually([&] {
            for (News& news : uploader->take_news()) attempts->take(std::move(news));
            for (AttemptNews& news : attempts->step(boottime())) all.push_back(std::move(news));
            return condition();
        });
    }
    template <class T>
    std::vector<T> news() const {
        std::vector<T> out;
        for (const AttemptNews& item : all) {
            if (const auto* found = std::get_if<T>(&item)) out.push_back(*found);
        }
        return out;
    }
    wire::Body run(const std::string& command) {
        options.command = {command};
        attempts->start(assign(1));
        EXPECT_TRUE(until([&] { return !news<Reported>().empty(); }));
        return news<Reported>().at(0).report;
    }
    std::string attempt_file(const std::string& name) {
        return attempt_folder_name({TaskId("t-a"), 1, {7, 1}}) + "/" + name;
    }
    bool has(const std::string& name) {
        return std::filesystem::exists(folder.file("attempts/" + attempt_file(name)));
    }

    FolderRig folder;
    WorkerOptions options;
    Handlers handlers;
    StateFolder state;
    SocketContext context;
    Outbox outbox;
    std::unique_ptr<Uploader> uploader;
    LogSender logs{context, std::nullopt};
    std::unique_ptr<Attempts> attempts;
    std::vector<AttemptNews> all;
};

TEST_F(AttemptRun, ASuccessIsInTheOutboxWithResultAndLogsBeforeItIsReported) {
    wire::Body body =
        run("grep -q instructions -; echo report > $ZQ_RESULT; echo note > $ZQ_OUT/notes.txt; "
            "echo 'summary=all well' > $ZQ_OUTPUT; echo said; echo $ZQ_ATTEMPT_TAG | grep -q . && "
            "test \"$PWD\" -ef $ZQ_TASK_DIR && test -f {prompt_file}");
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body)) << std::get<wire::Fail>(body).reason;
    const wire::Report& report = report_part(body);
    EXPECT_EQ(report.summary, "all well");
    ASSERT_EQ(report.artifacts.size(), 4U);
    EXPECT_EQ(report.artifacts[0].ref.name, "result.md");
    EXPECT_EQ(report.artifacts[0].data->data, "report\n");
    EXPECT_EQ(report.artifacts[2].data->data, "said\n");
    ASSERT_EQ(outbox.load().size(), 1U);
    EXPECT_EQ(outbox.load()[0].report, body);
    EXPECT_EQ(news<ChildEnded>().size(), 1U);
}

TEST_F(AttemptRun, AFailureCarriesItsLastWords) {
    wire::Body body = run("echo first >&2; echo 'it broke' >&2; exit 9");
    ASSERT_TRUE(std::holds_alternative<wire::Fail>(body));
    EXPECT_EQ(std::get<wire::Fail>(body).reason, "exit code 9: it broke");
    EXPECT_EQ(std::get<wire::Fail>(body).exit_code, 9);
}

TEST_F(AttemptRun, ACancelIsAnnouncedByAFileAndReportedWithWhatThereIs) {
    // What the test waits for comes last: a cancel that came before the trap was set would kill it.
    options.command = {
        "trap 'test -f $ZQ_CANCEL_FILE && echo seen > $ZQ_OUT/seen; exit 0' TERM; "
        "echo part > $ZQ_OUT/part; while :; do sleep 0.02; done"};
    attempts->start(assign(1));
    ASSERT_TRUE(until([&] { return has("out/part"); }));
    attempts->stop({7, 1}, StopCause::kCancelled, boottime());
    ASSERT_TRUE(until([&] { return !news<Reported>().empty(); }));
    const auto release = std::get<wire::Release>(news<Reported>()[0].report);
    EXPECT_EQ(release.cause, ReleaseCause::kCancelled);
    EXPECT_EQ(release.report.artifacts[0].ref.name, "part");
    EXPECT_EQ(release.report.artifacts[1].ref.name, "seen");
}

TEST_F(AttemptRun, TheRunTimeoutEndsItAndTimeSpentFrozenDoesNotCount) {
    options.run_timeout = millis(300);
    options.command = {"echo up > $ZQ_OUT/up; sleep 600"};
    attempts->start(assign(1));
    ASSERT_TRUE(until([&] { return has("out/up"); }));
    attempts->freeze({7, 1});
    const Millis frozen = boottime();
    ASSERT_TRUE(until([&] { return boottime() > frozen + millis(600); }));
    EXPECT_TRUE(news<ChildEnded>().empty());
    attempts->thaw({7, 1}, boottime());
    ASSERT_TRUE(until([&] { return !news<Reported>().empty(); }));
    EXPECT_EQ(std::get<wire::Fail>(news<Reported>()[0].report).failure, FailureClass::kTimedOut);
}

TEST_F(AttemptRun, OneThatSaidItsFinalWordAndStaysIsKilledAndCountsAsSaid) {
    options.linger = millis(200);
    options.grace = minutes(5);
    wire::Body body =
        run("trap '' TERM; echo report > $ZQ_RESULT; printf 'status=completed\\n' > $ZQ_OUTPUT;"
            "while :; do sleep 0.05; done");
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
    EXPECT_EQ(report_part(body).artifacts[0].ref.name, "result.md");
}

TEST_F(AttemptRun, AResultAloneIsNoFinalWord) {
    options.linger = millis(100);
    options.run_timeout = millis(800);
    wire::Body body = run("echo report > $ZQ_RESULT; exec sleep 600");
    EXPECT_EQ(std::get<wire::Fail>(body).failure, FailureClass::kTimedOut);
}

TEST_F(AttemptRun, OneWithoutASignOfLifeIsStoppedAsStalled) {
    options.stall_timeout = millis(400);
    wire::Body body = run("echo once; exec sleep 600");
    EXPECT_EQ(std::get<wire::Fail>(body).failure, FailureClass::kError);
    EXPECT_TRUE(std::get<wire::Fail>(body).reason.starts_with("stalled"));
}

TEST_F(AttemptRun, OneThatWritesNowAndThenIsNotStalledHoweverLongItTakes) {
    options.stall_timeout = millis(600);
    wire::Body body =
        run("for i in 1 2 3 4 5 6; do sleep 0.2; echo $i; done;"
            "for i in 1 2 3 4 5 6; do sleep 0.2; echo $i > $ZQ_OUT/step; done");
    EXPECT_TRUE(std::holds_alternative<wire::Complete>(body));
}

TEST_F(AttemptRun, ACheckRunsWhereTheCommandRanAndItsOutputIsEvidence) {
    options.verify = "echo in $(pwd); test -e out/fixed";
    wire::Body body = run("echo done > $ZQ_RESULT; touch $ZQ_OUT/fixed");
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
    const auto& artifacts = report_part(body).artifacts;
    const auto log = std::find_if(artifacts.begin(), artifacts.end(),
                                  [](const auto& a) { return a.ref.name == "verify.log"; });
    ASSERT_NE(log, artifacts.end());
    EXPECT_TRUE(log->data->data.starts_with("in " + folder.path()));
}

TEST_F(AttemptRun, AFailedCheckBreaksTheContractWithItsLastLines) {
    options.verify = "echo first; echo 2 tests failed >&2; exit 1";
    const auto fail = std::get<wire::Fail>(run("echo done > $ZQ_RESULT"));
    EXPECT_EQ(fail.failure, FailureClass::kContract);
    EXPECT_EQ(fail.reason,
              "the check after the command failed (exit code 1):\nfirst\n2 tests failed");
}

TEST_F(AttemptRun, ACheckEndsAtItsTimeLimitAndTimeSpentFrozenDoesNotCount) {
    options.verify = "echo up > out/up; exec sleep 600";
    options.verify_timeout = millis(400);
    options.command = {"echo done > $ZQ_RESULT"};
    attempts->start(assign(1));
    ASSERT_TRUE(until([&] { return has("out/up"); }));
    attempts->freeze({7, 1});
    const Millis frozen = boottime();
    ASSERT_TRUE(until([&] { return boottime() > frozen + millis(700); }));
    EXPECT_TRUE(news<ChildEnded>().empty());
    attempts->thaw({7, 1}, boottime());
    ASSERT_TRUE(until([&] { return !news<Reported>().empty(); }));
    const auto fail = std::get<wire::Fail>(news<Reported>()[0].report);
    EXPECT_EQ(fail.failure, FailureClass::kContract);
    EXPECT_NE(fail.reason.find("longer than its time limit"), std::string::npos);
}

TEST_F(AttemptRun, ACancelEndsTheCheckToo) {
    options.verify = "echo up > out/up; exec sleep 600";
    options.command = {"echo done > $ZQ_RESULT"};
    attempts->start(assign(1));
    ASSERT_TRUE(until([&] { return has("out/up"); }));
    attempts->stop({7, 1}, StopCause::kCancelled, boottime());
    ASSERT_TRUE(until([&] { return !news<Reported>().empty(); }));
    EXPECT_EQ(std::get<wire::Release>(news<Reported>()[0].report).cause, ReleaseCause::kCancelled);
}

TEST_F(AttemptRun, WhatFailedOrWasSkippedIsNotChecked) {
    options.verify = "touch $ZQ_TASK_DIR/checked";
    run("echo status=skipped > $ZQ_OUTPUT");
    EXPECT_FALSE(has("checked"));
}

TEST_F(AttemptRun, AnInputByReferenceIsCopiedAndOneThatDriftedIsAFailureForGood) {
    folder.write("shared", "what was submitted");
    wire::Assign first = assign(1);
    first.task.inputs = {
        {"context", sha256("what was submitted"), 18, "", "file://" + folder.file("shared"), true}};
    options.command = {"cat context/context"};
    attempts->start(first);
    ASSERT_TRUE(until([&] { return news<Reported>().size() == 1; }));
    wire::Body body = news<Reported>()[0].report;
    EXPECT_EQ(report_part(body).artifacts.at(0).data->data, "what was submitted");
    folder.write("shared", "what was replaced.");
    first.lease = {7, 2};
    attempts->start(first);
    ASSERT_TRUE(until([&] { return news<Reported>().size() == 2; }));
    const auto fail = std::get<wire::Fail>(news<Reported>()[1].report);
    EXPECT_EQ(fail.failure, FailureClass::kPermanent);
    EXPECT_NE(fail.reason.find("has drifted"), std::string::npos);
    EXPECT_EQ(fail.reason.find(to_hex(sha256("what was replaced."))), std::string::npos)
        << "what lies there now is not told";
    EXPECT_TRUE(fail.report.artifacts.empty());
}

TEST_F(AttemptRun, TheSessionOfAnAttemptIsOfferedToTheNextOneUntilTheTaskIsOver) {
    const std::string command =
        "echo session_id=s-1 > $ZQ_OUTPUT; echo got {resume_id} > $ZQ_RESULT";
    options.command = {command};
    attempts->start(assign(1));
    ASSERT_TRUE(until([&] { return news<Reported>().size() == 1; }));
    attempts->start(assign(2));
    ASSERT_TRUE(until([&] { return news<Reported>().size() == 2; }));
    auto result = [&](std::size_t i) {
        wire::Body body = news<Reported>().at(i).report;
        return report_part(body).artifacts.at(0).data->data;
    };
    EXPECT_EQ(result(0), "got \n");
    EXPECT_EQ(result(1), "got s-1\n");
    attempts->settled({TaskId("t-a"), 2, {7, 2}}, TaskState::kCompleted);
    attempts->start(assign(3));
    ASSERT_TRUE(until([&] { return news<Reported>().size() == 3; }));
    EXPECT_EQ(result(2), "got \n");
}

TEST_F(AttemptRun, WhatAnAdapterReadsIsInTheReportAlsoWhereTheLogIsCutAndTheProcessStays) {
    options.agent = AgentKind::kClaude;
    options.log_cap = 2048;
    options.linger = millis(200);
    wire::Body body =
        run("head -c 100000 /dev/zero | tr '\\0' x; echo;"
            "printf '%s\\n' '{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,"
            "\"result\":\"# All well\\nindeed\",\"session_id\":\"s-9\",\"total_cost_usd\":0.29}';"
            "while :; do sleep 0.05; done");
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
    const wire::Report& report = report_part(body);
    EXPECT_EQ(report.summary, "All well");
    EXPECT_EQ(report.output.at("session_id"), "s-9");
    EXPECT_EQ(report.output.at("cost_usd_micros"), "290000");
    EXPECT_EQ(report.artifacts.at(0).ref.name, "result.md");
    EXPECT_EQ(report.artifacts.at(0).data->data, "# All well\nindeed");
}

TEST_F(AttemptRun, AResultThatTheCommandWroteItselfIsNotReplacedNorAreItsKeys) {
    options.agent = AgentKind::kCodex;
    wire::Body body = run(
        "echo mine > $ZQ_OUT/result.txt; echo session_id=mine > $ZQ_OUTPUT; echo cost_usd=0.5 >> "
        "$ZQ_OUTPUT; printf '%s\\n' '{\"type\":\"thread.started\",\"thread_id\":\"other\"}';"
        "printf '%s\\n' "
        "'{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":"
        "\"theirs\"}}'; printf '%s\\n' '{\"type\":\"turn.completed\",\"usage\":{}}'");
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
    EXPECT_EQ(report_part(body).artifacts.at(0).ref.name, "result.txt");
    EXPECT_EQ(report_part(body).output.at("session_id"), "mine");
    EXPECT_EQ(report_part(body).output.at("cost_usd_micros"), "500000");
}

TEST_F(AttemptRun, OutputBeyondTheCapIsCountedAndIsNoResult) {
    options.log_cap = 4096;
    wire::Body body = run("head -c 1000000 /dev/zero | tr '\\0' x");
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
    const wire::Report& report = report_part(body);
    EXPECT_EQ(report.output.at("stdout_dropped_bytes"), std::to_string(1'000'000 - 4096));
    ASSERT_EQ(report.artifacts.size(), 2U);
    EXPECT_EQ(report.artifacts[0].ref.name, "stdout.log");
    EXPECT_LT(report.artifacts[0].ref.size, 4096U + 100U);
}

TEST_F(AttemptRun, AKilledOneLeavesNoProcessNoReportAndNoFolder) {
    options.command = {"trap '' TERM; echo up > $ZQ_OUT/up; sleep 600"};
    attempts->start(assign(1));
    ASSERT_TRUE(until([&] { return has("out/up"); }));
    attempts->kill({7, 1});
    ASSERT_TRUE(until([&] { return !news<Gone>().empty(); }));
    EXPECT_EQ(attempts->running(), 0U);
    EXPECT_TRUE(news<Reported>().empty());
    EXPECT_TRUE(outbox.load().empty());
    EXPECT_TRUE(eventually([&] { return !has(""); }));
}

TEST_F(AttemptRun, ASecondAttemptOfOneTaskWaitsForTheFirstToBeDead) {
    options.command = {"if mkdir " + folder.file("alone") + "; then trap 'sleep 0.2; rmdir " +
                       folder.file("alone") +
                       "; exit 0' TERM; echo up > $ZQ_OUT/up; "
                       "if [ $ZQ_ATTEMPT = 2 ]; then rmdir " +
                       folder.file("alone") +
                       "; exit 0; fi; while :; do sleep 0.02; done; else exit 65; fi"};
    options.grace = seconds(5);
    attempts->start(assign(1));
    ASSERT_TRUE(until([&] { return has("out/up"); }));
    attempts->start(assign(2));
    ASSERT_TRUE(until([&] { return attempts->running() == 1; }));
    attempts->stop({7, 1}, StopCause::kCancelled, boottime());
    ASSERT_TRUE(until([&] { return news<Reported>().size() == 2; }));
    for (const Reported& item : news<Reported>()) {
        EXPECT_FALSE(std::holds_alternative<wire::Fail>(item.report));
    }
}

TEST_F(AttemptRun, AFrozenAssignmentDoesNotStartBeforeItIsThawed) {
    options.command = {"true"};
    attempts->start(assign(1));
    attempts->freeze({7, 1});
    ASSERT_TRUE(until([&] { return has("prompt.md"); }));
    const Millis before = boottime();
    ASSERT_TRUE(until([&] { return boottime() > before + millis(100); }));
    EXPECT_EQ(attempts->running(), 0U);
    EXPECT_TRUE(news<Reported>().empty());
    attempts->thaw({7, 1}, boottime());
    ASSERT_TRUE(until([&] { return !news<Reported>().empty(); }));
    EXPECT_TRUE(std::holds_alternative<wire::Complete>(news<Reported>()[0].report));
}

TEST_F(AttemptRun, ACommandThatIsNotThereIsTheWorkersFault) {
    options.shell = false;
    wire::Body body = run("no-such-command-of-ours");
    ASSERT_TRUE(std::holds_alternative<wire::Release>(body));
    EXPECT_EQ(std::get<wire::Release>(body).cause, ReleaseCause::kWorkerFault);
}

TEST_F(AttemptRun, AnAttemptThatWaitsForInputsCanBeCancelled) {
    wire::Assign body = assign(1);
    body.task.inputs = {{"context", Digest{{1}}, 5, "", ""}};
    options.command = {"true"};
    attempts->start(body);  // nobody is connected: the input cannot come
    attempts->stop({7, 1}, StopCause::kCancelled, boottime());
    ASSERT_TRUE(until([&] { return !news<Reported>().empty(); }));
    EXPECT_EQ(std::get<wire::Release>(news<Reported>()[0].report).cause, ReleaseCause::kCancelled);
}

TEST_F(AttemptRun, AHandlerServesItsRole) {
    handlers["role"] = [](const HandlerTask& task) {
        (void)write_file(task.out_folder() + "/result.md", task.spec().instructions, 0600,
                         Durability::kNone);
        HandlerResult result;
        result.summary = "handled";
        result.output["k"] = "v";
        return result;
    };
    wire::Body body = run("false");
    ASSERT_TRUE(std::holds_alternative<wire::Complete>(body));
    EXPECT_EQ(report_part(body).summary, "handled");
    EXPECT_EQ(report_part(body).output.at("k"), "v");
    EXPECT_EQ(report_part(body).artifacts.at(0).data->data, "do it");
}

}  // namespace
}  // namespace zq::worker
