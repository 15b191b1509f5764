// What a command knows of the task it runs inside of.
#include "cli/own_task.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/command_table.h"

namespace zq::cli {
namespace {

class OwnTaskTest : public testing::Test {
  protected:
    void SetUp() override {
        ::setenv("ZQ_SOCKET", "/run/w/1", 1);
        ::setenv("ZQ_TASK_ID", "mine", 1);
        ::setenv("ZQ_LEASE", to_string(LeaseToken{7, 5}).c_str(), 1);
        ::setenv("ZQ_ATTEMPT", "2", 1);
        ::setenv("ZQ_TASK_DIR", "/tasks/mine", 1);
    }
    void TearDown() override {
        for (const char* name :
             {"ZQ_SOCKET", "ZQ_TASK_ID", "ZQ_LEASE", "ZQ_ATTEMPT", "ZQ_TASK_DIR"}) {
            ::unsetenv(name);
        }
    }
    static Arguments parse(const std::string& name, std::vector<std::string> words) {
        auto args = Arguments::parse(find_command({name})->command, std::move(words));
        EXPECT_TRUE(args) << args.error().error.message;
        return std::move(*args);
    }
    static bool is_own(const std::string& id, std::vector<std::string> words = {}) {
        auto own = own_task(parse("complete", std::move(words)), id);
        EXPECT_TRUE(own);
        return own && own->has_value();
    }
};

TEST_F(OwnTaskTest, IsFoundInTheEnvironment) {
    const auto own = own_task(parse("complete", {}), "");
    ASSERT_TRUE(own && *own);
    EXPECT_EQ((*own)->held, (wire::HeldLease{TaskId("mine"), 2, {7, 5}}));
    EXPECT_EQ((*own)->socket, "/run/w/1");
    EXPECT_TRUE(is_own("mine")) << "named, it is still this one";
}

TEST_F(OwnTaskTest, IsNotMeantWhereAnotherTaskLeaseOrCoordinatorIsNamed) {
    EXPECT_FALSE(is_own("other"));
    EXPECT_FALSE(is_own("", {"--connect", "tcp://there:1"}));
    EXPECT_FALSE(is_own("mine", {"--lease", to_string(LeaseToken{7, 6})}));
    ::unsetenv("ZQ_SOCKET");
    EXPECT_FALSE(is_own("mine"));
}

TEST_F(OwnTaskTest, OfADamagedEnvironmentIsAnError) {
    ::setenv("ZQ_LEASE", "nonsense", 1);
    EXPECT_FALSE(own_task(parse("complete", {}), ""));
}

TEST_F(OwnTaskTest, MayBeLeftOutOfTheOperandsInsideATaskOnly) {
    auto inside = own_operands(parse("progress", {"40"}), 2);
    ASSERT_TRUE(inside);
    EXPECT_EQ(inside->id, "");
    EXPECT_EQ(inside->others, std::vector<std::string>{"40"});
    auto named = own_operands(parse("progress", {"task-1", "40"}), 2);
    ASSERT_TRUE(named);
    EXPECT_EQ(named->id, "task-1");
    ::unsetenv("ZQ_SOCKET");
    EXPECT_TRUE(own_operands(parse("progress", {"task-1", "40"}), 2));
    auto outside = own_operands(parse("progress", {"40"}), 2);
    ASSERT_FALSE(outside);
    EXPECT_EQ(exit_code_of(outside.error()), ExitCode::kUsage);
}

}  // namespace
}  // namespace zq::cli
