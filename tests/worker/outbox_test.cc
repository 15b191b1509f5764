// Reports on disk: what was put is there after a crash, whole.
#include "worker/outbox.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/worker/folder_rig.h"

namespace zq::worker {
namespace {

wire::Complete sample(std::uint64_t number) {
    wire::Complete body;
    body.report.task = TaskId("t-" + std::to_string(number));
    body.report.attempt = 1;
    body.report.lease = {7, number};
    body.report.summary = "done";
    body.report.artifacts.push_back(
        {{"result.md", Digest{{1}}, 3, "", ""}, Bytes{std::string("\n\0x", 3)}});
    return body;
}

TEST(Outbox, GivesBackEveryKindOfReportUntilItIsRemoved) {
    FolderRig folder;
    auto outbox = Outbox::open(folder.file("outbox"));
    ASSERT_TRUE(outbox.has_value());
    wire::Release release;
    release.report = sample(2).report;
    release.cause = ReleaseCause::kTryLater;
    ASSERT_TRUE(outbox->put({7, 1}, sample(1)));
    ASSERT_TRUE(outbox->put({7, 2}, release));
    auto stored = outbox->load();
    ASSERT_EQ(stored.size(), 2U);
    EXPECT_EQ(stored[0].report, wire::Body(sample(1)));
    EXPECT_EQ(stored[0].held.lease, (LeaseToken{7, 1}));
    EXPECT_EQ(stored[1].report, wire::Body(release));
    outbox->remove({7, 1});
    outbox->remove({7, 1});
    EXPECT_EQ(outbox->load().size(), 1U);
}

TEST(Outbox, AWriterThatIsKilledLeavesWholeReportsOnly) {
    FolderRig folder;
    ASSERT_TRUE(Outbox::open(folder.file("outbox")).has_value());
    const pid_t writer = ::fork();
    if (writer == 0) {
        auto outbox = Outbox::open(folder.file("outbox"));
        for (std::uint64_t n = 1;; ++n) (void)outbox->put({7, n}, sample(n));
    }
    ASSERT_TRUE(eventually([&] { return list_folder(folder.file("outbox"))->size() > 20; }));
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    auto stored = Outbox::open(folder.file("outbox"))->load();
    EXPECT_GE(stored.size(), 20U);
    for (const StoredReport& report : stored) {
        EXPECT_EQ(report.report, wire::Body(sample(report.held.lease.number)));
    }
    const auto names = list_folder(folder.file("outbox"));
    ASSERT_TRUE(names.has_value());
    for (const std::string& name : *names) EXPECT_FALSE(name.ends_with(".bad"));
}

TEST(Outbox, ADamagedFileIsKeptAsideAndTheOthersAreRead) {
    FolderRig folder;
    auto outbox = Outbox::open(folder.file("outbox"));
    ASSERT_TRUE(outbox->put({7, 1}, sample(1)));
    const std::string name = to_string(LeaseToken{7, 2});
    folder.write("outbox/" + name, "COMPLETE\ngarbage");
    EXPECT_EQ(outbox->load().size(), 1U);
    EXPECT_TRUE(std::filesystem::exists(folder.file("outbox/" + name + ".bad")));
    EXPECT_EQ(outbox->load().size(), 1U);
}

}  // namespace
}  // namespace zq::worker
