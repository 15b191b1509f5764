// The check-list of the worker contract, on commands that keep it and on commands that do not.
#include "worker/self_test/self_test.h"

#include <sys/prctl.h>

#include <map>

#include "tests/worker/folder_rig.h"

namespace zq::worker {
namespace {

class Checklist : public ::testing::Test {
  protected:
    Checklist() {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        options.environment = {"PATH=/usr/bin:/bin"};
        options.roles = {RoleName("zq-test")};
        options.shell = true;
        options.grace = millis(500);
    }
    std::map<std::string, Point> check(const std::string& command) {
        options.command = {command};
        std::map<std::string, Point> points;
        std::size_t told = 0;
        for (const Point& point :
             check_contract(options, folder.path(), [&](const Point&) { ++told; })) {
            points[point.name] = point;
        }
        EXPECT_EQ(told, points.size());
        return points;
    }
    FolderRig folder;
    WorkerOptions options;
};

TEST_F(Checklist, ACommandThatPlaysEveryPartKeepsEveryPoint) {
    const auto points = check(
        "trap 'exit 0' TERM; case $ZQ_TEST in try-later) echo retry_after=90 > $ZQ_OUTPUT; exit "
        "75;;"
        "cancel|stall) echo up; while :; do sleep 0.05; done;;"
        "huge-output) head -c 100000 /dev/zero;; esac;"
        "grep -q 'came with the task' context/context.md && echo fine > $ZQ_RESULT");
    for (const auto& [name, point] : points) {
        EXPECT_EQ(point.verdict, Verdict::kKept) << name << ": " << point.what;
    }
    EXPECT_EQ(points.size(), 8U);
    EXPECT_NE(points.at("temporary failure").what.find("90s"), std::string::npos);
    EXPECT_NE(points.at("huge output").what.find("98976 dropped"), std::string::npos);
}

TEST_F(Checklist, WhatACommandDoesNotShowIsNotCountedAsKept) {
    const auto points = check("echo hello");
    EXPECT_EQ(points.at("success").verdict, Verdict::kKept);
    EXPECT_EQ(points.at("result").verdict, Verdict::kKept);
    for (const char* name : {"temporary failure", "cancel", "stall", "huge output"}) {
        EXPECT_EQ(points.at(name).verdict, Verdict::kNotShown) << points.at(name).what;
    }
}

TEST_F(Checklist, ACommandThatFailsAndOneThatIgnoresACancelAreFound) {
    EXPECT_EQ(check("exit 3").at("success").verdict, Verdict::kBroken);
    const auto points = check(
        "trap '' TERM; [ $ZQ_TEST = cancel ] || exit 0; echo up; while :; do sleep 0.05; done");
    EXPECT_EQ(points.at("cancel").verdict, Verdict::kBroken);
    EXPECT_EQ(points.at("result").verdict, Verdict::kNotShown);
}

TEST_F(Checklist, AnAdapterThatReadsNothingAndLongSilenceAreFound) {
    options.agent = AgentKind::kClaude;
    options.stall_timeout = millis(1200);
    const auto points = check("echo plain text; sleep 0.8; echo more");
    EXPECT_EQ(points.at("adapter").verdict, Verdict::kBroken);
    EXPECT_EQ(points.at("signs of life").verdict, Verdict::kBroken);
}

TEST_F(Checklist, VariablesThatAreDroppedAreNamed) {
    ::setenv("ZQ_SELF_TEST_SECRET", "x", 1);
    const std::string what = check("true").at("environment").what;
    ::unsetenv("ZQ_SELF_TEST_SECRET");
    EXPECT_NE(what.find(" ZQ_SELF_TEST_SECRET"), std::string::npos);
    EXPECT_EQ(what.find("dropped: PATH"), std::string::npos);
}

}  // namespace
}  // namespace zq::worker
