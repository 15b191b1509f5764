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

TEST(Environment, PlaceholdersAreFilledAndOtherBracesStay) {
    const Workspace workspace{"/w/it's"};
    EXPECT_EQ(fill_placeholders({"run", "--in={prompt_file}", "{task_id}", "{x}", "{}"}, sample(),
                                workspace),
              (std::vector<std::string>{"run", "--in=/w/it's/prompt.md", "t-a", "{x}", "{}"}));
    EXPECT_EQ(fill_shell({"cat", "{task_file}", "| wc"}, sample(), workspace),
              (std::vector<std::string>{"/bin/sh", "-c", "cat '/w/it'\\''s/task.json' | wc"}));
}

}  // namespace
}  // namespace zq::worker
