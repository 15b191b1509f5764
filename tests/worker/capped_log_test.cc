// Logs of bounded size, and the count of memory kills.
#include "worker/executor/capped_log.h"

#include <random>

#include "tests/worker/folder_rig.h"
#include "worker/executor/log_pump.h"
#include "worker/executor/oom.h"

#include <unistd.h>

namespace zq::worker {
namespace {

std::string numbered(std::size_t bytes) {
    std::string text;
    for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + " ";
    text.resize(bytes);
    return text;
}

TEST(CappedLog, HoldsEverythingUpToItsCap) {
    FolderRig folder;
    const std::string text = numbered(1000);
    auto log = CappedLog::open(folder.file("log"), 1000);
    ASSERT_TRUE(log.has_value());
    log->write(text);
    log->finish();
    EXPECT_EQ(folder.read("log"), text);
    EXPECT_EQ(log->dropped(), 0U);
}

TEST(CappedLog, KeepsHeadAndTailAndCountsTheRestHoweverItIsCutUp) {
    std::mt19937 random(4);
    for (std::size_t bytes : {1001U, 1500U, 1501U, 5000U, 123'456U}) {
        FolderRig folder;
        const std::string text = numbered(bytes);
        auto log = CappedLog::open(folder.file("log"), 1000);
        ASSERT_TRUE(log.has_value());
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t part = random() % 1700;
            log->write(std::string_view(text).substr(at, part));
            at += part;
        }
        log->finish();
        EXPECT_EQ(log->dropped(), bytes - 1000);
        EXPECT_EQ(folder.read("log"), text.substr(0, 500) +
                                          "\n[zq: " + std::to_string(bytes - 1000) +
                                          " bytes were dropped here]\n" + text.substr(bytes - 500));
    }
}

TEST(CappedLog, LeavesNoOtherFileBehind) {
    FolderRig folder;
    auto log = CappedLog::open(folder.file("log"), 10);
    ASSERT_TRUE(log.has_value());
    log->write(numbered(100));
    EXPECT_EQ(list_folder(folder.path()).value(), (std::vector<std::string>{"log"}));
    log->finish();
    EXPECT_EQ(list_folder(folder.path()).value(), (std::vector<std::string>{"log"}));
}

TEST(LogPump, EndsWhenItIsToldThoughSomebodyKeepsTheOtherEndAndWritesOn) {
    FolderRig folder;
    auto started = LogPump::start({folder.file("out"), folder.file("err"), 1000, {}, nullptr});
    ASSERT_TRUE(started.has_value());
    ASSERT_EQ(::write(started->pipes.out.fd(), "said\n", 5), 5);
    ASSERT_TRUE(eventually([&] { return started->pump->bytes() == 5; }));
    started->pump->finish();
    EXPECT_TRUE(eventually([&] { return started->pump->finished(); }));
    EXPECT_EQ(folder.read("out"), "said\n");
}

TEST(LogPump, EndsByItselfWhenBothEndsAreClosed) {
    FolderRig folder;
    auto started = LogPump::start({folder.file("out"), folder.file("err"), 1000, {}, nullptr});
    ASSERT_TRUE(started.has_value());
    ASSERT_EQ(::write(started->pipes.err.fd(), "oh\n", 3), 3);
    started->pipes = {};
    EXPECT_TRUE(eventually([&] { return started->pump->finished(); }));
    EXPECT_EQ(folder.read("err"), "oh\n");
}

TEST(OomCount, GrowsWithTheGroupsOwnCountOfEitherVersion) {
    FolderRig folder;
    folder.write("memory.events", "low 0\noom 3\noom_kill 2\n");
    folder.write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    const OomCount two({folder.file("memory.events")});
    const OomCount one({folder.file("memory.oom_control")});
    const OomCount none({folder.file("missing")});
    EXPECT_FALSE(two.has_grown());
    folder.write("memory.events", "low 0\noom 9\noom_kill 2\n");
    EXPECT_FALSE(two.has_grown());  // nobody was killed
    folder.write("memory.events", "low 0\noom 9\noom_kill 3\n");
    folder.write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    EXPECT_TRUE(two.has_grown());
    EXPECT_TRUE(one.has_grown());
    EXPECT_FALSE(none.has_grown());
}

}  // namespace
}  // namespace zq::worker
