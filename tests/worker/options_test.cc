// The command line of zq-worker.
#include "worker/options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace zq::worker {
namespace {

ParsedArguments parse(std::vector<const char*> words, const Handlers& handlers = {}) {
    words.insert(words.begin(), "zq-worker");
    return parse_arguments(static_cast<int>(words.size()), words.data(), handlers);
}

TEST(WorkerOptions, TakesRolesFlagsAndACommandThatLooksLikeFlags) {
    const auto parsed = parse({"--role", "a", "--role", "b", "--slots", "3", "--grace", "5s",
                               "--stdin", "prompt", "--once", "--", "cmd", "--role", "--", "x"});
    ASSERT_FALSE(parsed.exit_code.has_value()) << parsed.text;
    EXPECT_EQ(parsed.options.roles, (std::vector<RoleName>{RoleName("a"), RoleName("b")}));
    EXPECT_EQ(parsed.options.slots, 3U);
    EXPECT_EQ(parsed.options.grace, seconds(5));
    EXPECT_EQ(parsed.options.stdin_from, StdinFrom::kPrompt);
    EXPECT_EQ(parsed.options.lifetime, Lifetime::kOneTask);
    EXPECT_EQ(parsed.options.command, (std::vector<std::string>{"cmd", "--role", "--", "x"}));
}

TEST(WorkerOptions, AFrozenTaskIsHeldForHalfAnHourUnlessSaidOtherwise) {
    EXPECT_EQ(parse({"--role", "a", "--", "x"}).options.orphan_hold, minutes(30));
    EXPECT_EQ(parse({"--role", "a", "--orphan-hold", "6s", "--", "x"}).options.orphan_hold,
              seconds(6));
    EXPECT_EQ(parse({"--role", "a", "--orphan-hold", "soon", "--", "x"}).exit_code, kExitUsage);
}

TEST(WorkerOptions, WhatIsToBeRedactedIsReadAtTheStart) {
    ::setenv("ZQ_TEST_PIN", "13579", 1);
    const auto parsed = parse({"--role", "a", "--redact-env", "ZQ_TEST_PIN", "--", "x"});
    ASSERT_FALSE(parsed.exit_code.has_value()) << parsed.text;
    ASSERT_EQ(parsed.options.secrets.size(), 1U);
    EXPECT_EQ(parsed.options.secrets[0].value, "13579");
    ::unsetenv("ZQ_TEST_PIN");
    const auto refused = parse({"--role", "a", "--redact-env", "ZQ_TEST_PIN", "--", "x"});
    EXPECT_EQ(refused.exit_code, kExitUsage);
    EXPECT_NE(refused.text.find("--redact-env: ZQ_TEST_PIN is not set"), std::string::npos)
        << refused.text;
}

TEST(WorkerOptions, ARelativeCommandIsTheOneOfTheFolderWhereTheWorkerStarts) {
    const auto here = std::filesystem::temp_directory_path() / "zq-options-test";
    std::filesystem::create_directories(here);
    std::ofstream(here / "work.sh") << "true\n";
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(here);
    EXPECT_EQ(parse({"--role", "a", "--", "./work.sh"}).options.command.front(),
              (here / "work.sh").string());
    EXPECT_EQ(parse({"--role", "a", "--", "./other.sh"}).options.command.front(), "./other.sh");
    EXPECT_EQ(parse({"--role", "a", "--", "sort"}).options.command.front(), "sort");
    std::filesystem::current_path(before);
}

TEST(WorkerOptions, RefusesWhatIsNotBuiltAndWhatMakesNoSense) {
    const std::vector<std::vector<const char*>> bad = {
        {"--role", "a", "--agent", "gpt", "--", "x"},
        {"--role", "a", "--git-worktree", "/no/such/folder", "--", "x"},
        {"--role", "a", "--git-worktree", "/tmp", "--workdir", "/tmp", "--", "x"},
        {"--role", "a", "--stall-timeout", "soon", "--", "x"},
        {"--role", "a", "--linger", "-1s", "--", "x"},
        {"--role", "a", "--log-cap", "1000", "--", "x"},
        {"--role", "a", "--log-cap", "1MB", "--", "x"},
        {"--role", "a", "--log-cap", "65GiB", "--", "x"},
        {"--test"},
        {"--role", "a"},
        {"--", "x"},
        {"--role", "a/b", "--", "x"},
        {"--role", "a", "--slots", "0", "--", "x"},
        {"--role", "a", "--grace", "soon", "--", "x"},
        {"--role", "a", "--workdir", "/no/such/folder", "--", "x"},
        {"--role", "a", "--env", "A=1", "--", "x"},
        {"--role", "a", "stray", "--", "x"},
    };
    for (const auto& words : bad) {
        const auto parsed = parse(words);
        EXPECT_EQ(parsed.exit_code, kExitUsage) << words[0] << " " << words.back() << parsed.text;
        EXPECT_FALSE(parsed.text.empty());
    }
}

TEST(WorkerOptions, LimitsHaveDefaultsAndAreTaken) {
    const WorkerOptions usual = parse({"--role", "a", "--", "x"}).options;
    EXPECT_EQ(usual.stall_timeout, minutes(15));
    EXPECT_EQ(usual.linger, seconds(30));
    EXPECT_EQ(usual.log_cap, 32U << 20);
    const WorkerOptions told = parse({"--role", "a", "--stall-timeout", "0s", "--linger", "5s",
                                      "--log-cap", "64KiB", "--git-worktree", "/tmp", "--", "x"})
                                   .options;
    EXPECT_EQ(told.stall_timeout, Millis{});
    EXPECT_EQ(told.linger, seconds(5));
    EXPECT_EQ(told.log_cap, 64U << 10);
    EXPECT_EQ(told.git_worktree, "/tmp");
    EXPECT_EQ(parse({"--role", "a", "--agent", "codex", "--", "x"}).options.agent,
              AgentKind::kCodex);
}

TEST(WorkerOptions, ATestNeedsACommandAndNoRole) {
    const WorkerOptions options = parse({"--test", "--", "x"}).options;
    EXPECT_TRUE(options.self_test);
    EXPECT_EQ(options.roles, (std::vector<RoleName>{RoleName("zq-test")}));
}

TEST(WorkerOptions, HandlersNeedNoCommand) {
    const Handlers handlers = {{"greet", [](const HandlerTask&) { return HandlerResult{}; }}};
    const auto parsed = parse({}, handlers);
    ASSERT_FALSE(parsed.exit_code.has_value()) << parsed.text;
    EXPECT_EQ(parsed.options.roles, std::vector<RoleName>{RoleName("greet")});
    EXPECT_EQ(parse({"--role", "other"}, handlers).exit_code, kExitUsage);
}

TEST(WorkerOptions, VersionAndHelpEndWithZero) {
    EXPECT_EQ(parse({"--version"}).exit_code, 0);
    EXPECT_NE(parse({"--version"}).text.find("zq/1"), std::string::npos);
    EXPECT_EQ(parse({"--help"}).exit_code, 0);
}

}  // namespace
}  // namespace zq::worker
