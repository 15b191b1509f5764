// Real commands: ended with grace, frozen, swept up. Each case runs with a control group, where
// this machine gives one, and with signals alone.
#include <signal.h>
#include <sys/prctl.h>

#include "common/platform/clock.h"
#include "tests/worker/folder_rig.h"
#include "worker/executor/child.h"
#include "worker/executor/handler_thread.h"
#include "worker/executor/process_table.h"

namespace zq::worker {
namespace {

bool is_alive(pid_t pid) {
    auto info = find_process(pid);
    return info && !info->is_dead();
}

class ChildOf : public ::testing::TestWithParam<Containment> {
  protected:
    void SetUp() override { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

    Result<std::unique_ptr<Child>> start(std::vector<std::string> command,
                                         Millis grace = seconds(5)) {
        ChildSpec spec;
        spec.command = std::move(command);
        spec.environment = {"PATH=/usr/bin:/bin"};
        spec.folder = folder.path();
        spec.stdin_file = "/dev/null";
        spec.stdout_file = folder.file("stdout.log");
        spec.stderr_file = folder.file("stderr.log");
        spec.mark = make_mark(GetParam());
        spec.mark_file = folder.file(".mark");
        spec.grace = grace;
        return Child::start(std::move(spec), boottime());
    }
    std::unique_ptr<Child> shell(const std::string& text, Millis grace = seconds(5)) {
        auto child = start({"/bin/sh", "-c", text}, grace);
        EXPECT_TRUE(child.has_value());
        return std::move(*child);
    }
    static AttemptEnd finish(Child& child) {
        std::optional<AttemptEnd> end;
        EXPECT_TRUE(eventually([&] { return (end = child.step(boottime())).has_value(); }));
        return end.value_or(AttemptEnd{});
    }
    pid_t pid_in(const std::string& name) {
        EXPECT_TRUE(eventually([&] { return folder.read(name).ends_with("\n"); }));
        return static_cast<pid_t>(std::atoi(folder.read(name).c_str()));
    }
    FolderRig folder;
};

INSTANTIATE_TEST_SUITE_P(Both, ChildOf,
                         ::testing::Values(Containment::kBest, Containment::kSignalsOnly),
                         [](const auto& param) {
                             return param.param == Containment::kBest ? "Best" : "SignalsOnly";
                         });

TEST_P(ChildOf, GivesExitCodeAndWhatItWrote) {
    auto child = shell("echo out; echo err >&2; exit 3");
    const AttemptEnd end = finish(*child);
    EXPECT_EQ(end.exit_code, 3);
    EXPECT_EQ(end.signal, 0);
    EXPECT_EQ(folder.read("stdout.log"), "out\n");
    EXPECT_EQ(folder.read("stderr.log"), "err\n");
}

TEST_P(ChildOf, ADaemonWithoutGroupParentAndEnvironmentIsSweptUpAllTheSame) {
    // The main process stays until the daemon has been its visible descendant for a while.
    auto child = shell(
        "(/usr/bin/setsid /usr/bin/env -i /bin/sh -c 'echo $$ > hidden; exec /bin/sleep 600' &) ;"
        "while [ ! -e go ]; do :; done");
    const pid_t hidden = pid_in("hidden");
    if (GetParam() == Containment::kSignalsOnly) {
        EXPECT_TRUE(eventually([&] {
            EXPECT_FALSE(child->step(boottime()).has_value());
            return child->mark().known.contains(child->mark().main);
        }));
    }
    EXPECT_TRUE(is_alive(hidden));
    ASSERT_TRUE(write_file(folder.file("go"), "", 0600, Durability::kNone).has_value());
    finish(*child);
    if (is_alive(hidden)) kill_strays();  // as Attempts does when its last execution has ended
    EXPECT_TRUE(eventually([&] { return !is_alive(hidden); }));
}

TEST_P(ChildOf, ACommandThatDoesNotExistIsAnErrorOrExit127) {
    auto child = start({"/no/such/command"});
    if (!child) return;  // without a control group it is known at once
    EXPECT_EQ(finish(**child).exit_code, 127);
}

TEST_P(ChildOf, ASignalOfOthersIsNamed) {
    auto child = shell("kill -SEGV $$");
    const AttemptEnd end = finish(*child);
    EXPECT_EQ(end.signal, SIGSEGV);
    EXPECT_FALSE(end.exit_code.has_value());
    EXPECT_EQ(end.stop, StopCause::kNone);
}

TEST_P(ChildOf, OneThatIgnoresSigtermIsKilledAfterTheGrace) {
    auto child =
        shell("trap '' TERM; echo ready > ready; while :; do sleep 0.05; done", millis(200));
    ASSERT_TRUE(eventually([&] { return folder.read("ready") == "ready\n"; }));
    const Millis asked = boottime();
    child->stop(StopCause::kCancelled, asked);
    const AttemptEnd end = finish(*child);
    EXPECT_EQ(end.signal, SIGKILL);
    EXPECT_EQ(end.stop, StopCause::kCancelled);
    EXPECT_GE(boottime(), asked + millis(200));
}

TEST_P(ChildOf, OneThatHeedsSigtermMayCleanUp) {
    auto child = shell(
        "trap 'echo bye > bye; exit 0' TERM; echo ready > ready; while :; do sleep 0.05; done");
    ASSERT_TRUE(eventually([&] { return folder.read("ready") == "ready\n"; }));
    child->stop(StopCause::kDrained, boottime());
    const AttemptEnd end = finish(*child);
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_EQ(end.stop, StopCause::kDrained);
    EXPECT_EQ(folder.read("bye"), "bye\n");
}

TEST_P(ChildOf, ADaemonThatLeftItsGroupDiesWithTheAttempt) {
    auto child = shell(
        "setsid sh -c 'echo $$ > daemon; sleep 600' & while [ ! -s daemon ]; do sleep 0.01; done");
    const AttemptEnd end = finish(*child);
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_FALSE(is_alive(pid_in("daemon")));
}

TEST_P(ChildOf, FreezingStopsEveryDescendantAndThawingLetsThemGoOn) {
    // Two counters: one in the group, one in a session of its own.
    auto child = shell(
        "count() { i=0; while :; do i=$((i+1)); echo $i > $1; sleep 0.01; done; };"
        "setsid sh -c 'i=0; while :; do i=$((i+1)); echo $i > far; sleep 0.01; done' & count near");
    ASSERT_TRUE(
        eventually([&] { return !folder.read("near").empty() && !folder.read("far").empty(); }));
    child->freeze();
    const std::string near = folder.read("near");
    const std::string far = folder.read("far");
    // Something has to be waited for to see that nothing happens.
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    EXPECT_EQ(folder.read("near"), near);
    EXPECT_EQ(folder.read("far"), far);
    EXPECT_FALSE(child->step(boottime()).has_value());
    child->thaw();
    EXPECT_TRUE(
        eventually([&] { return folder.read("near") != near && folder.read("far") != far; }));
    child->kill();
    EXPECT_EQ(finish(*child).signal, SIGKILL);
}

TEST_P(ChildOf, AFrozenOneIsKilledWhenItIsToStop) {
    auto child = shell(
        "trap 'echo ran > ran; exit 0' TERM; echo ready > ready; while :; do sleep 0.02; done");
    ASSERT_TRUE(eventually([&] { return folder.read("ready") == "ready\n"; }));
    child->freeze();
    child->stop(StopCause::kDrained, boottime());
    EXPECT_EQ(finish(*child).signal, SIGKILL);
    EXPECT_EQ(folder.read("ran"), "");
}

TEST_P(ChildOf, TwoAtOnceDoNotTouchEachOther) {
    auto one = shell("exit 1");
    auto two = shell("echo $$ > two; exec sleep 600");
    const pid_t pid = pid_in("two");
    EXPECT_EQ(finish(*one).exit_code, 1);
    EXPECT_TRUE(is_alive(pid));
    EXPECT_FALSE(two->step(boottime()).has_value());
    two->kill();
    EXPECT_EQ(finish(*two).signal, SIGKILL);
}

TEST_P(ChildOf, TheSweepOfOneLeavesTheExitCodeOfAnotherToItsOwn) {
    auto first = shell("exit 7");
    const pid_t pid = first->mark().main;
    EXPECT_TRUE(eventually([&] {
        auto info = find_process(pid);
        return info && info->is_dead();
    }));
    auto second = shell("(/bin/sleep 0.01 &) ; exit 3");
    EXPECT_EQ(finish(*second).exit_code, 3);
    EXPECT_EQ(finish(*first).exit_code, 7);
}

TEST(ChildControlGroup, HoldsADaemonThatHidBehindAnEmptyEnvironment) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    FolderRig folder;
    ChildSpec spec;
    spec.command = {"/bin/sh", "-c",
                    "env -i setsid sh -c 'sh -c \"echo \\$\\$ > daemon; exec sleep 600\" & exit' ; "
                    "while [ ! -s daemon ]; do sleep 0.01; done"};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.folder = folder.path();
    spec.stdin_file = "/dev/null";
    spec.stdout_file = folder.file("stdout.log");
    spec.stderr_file = folder.file("stderr.log");
    spec.mark = make_mark(Containment::kBest);
    spec.mark_file = folder.file(".mark");
    if (spec.mark.cgroup.empty()) GTEST_SKIP() << "no control group v2 may be made here";
    const std::string group = spec.mark.cgroup;
    auto child = Child::start(std::move(spec), boottime());
    ASSERT_TRUE(child.has_value());
    std::optional<AttemptEnd> end;
    ASSERT_TRUE(eventually([&] { return (end = (*child)->step(boottime())).has_value(); }));
    EXPECT_EQ(end->exit_code, 0);
    const pid_t daemon = static_cast<pid_t>(std::atoi(folder.read("daemon").c_str()));
    ASSERT_GT(daemon, 0);
    EXPECT_FALSE(is_alive(daemon));
    EXPECT_FALSE(std::filesystem::exists(group));
}

TEST(Handler, ItsThrowIsAFailureAndItsStopIsSeen) {
    const TaskSpec spec;
    HandlerThread thrower(
        [](const HandlerTask&) -> HandlerResult { throw std::runtime_error("no"); }, spec, 1,
        "/tmp", boottime());
    std::optional<AttemptEnd> end;
    ASSERT_TRUE(eventually([&] { return (end = thrower.step(boottime())).has_value(); }));
    EXPECT_EQ(end->handled->outcome, HandlerOutcome::kFailed);
    EXPECT_EQ(end->handled->reason, "no");

    HandlerThread waiter(
        [](const HandlerTask& task) {
            while (!task.stopped()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return HandlerResult{};
        },
        spec, 1, "/tmp", boottime());
    EXPECT_FALSE(waiter.step(boottime()).has_value());
    waiter.stop(StopCause::kCancelled, boottime());
    ASSERT_TRUE(eventually([&] { return (end = waiter.step(boottime())).has_value(); }));
    EXPECT_EQ(end->stop, StopCause::kCancelled);
}

}  // namespace
}  // namespace zq::worker
