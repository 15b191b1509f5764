// The program zq-worker against a coordinator that is the test: what it says on the wire across a
// kill -9 of its own.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/platform/socket.h"
#include "tests/worker/folder_rig.h"
#include "worker/executor/process_table.h"
#include "worker/outbox.h"

namespace zq::worker {
namespace {

class Program : public ::testing::Test {
  protected:
    void SetUp() override {
        SocketOptions options;
        options.kind = SocketKind::kRouter;
        auto opened = Socket::open(context, options);
        ASSERT_TRUE(opened.has_value());
        router = std::make_unique<Socket>(std::move(*opened));
        ASSERT_TRUE(router->bind("tcp://127.0.0.1:*"));
    }
    void TearDown() override { stop(SIGKILL); }

    void start(const std::string& command) {
        const std::string program = std::string(ZQ_BIN_DIR) + "/zq-worker";
        const std::string state = folder.file("state");
        const std::string endpoint = router->last_endpoint();
        const std::string log = folder.file("worker.log");
        std::vector<std::string> words = {program,   "--connect", endpoint,  "--state", state,
                                          "--role",  "role",      "--grace", "1s",      "--",
                                          "/bin/sh", "-c",        command};
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                         0600);
        ASSERT_EQ(::posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
    }
    int stop(int signal) {
        if (pid == 0) return 0;
        ::kill(pid, signal);
        int status = 0;
        ::waitpid(pid, &status, 0);
        pid = 0;
        return status;
    }
    /// The next message of type T; others on the way are passed over.
    template <class T>
    std::optional<T> await() {
        std::optional<T> found;
        eventually([&] {
            while (auto received = router->receive()) {
                peer = received->frames.front();
                auto message = wire::decode({received->frames.begin() + 2, received->frames.end()});
                if (!message) continue;
                last_id = message->header.id;
                if (auto* body = std::get_if<T>(&message->body)) {
                    found = std::move(*body);
                    return true;
                }
            }
            return false;
        });
        return found;
    }
    void say(wire::Body body) {
        wire::Message message;
        message.header.id = last_id;
        message.header.epoch = 1;
        message.body = std::move(body);
        Frames frames = wire::encode(message);
        frames.insert(frames.begin(), {peer, ""});
        EXPECT_EQ(router->send(frames), SendStatus::kSent);
    }
    /// Through HELLO and READY to a first assignment.
    wire::Hello greet() {
        auto hello = await<wire::Hello>();
        EXPECT_TRUE(hello.has_value());
        wire::Welcome welcome;
        welcome.journal = "0000000000000007";
        welcome.lease = seconds(60);
        welcome.heartbeat = seconds(1);
        say(welcome);
        EXPECT_TRUE(await<wire::Ready>().has_value());
        return hello.value_or(wire::Hello{});
    }
    void assign() {
        wire::Assign body;
        body.lease = {7, 1};
        body.attempt = 1;
        body.term = seconds(60);
        body.answers = last_id;
        body.task.id = TaskId("t-a");
        body.task.role = RoleName("role");
        say(body);
    }
    pid_t pid_in(const std::string& name) {
        EXPECT_TRUE(eventually([&] { return folder.read(name).ends_with("\n"); }));
        return static_cast<pid_t>(std::atoi(folder.read(name).c_str()));
    }

    FolderRig folder;
    SocketContext context;
    std::unique_ptr<Socket> router;
    pid_t pid = 0;
    std::string peer;
    std::uint64_t last_id = 0;
};

TEST_F(Program, ACompletionSurvivesAKillOfTheWorkerAndIsSentByItsNextStart) {
    start("echo done");
    const wire::Hello first = greet();
    assign();
    auto complete = await<wire::Complete>();
    ASSERT_TRUE(complete.has_value());
    stop(SIGKILL);  // not acknowledged
    start("echo another");
    const wire::Hello second = greet();
    EXPECT_EQ(second.state_id, first.state_id);
    EXPECT_EQ(second.incarnation, first.incarnation + 1);
    EXPECT_TRUE(second.leases.empty());
    ASSERT_EQ(second.reports.size(), 1U);
    EXPECT_EQ(second.reports[0].lease, (LeaseToken{7, 1}));
    auto again = await<wire::Complete>();
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, *complete);
    say(wire::Accepted{TaskId("t-a"), TaskState::kCompleted, 1});
    EXPECT_TRUE(eventually([&] {
        return list_folder(folder.file("state/outbox"))->empty() &&
               list_folder(folder.file("state/attempts"))->empty();
    }));
    ::kill(pid, SIGTERM);
    ASSERT_TRUE(await<wire::Goodbye>().has_value());
    say(wire::Goodbye{});
    EXPECT_EQ(stop(0), 0);
}

TEST_F(Program, WhatAKilledWorkerLeftIsDeadBeforeItsNextStartSaysHello) {
    start("trap '' TERM; setsid sh -c 'echo $$ > " + folder.file("daemon") +
          "; exec sleep 600' & echo $$ > " + folder.file("main") + "; sleep 600");
    greet();
    assign();
    const pid_t main = pid_in("main");
    const pid_t daemon = pid_in("daemon");
    stop(SIGKILL);
    start("true");
    ASSERT_TRUE(await<wire::Hello>().has_value());
    for (pid_t old : {main, daemon}) {
        auto info = find_process(old);
        EXPECT_TRUE(!info || info->is_dead());
    }
}

TEST_F(Program, ARefusedReportLeavesItsFolderAsEvidenceOverAStart) {
    start("echo done");
    greet();
    assign();
    ASSERT_TRUE(await<wire::Complete>().has_value());
    wire::ErrorReply refusal;
    refusal.code = ErrorCode::STALE_LEASE;
    refusal.message = "somebody else has it";
    say(refusal);
    const std::string attempt = "state/attempts/t-a.1.0000000000000001";
    ASSERT_TRUE(
        eventually([&] { return folder.read(attempt + "/.refused").starts_with("STALE_LEASE"); }));
    EXPECT_TRUE(list_folder(folder.file("state/outbox"))->empty());
    stop(SIGKILL);
    start("true");
    EXPECT_TRUE(await<wire::Hello>()->reports.empty());
    EXPECT_EQ(folder.read(attempt + "/stdout.log"), "done\n");
}

}  // namespace
}  // namespace zq::worker
