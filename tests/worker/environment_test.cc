// What a command sees of the worker's environment, and what becomes of its arguments.
#include "worker/environment.h"

#include <algorithm>

#include "tests/worker/folder_rig.h"

namespace zq::worker {
namespace {

bool has(const std::vector<std::string>& environment, const std::string& entry) {
    return std::find(environment.begin(), environment.end(), entry) != environment.end();
}

wire::Assign sample() {
    wire::Assign assign;
    assign.attempt = 1;
    assign.lease = {1, 2};
    assign.task.id = TaskId("t-a");
    assign.task.role = RoleName("role");
    assign.task.type = std::string("a\0b", 3);
    return assign;
}

TEST(Environment, PassesOnlyTheListAndWhatIsNamed) {
    FolderRig folder;
    folder.write("env", "# comment\nTOKEN=a=b\n\nPATH=/mine\n");
    ::setenv("ZQT_SECRET", "s", 1);
    ::setenv("ZQT_NAMED", "n", 1);
    ::setenv("LC_ALL", "C", 1);
    auto passed = passed_environment({"ZQT_NAMED", "ZQT_ABSENT"}, folder.file("env"));
    ASSERT_TRUE(passed.has_value());
    EXPECT_TRUE(has(*passed, "ZQT_NAMED=n"));
    EXPECT_TRUE(has(*passed, "LC_ALL=C"));
    EXPECT_TRUE(has(*passed, "TOKEN=a=b"));
    EXPECT_TRUE(has(*passed, "PATH=/mine"));
    EXPECT_FALSE(has(*passed, "ZQT_SECRET=s"));
    folder.write("bad", "A=1\nnonsense\n");
    auto bad = passed_environment({}, folder.file("bad"));
    ASSERT_FALSE(bad.has_value());
    EXPECT_NE(bad.error().message.find(":2:"), std::string::npos);
    EXPECT_FALSE(passed_environment({"A=1"}, "").has_value());
}

TEST(Environment, TheAttemptsOwnVariablesWinAndCannotBeForged) {
    const Workspace workspace{"/w/t-a"};
    const auto environment =
        attempt_environment({"ZQ_TASK_ID=forged", "PATH=/bin"}, sample(), workspace, {});
    EXPECT_TRUE(has(environment, "ZQ_TASK_ID=t-a"));
    EXPECT_FALSE(has(environment, "ZQ_TASK_ID=forged"));
    EXPECT_TRUE(has(environment, "PATH=/bin"));
    EXPECT_TRUE(has(environment, "ZQ_TYPE=a"));
    EXPECT_TRUE(has(environment, "ZQ_RESULT=/w/t-a/out/result.md"));
}

TEST(Environment, CarriesKeyTraceAndDeadlineOfTheTask) {
    wire::Assign assign = sample();
    assign.lease = {7, 0x0000000300000001};
    assign.task.idempotency_key = "key-1";
    assign.task.trace_id = "0af7651916cd43dd8448eb211c80319c";
    const auto environment =
        attempt_environment({}, assign, {"/w/t-a"}, Instant{1'795'177'867'042});
    EXPECT_TRUE(has(environment, "ZQ_IDEMPOTENCY_KEY=key-1"));
    assign.task.idempotency_key.clear();
    EXPECT_TRUE(has(attempt_environment({}, assign, {"/w/t-a"}, {}), "ZQ_IDEMPOTENCY_KEY=t-a"))
        << "else tasks without a key would share one";
    EXPECT_TRUE(has(environment, "ZQ_TRACE_ID=0af7651916cd43dd8448eb211c80319c"));
    EXPECT_TRUE(has(environment, "ZQ_DEADLINE=2026-11-20T12:31:07.042Z"));
    EXPECT_TRUE(
        has(environment, "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-0000000300000001-01"));
}

TEST(Environment, ATraceIdOfAnotherFormMakesNoTraceparent) {
    for (const char* trace :
         {"", "my-trace", "00000000000000000000000000000000", "0AF7651916CD43DD8448EB211C80319C"}) {
        wire::Assign assign = sample();
        assign.lease = {7, 1};
        assign.task.trace_id = trace;
        for (const std::string& entry : attempt_environment({}, assign, {"/w/t-a"}, {})) {
            EXPECT_FALSE(entry.starts_with("TRACEPARENT=")) << trace;
        }
    }
}

TEST(Environment, PlaceholdersAreFilledAndOtherBracesStay) {
    const PlaceholderValues values = placeholder_values(sample(), {"/w/it's"}, "s-1");
    EXPECT_EQ(fill_placeholders({"run", "--in={prompt_file}", "{task_id}", "{x}", "{}"}, values),
              (std::vector<std::string>{"run", "--in=/w/it's/prompt.md", "t-a", "{x}", "{}"}));
    EXPECT_EQ(fill_placeholders({"run", "--resume", "{resume_id}"}, values),
              (std::vector<std::string>{"run", "--resume", "s-1"}));
    EXPECT_EQ(fill_shell({"cat", "{task_file}", "| wc"}, values),
              (std::vector<std::string>{"/bin/sh", "-c", "cat '/w/it'\\''s/task.json' | wc"}));
}

TEST(Environment, WithoutAnEarlierSessionTheWordGoesAndItsFlagWithIt) {
    using Words = std::vector<std::string>;
    const PlaceholderValues values = placeholder_values(sample(), {"/w"}, "");
    EXPECT_EQ(fill_placeholders({"run", "-p", "--resume", "{resume_id}", "x"}, values),
              (Words{"run", "-p", "x"}));
    EXPECT_EQ(fill_placeholders({"run", "-p", "--resume={resume_id}"}, values),
              (Words{"run", "-p"}));
    EXPECT_EQ(fill_placeholders({"run", "{resume_id}"}, values), (Words{"run"}));
    EXPECT_EQ(fill_shell({"run", "{resume_id}"}, values), (Words{"/bin/sh", "-c", "run ''"}));
}

}  // namespace
}  // namespace zq::worker
