// `role`, `limit` and `worker` as whole command lines: what they ask of the coordinator, what they
// print, and what they refuse without asking.
#include <gtest/gtest.h>

#include "cli/command_table.h"
#include "cli/controls.h"
#include "tests/cli/program_rig.h"

namespace zq::cli {
namespace {

using test::say;

wire::ControlRow row_of(ControlKind kind, const std::string& name) {
    wire::ControlRow row;
    row.control.kind = kind;
    row.control.name = name;
    return row;
}

/// A coordinator that takes every control, with role `review` (paused), limit key `api` (held) and
/// worker `gpu-1`.
std::vector<wire::Message> answer(const wire::Message& request) {
    if (const auto* set = std::get_if<wire::SetControl>(&request.body)) {
        wire::ControlSet reply;
        reply.control.kind = set->kind;
        reply.control.name = set->name;
        return say(reply);
    }
    if (const auto* asked = std::get_if<wire::Controls>(&request.body)) {
        wire::ControlRows rows;
        wire::ControlRow role = row_of(ControlKind::kRole, "review");
        role.control.paused = true;
        role.control.reason = "the model is down";
        role.limits.concurrency = 4;
        wire::ControlRow key = row_of(ControlKind::kLimitKey, "api");
        key.control.held_until = Instant{9'000};
        key.control.held_by = TaskId("t1");
        for (const wire::ControlRow& row : {role, key}) {
            const bool meant = asked->name.empty() || asked->name == row.control.name;
            if (row.control.kind == asked->kind && meant) rows.rows.push_back(row);
        }
        return say(rows);
    }
    if (std::holds_alternative<wire::Status>(request.body)) {
        wire::StatusReply status;
        status.program = "zq";
        wire::RoleRow role;
        role.role = RoleName("review");
        role.paused = true;
        status.roles = {role};
        return say(status);
    }
    if (std::holds_alternative<wire::Workers>(request.body)) {
        wire::WorkerRow row;
        row.worker = WorkerName("gpu-1");
        row.slots = 2;
        row.labels = {"gpu", "region=eu"};
        row.draining = true;
        return say(wire::WorkerRows{{row}});
    }
    wire::Pong pong;
    pong.now = Instant{8'000};
    return say(pong);
}

class Controls : public Program {
  protected:
    void SetUp() override {
        Program::SetUp();
        serve(answer);
    }

    /// What the last command said of anything.
    std::vector<wire::SetControl> said() const {
        std::vector<wire::SetControl> all;
        for (const wire::Message& message : server_->requests()) {
            const auto* set = std::get_if<wire::SetControl>(&message.body);
            if (set != nullptr) all.push_back(*set);
        }
        return all;
    }
    wire::SetControl said_by(const std::vector<std::string>& words) {
        const Ran ran = run(words);
        EXPECT_EQ(ran.exit, 0) << ran.err;
        const auto all = said();
        EXPECT_FALSE(all.empty());
        return all.empty() ? wire::SetControl{} : all.back();
    }
};

wire::SetControl on(ControlKind kind, const std::string& name) {
    wire::SetControl set;
    set.kind = kind;
    set.name = name;
    return set;
}

TEST_F(Controls, EachVerbSaysWhatItMeansAndNothingElse) {
    wire::SetControl set = on(ControlKind::kRole, "review");
    set.paused = true;
    set.reason = "later";
    EXPECT_EQ(said_by({"role", "pause", "review", "--reason", "later"}), set);
    set.reason.clear();
    EXPECT_EQ(said_by({"queue", "pause", "review"}), set);
    set.paused = false;
    set.closed = false;
    EXPECT_EQ(said_by({"role", "resume", "review"}), set);
    set = on(ControlKind::kRole, "review");
    set.closed = true;
    EXPECT_EQ(said_by({"role", "drain", "review"}), set);
    set = on(ControlKind::kLimitKey, "account 7");
    set.paused = false;
    EXPECT_EQ(said_by({"limit", "resume", "account 7"}), set);
    set = on(ControlKind::kWorker, "gpu-1");
    set.drain = true;
    EXPECT_EQ(said_by({"worker", "drain", "gpu-1"}), set);
    set.drain = false;
    set.paused = true;
    EXPECT_EQ(said_by({"worker", "pause", "gpu-1"}), set);
}

TEST_F(Controls, LimitsAreNumbersRatesAndSizesOrNone) {
    wire::SetControl set = on(ControlKind::kRole, "review");
    set.limits.concurrency = 4;
    set.limits.rate = Rate{60, minutes(1), 10};
    set.limits.max_open = 100;
    set.limits.max_bytes = 1ULL << 30;
    EXPECT_EQ(said_by({"role", "limit", "review", "--concurrency", "4", "--rate", "60/m:10",
                       "--max-open", "100", "--max-bytes", "1GiB"}),
              set);
    set.limits = {};
    set.limits.concurrency = 0;
    set.limits.rate = Rate{};
    set.limits.max_bytes = 0;
    set.reset = true;
    EXPECT_EQ(said_by({"role", "limit", "review", "--concurrency", "none", "--rate", "none",
                       "--max-bytes", "none", "--reset"}),
              set);
    set = on(ControlKind::kLimitKey, "*");
    set.limits.concurrency = 2;
    EXPECT_EQ(said_by({"limit", "set", "*", "--concurrency", "2"}), set);
}

TEST_F(Controls, WhatIsNoLimitIsRefusedWithoutAsking) {
    const std::vector<std::vector<std::string>> wrong = {
        {"role", "limit", "review", "--concurrency", "0"},
        {"role", "limit", "review", "--concurrency", "4x"},
        {"role", "limit", "review", "--max-open", "2000001"},
        {"role", "limit", "review", "--max-bytes", "much"},
        {"role", "limit", "review", "--rate", "60"},
        {"role", "limit", "review", "--rate", "0/m"},
        {"role", "limit", "review", "--reason", "why not"},
        {"role", "pause", "two words"},
        {"limit", "set", "api"},
        {"limit", "set", "api", "--max-open", "1"},
        {"role", "purge", "review", "--state", "running"},
        {"role", "purge", "review", "--state", "runing"},
        {"worker", "pause", "two words"},
    };
    for (const auto& words : wrong) {
        EXPECT_EQ(run(words).exit, 2) << testing::PrintToString(words);
    }
    EXPECT_TRUE(said().empty());
}

TEST_F(Controls, ADryRunSaysWhatWouldBeAndChangesNothing) {
    const Ran ran = run(
        {"role", "limit", "review", "--rate", "none", "--max-open", "5", "--reset", "--dry-run"});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.err,
              "dry run: review: it would have max_open 5, no rate, and else be limited as the "
              "configuration says; this is how it is now:\n");
    EXPECT_EQ(ran.out, "review  paused  concurrency 4  the model is down\n");
    EXPECT_EQ(run({"worker", "drain", "gpu-9", "--dry-run"}).exit, 3);
    EXPECT_EQ(run({"limit", "pause", "api", "--dry-run"}).exit, 0);
    EXPECT_TRUE(said().empty());
}

TEST_F(Controls, AnUnknownRoleIsWarnedOfAndNamesTheNearest) {
    const Ran ran = run({"role", "pause", "reviw"});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.err, "warning: role reviw has no tasks or workers yet; did you mean review?\n");
    const Ran shown = run({"role", "show", "reviw"});
    EXPECT_EQ(shown.exit, 3);
    EXPECT_NE(shown.err.find("did you mean review?"), std::string::npos) << shown.err;
    EXPECT_EQ(run({"limit", "show", "apo"}).exit, 3);
}

TEST_F(Controls, RecordsHaveTheirSchemaAndOneWordForTheirState) {
    const struct {
        std::vector<std::string> words;
        const char* parts;
    } rows[] = {
        {{"role", "show", "review", "--json"},
         R"("schema":"zq/role/v1","id":"review","state":"paused")"},
        {{"queue", "show", "review", "--json"}, R"("reason":"the model is down")"},
        {{"limit", "show", "api", "--json"}, R"("schema":"zq/limit/v1","id":"api","state":"held")"},
        {{"limit", "show", "api", "--json"}, R"("held_by":"t1")"},
        {{"worker", "show", "gpu-1", "--json"},
         R"("schema":"zq/worker/v1","id":"gpu-1","state":"draining")"},
        {{"worker", "show", "gpu-1", "--json"}, R"("labels":["gpu","region=eu"])"},
        {{"role", "ls", "-q"}, "review\n"},
        {{"limit", "-q"}, "api\n"},
    };
    for (const auto& row : rows) {
        const Ran ran = run(row.words);
        EXPECT_NE(ran.out.find(row.parts), std::string::npos) << row.parts << ": " << ran.out;
    }
}

TEST_F(Controls, AnotherCommandSeesNoHoldOnceItsTimeHasCome) {
    serve([](const wire::Message& request) {
        if (!std::holds_alternative<wire::Ping>(request.body)) return answer(request);
        wire::Pong pong;
        pong.now = Instant{9'000};
        return say(pong);
    });
    auto record = Json::parse(run({"limit", "show", "api", "--json"}).out, "stdout");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->find("state")->as_text(), "open");
    EXPECT_FALSE(record->find("held_by"));
}

TEST_F(Program, ARoleThatDrainsRefusesASubmitLikeAFullQueue) {
    serve([](const wire::Message&) {
        return say(wire::ErrorReply{ErrorCode::DRAINING, "takes nothing", "task.to", {}, {}});
    });
    EXPECT_EQ(run({"submit", "--to", "r"}).exit, 7);
}

TEST(RoleCommands, QueueIsAnotherNameOfRole) {
    EXPECT_EQ(find_command({"queue"})->command.name, "role ls");
    EXPECT_EQ(find_command({"queue", "purge", "r"})->command.name, "role purge");
    EXPECT_EQ(find_command({"queue", "purge", "r"})->words, 2U);
    EXPECT_EQ(find_command({"queue", "pausee"}).error().hint, "did you mean `zq role pause`?");
}

}  // namespace
}  // namespace zq::cli
