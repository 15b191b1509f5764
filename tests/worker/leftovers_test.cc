// A worker that is killed with -9 leaves children behind; the next start finds exactly those.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/platform/clock.h"
#include "tests/worker/folder_rig.h"
#include "worker/executor/child.h"
#include "worker/executor/process_table.h"
#include "worker/state_folder.h"

namespace zq::worker {
namespace {

bool is_alive(pid_t pid) {
    auto info = find_process(pid);
    return info && !info->is_dead();
}

class Leftovers : public ::testing::TestWithParam<Containment> {
  protected:
    pid_t pid_in(const std::string& name) {
        EXPECT_TRUE(eventually([&] { return folder.read(name).ends_with("\n"); }));
        return static_cast<pid_t>(std::atoi(folder.read(name).c_str()));
    }
    FolderRig folder;
};

INSTANTIATE_TEST_SUITE_P(Both, Leftovers,
                         ::testing::Values(Containment::kBest, Containment::kSignalsOnly),
                         [](const auto& param) {
                             return param.param == Containment::kBest ? "Best" : "SignalsOnly";
                         });

/// A process that starts a command as a worker does, and is then killed.
void run_doomed_worker(const std::string& attempt, const std::string& folder, Containment contain) {
    ChildSpec spec;
    spec.command = {"/bin/sh", "-c",
                    "setsid sh -c 'echo $$ > daemon; exec sleep 600' & echo $$ > main; wait"};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.folder = folder;
    spec.stdin_file = "/dev/null";
    spec.stdout_file = folder + "/stdout.log";
    spec.stderr_file = folder + "/stderr.log";
    spec.mark = make_mark(contain);
    spec.mark_file = Workspace{attempt}.mark_file();
    auto child = Child::start(std::move(spec), boottime());
    if (child) (void)child->release();  // its destructor would clean up: a killed worker does not
    ::pause();
}

TEST_P(Leftovers, OfAKilledWorkerAreDeadBeforeTheNextStartGoesOnAndOthersLive) {
    auto state = open_state_folder(folder.file("state"), "w", "role");
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->incarnation, 1U);
    const std::string attempt = state->attempts() + "/t-a.1.0000000000000001";
    ASSERT_TRUE(make_folders(attempt, 0700));
    const pid_t bystander = ::fork();
    if (bystander == 0) {
        ::execl("/bin/sleep", "sleep", "600", nullptr);
        ::_exit(1);
    }
    const pid_t doomed = ::fork();
    if (doomed == 0) {
        run_doomed_worker(attempt, folder.path(), GetParam());
        ::_exit(0);
    }
    const pid_t main = pid_in("main");
    const pid_t daemon = pid_in("daemon");
    ASSERT_TRUE(eventually([&] {
        return read_file(Workspace{attempt}.mark_file())->find("main=0") == std::string::npos;
    }));
    std::filesystem::remove_all(attempt);  // a command may empty the folder it is given
    ASSERT_TRUE(make_folders(attempt, 0700));
    ::kill(doomed, SIGKILL);
    ::waitpid(doomed, nullptr, 0);
    EXPECT_TRUE(is_alive(main));
    EXPECT_TRUE(is_alive(daemon));

    state->lock = FileHandle();
    auto next = open_state_folder(folder.file("state"), "w", "role");
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(next->incarnation, 2U);
    EXPECT_EQ(next->state_id, state->state_id);
    auto killed = clear_leftovers(*next, {}, Keep::kUntilSettled);
    ASSERT_TRUE(killed.has_value());
    EXPECT_EQ(*killed, 1U);
    EXPECT_FALSE(is_alive(main));
    EXPECT_FALSE(is_alive(daemon));
    EXPECT_TRUE(is_alive(bystander));
    EXPECT_FALSE(std::filesystem::exists(attempt));
    ::kill(bystander, SIGKILL);
    ::waitpid(bystander, nullptr, 0);
}

TEST(Leftovers, AMarkThatNamesNoProcessIsNone) {
    const std::string tag(32, 'a');
    EXPECT_TRUE(parse_family_mark("tag=" + tag + "\nmain=12\n").has_value());
    EXPECT_FALSE(parse_family_mark("tag=" + tag + "\nmain=-12\n").has_value());
    EXPECT_FALSE(parse_family_mark("tag=short\nmain=12\n").has_value());
}

TEST(LeftoverMark, WithAPidThatIsSomebodyElsesNowKillsNobody) {
    const pid_t other = ::fork();
    if (other == 0) {
        ::setpgid(0, 0);
        ::execl("/bin/sleep", "sleep", "600", nullptr);
        ::_exit(1);
    }
    FamilyMark mark = make_mark(Containment::kSignalsOnly);
    mark.main = other;
    mark.start = find_process(other)->start - 1;
    EXPECT_TRUE(kill_leftovers(mark, seconds(1)));
    EXPECT_TRUE(is_alive(other));
    mark.boot = "another start of the machine";
    mark.start += 1;
    EXPECT_TRUE(kill_leftovers(mark, seconds(1)));
    EXPECT_TRUE(is_alive(other));
    ::kill(other, SIGKILL);
    ::waitpid(other, nullptr, 0);
}

TEST(StateFolder, IsHeldByOneProcessAndTheNextDefaultNameIsTaken) {
    FolderRig folder;
    ::setenv("XDG_STATE_HOME", folder.path().c_str(), 1);
    auto one = open_state_folder("", "", "review");
    auto two = open_state_folder("", "", "review");
    ASSERT_TRUE(one.has_value());
    ASSERT_TRUE(two.has_value());
    EXPECT_TRUE(one->name.text.ends_with("-review-1"));
    EXPECT_TRUE(two->name.text.ends_with("-review-2"));
    EXPECT_TRUE(is_valid_name(one->name.text));
    EXPECT_NE(one->state_id, two->state_id);
    auto taken = open_state_folder(one->path, "", "review");
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().code, ErrorCode::CONFLICT);
    ::unsetenv("XDG_STATE_HOME");
}

}  // namespace
}  // namespace zq::worker
