// Whole command lines against a scripted coordinator: what is printed, what is sent, how it ends.
#include "cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/lease_file.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"
#include "tests/cli/program_rig.h"

namespace zq::cli {
namespace {

using test::FakeServer;
using test::say;

wire::TaskRow ended(const std::string& id, TaskState state) {
    wire::TaskRow row;
    row.id = TaskId(id);
    row.state = state;
    row.role = RoleName("r");
    row.submitted_at = Instant{1'000};
    row.started_at = Instant{2'000};
    row.ended_at = Instant{4'000};
    row.summary = state == TaskState::kCompleted ? "fine" : "";
    row.dead_reason = state == TaskState::kDead ? DeadReason::kPoison : DeadReason::kNone;
    return row;
}

TEST_F(Program, SubmitPrintsIdStateAndRoleAndWarnsOfAnUnservedRole) {
    FakeServer& server = serve([](const wire::Message& request) {
        wire::Submitted reply;
        reply.task = std::get<wire::Submit>(request.body).task.id;
        reply.role_served = false;
        reply.nearest_role = "review";
        return say(reply);
    });
    const Ran ran = run({"submit", "--to", "reveiw", "--id", "task-1", "--instructions", "x"});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.out, "task-1  queued  reveiw\n");
    EXPECT_EQ(ran.err, "warning: no worker has ever served reveiw; did you mean review?\n");
    EXPECT_EQ(std::get<wire::Submit>(server.requests().at(0).body).task.from, "tester");
}

TEST_F(Program, ADryRunAsksTheCoordinatorToChangeNothing) {
    FakeServer& server = serve([](const wire::Message&) { return say(wire::Submitted{}); });
    EXPECT_EQ(run({"submit", "--to", "r", "--dry-run"}).exit, 0);
    EXPECT_TRUE(std::get<wire::Submit>(server.requests().at(0).body).dry_run);
}

TEST_F(Program, ARefusalIsOneJsonLineOnStderrWithItsExitCode) {
    serve([](const wire::Message&) {
        return say(wire::ErrorReply{ErrorCode::CONFLICT, "another body", "task.id", {}, {}});
    });
    const Ran ran = run({"submit", "--to", "r", "--id", "task-1", "--json"});
    EXPECT_EQ(ran.exit, 5);
    EXPECT_EQ(ran.out, "");
    auto error = Json::parse(ran.err, "stderr");
    ASSERT_TRUE(error) << ran.err;
    EXPECT_EQ(error->find("error")->find("code")->as_text(), "CONFLICT");
    EXPECT_EQ(error->find("error")->find("exit")->as_integer(), 5);
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
}

TEST_F(Program, ASubmitWhoseContentWasRemovedMeanwhilePutsItAgain) {
    const std::string file = folder_ + "/context.md";
    ASSERT_TRUE(
        write_file(file, std::string(limits::kInlineBytes * 4, 'x'), 0600, Durability::kNone));
    std::atomic<int> submits = 0;
    FakeServer& server = serve([&](const wire::Message& request) {
        wire::Message reply;
        if (const auto* put = std::get_if<wire::Put>(&request.body)) {
            reply.body = wire::Stored{put->digest, put->size};
        } else if (const auto* submit = std::get_if<wire::Submit>(&request.body)) {
            if (++submits == 1) {
                reply.body = wire::ErrorReply{ErrorCode::MISSING_CONTENT,
                                              "1 content is not stored",
                                              {},
                                              {},
                                              {submit->task.inputs.at(0).digest}};
            } else {
                wire::Submitted submitted;
                submitted.task = submit->task.id;
                reply.body = std::move(submitted);
            }
        } else {
            reply.body = wire::Pong{};
        }
        reply.header.artifacts_endpoint = server_->endpoint();
        return std::vector<wire::Message>{std::move(reply)};
    });
    const Ran ran = run({"submit", "--to", "r", "--id", "task-1", "--file", file});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    std::string asked;
    for (const wire::Message& request : server.requests()) {
        if (std::holds_alternative<wire::Put>(request.body)) asked += "put ";
        if (std::holds_alternative<wire::Submit>(request.body)) asked += "submit ";
    }
    EXPECT_EQ(asked, "put submit put submit ");
}

TEST_F(Program, WaitPrintsEachTaskOnceAndEndsWithTheWorst) {
    FakeServer& server = serve([](const wire::Message& request) {
        const auto& wait = std::get<wire::Wait>(request.body);
        wire::Ended reply;
        const std::string& id = wait.tasks.front().text;
        reply.rows = {ended(id == "a" ? "a" : "b-full",
                            id == "a" ? TaskState::kDead : TaskState::kCompleted)};
        reply.open = static_cast<std::uint32_t>(wait.tasks.size()) - 1;
        return say(reply);
    });
    const Ran ran = run({"wait", "a", "b"});
    EXPECT_EQ(ran.exit, 10);
    EXPECT_EQ(ran.out, "a  dead  2s  poison\nb-full  completed  2s  fine\n");
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Program, WaitWhoseTimeIsOverSaysHowToGoOn) {
    serve([](const wire::Message& request) {
        if (std::holds_alternative<wire::Questions>(request.body)) return say(wire::QuestionRows{});
        return say(wire::Ended{{}, 1});
    });
    const Ran ran = run({"wait", "a", "--timeout", "50ms"});
    EXPECT_EQ(ran.exit, 8);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("zq wait a"), std::string::npos) << ran.err;
}

TEST_F(Program, WaitWhoseTimeIsOverSaysWhoIsWaitedForWhereThatIsAPerson) {
    serve([](const wire::Message& request) {
        if (!std::holds_alternative<wire::Questions>(request.body)) return say(wire::Ended{{}, 2});
        wire::QuestionRows reply;
        for (const char* id : {"another", "b-2"}) {
            reply.rows.emplace_back();
            reply.rows.back().task = TaskId(id);
            reply.rows.back().question.text = "Which?";
        }
        return say(reply);
    });
    const Ran ran = run({"wait", "c", "b", "--timeout", "50ms"});
    EXPECT_EQ(ran.exit, 9);
    EXPECT_NE(ran.err.find("zq answer b-2 TEXT"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("zq wait c b"), std::string::npos) << ran.err;
}

TEST_F(Program, AGroupsTasksThatAreAnsweredAgainAreSeenOnce) {
    serve([](const wire::Message& request) {
        const auto& wait = std::get<wire::Wait>(request.body);
        wire::Ended reply{{ended("a", TaskState::kCompleted)}, 1};
        if (wait.count == 2)
            reply = {{ended("a", TaskState::kCompleted), ended("b", TaskState::kSkipped)}, 0};
        return say(reply);
    });
    const Ran ran = run({"wait", "--group", "g", "-q"});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.out, "a\nb\n");
}

TEST_F(Program, ResultOfAnOpenTaskIsNotFinished) {
    serve([](const wire::Message&) {
        wire::TaskReply reply;
        reply.row = ended("a", TaskState::kRunning);
        return say(reply);
    });
    const Ran ran = run({"result", "a"});
    EXPECT_EQ(ran.exit, 8);
    EXPECT_NE(ran.err.find("zq wait a"), std::string::npos);
}

TEST_F(Program, ResultWithoutAnArtifactIsTheSummary) {
    serve([](const wire::Message&) {
        wire::TaskReply reply;
        reply.row = ended("a", TaskState::kCompleted);
        wire::AttemptRow attempt;
        attempt.attempt = 1;
        attempt.outcome = "completed";
        attempt.summary = "fine\x1b[0m";
        reply.attempts = {attempt};
        return say(reply);
    });
    EXPECT_EQ(run({"result", "a"}).out, "fine\x1b[0m\n");
}

TEST_F(Program, AClaimsLeaseIsKeptAndUsedByComplete) {
    const LeaseToken token{1, 2};
    FakeServer& server = serve([&](const wire::Message& request) {
        if (std::holds_alternative<wire::Claim>(request.body)) {
            wire::Claimed claimed;
            claimed.lease = token;
            claimed.attempt = 3;
            claimed.term = minutes(30);
            claimed.task.id = TaskId("task-1");
            claimed.task.role = RoleName("r");
            return say(claimed);
        }
        return say(wire::Accepted{TaskId("task-1"), TaskState::kCompleted, 3});
    });
    EXPECT_EQ(run({"claim", "--role", "r"}).exit, 0);
    EXPECT_TRUE((*load_lease(TaskId("task-1"))).has_value());
    const std::string result = folder_ + "/out.md";
    ASSERT_TRUE(write_file(result, "done\n", 0600, Durability::kNone));
    const Ran ran = run({"complete", "task-1", "--result-file", result, "--summary", "s"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.out, "task-1  completed\n");
    const auto report = std::get<wire::Complete>(server.requests().at(1).body).report;
    EXPECT_EQ(report.lease, token);
    EXPECT_EQ(report.attempt, 3U);
    EXPECT_EQ(report.artifacts.at(0).ref.name, "result.md");
    EXPECT_EQ(report.artifacts.at(0).data->data, "done\n");
    EXPECT_EQ(*load_lease(TaskId("task-1")), std::nullopt);
}

TEST_F(Program, AStaleLeaseIsForgotten) {
    ASSERT_TRUE(save_lease({TaskId("task-1"), 1, {1, 2}}));
    serve([](const wire::Message&) {
        return say(wire::ErrorReply{ErrorCode::STALE_LEASE, "stale", {}, {}, {}});
    });
    EXPECT_EQ(run({"fail", "task-1", "--reason", "x"}).exit, 5);
    EXPECT_EQ(*load_lease(TaskId("task-1")), std::nullopt);
}

TEST_F(Program, HeartbeatTellsOfACancelByItsExitCode) {
    ASSERT_TRUE(save_lease({TaskId("task-1"), 1, {1, 2}}));
    serve([](const wire::Message&) {
        return say(wire::Beat{{{LeaseToken{1, 2}, Verdict::kCancel}}});
    });
    const Ran ran = run({"heartbeat", "task-1"});
    EXPECT_EQ(ran.exit, 11);
    EXPECT_EQ(ran.out, "task-1  cancel\n");
}

TEST_F(Program, FlagsMayStandBeforeTheCommand) {
    serve([](const wire::Message&) {
        return say(wire::Tasks{{ended("a", TaskState::kDead)}, false});
    });
    EXPECT_EQ(run({"-q", "ls"}).out, "a\n");
    EXPECT_EQ(run({"-o", "id", "dlq", "ls"}).out, "a\n");
}

TEST_F(Program, JsonLinesOfAListAreRecordsWithTheirSchema) {
    serve([](const wire::Message&) {
        return say(wire::Tasks{{ended("a", TaskState::kDead)}, false});
    });
    const Ran ran = run({"ls", "-o", "jsonl"});
    auto record = Json::parse(ran.out, "stdout");
    ASSERT_TRUE(record) << ran.out;
    EXPECT_EQ(record->find("schema")->as_text(), "zq/task/v1");
    EXPECT_EQ(record->find("id")->as_text(), "a");
    EXPECT_EQ(record->find("state")->as_text(), "dead");
}

}  // namespace
}  // namespace zq::cli
