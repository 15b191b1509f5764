// A full disk and a failing disk under the SQLite journal. Disks of tests/e2e/disk_faults.py fail
// at any call; here are the rules that those runs rest on.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

/// A small disk of its own, where the machine allows it.
class SmallDisk {
  public:
    explicit SmallDisk(const char* size) {
        const std::string options = std::string("size=") + size;
        mounted_ = ::mount("zq-test", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    }
    ~SmallDisk() {
        if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
    }
    bool is_there() const { return mounted_; }
    std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

    /// Leaves about this much room.
    void fill(std::uint64_t leave) const {
        const std::uint64_t room = free_bytes(folder_.path()).value();
        if (room <= leave) return;
        std::filesystem::resize_file(file("filler"), 0);
        ASSERT_TRUE(
            write_file(path("filler"), std::string(room - leave, 'x'), 0600, Durability::kNone)
                .has_value());
    }
    void empty() const { std::filesystem::remove(path("filler")); }

  private:
    std::string file(const std::string& name) const {
        static_cast<void>(write_file(path(name), "", 0600, Durability::kNone));
        return path(name);
    }

    TemporaryFolder folder_;
    bool mounted_ = false;
};

Batch large_batch(Story& story, int& number) {
    for (int i = 0; i < 4; ++i) {
        TaskSpec spec = Story::spec("t" + std::to_string(number++));
        spec.instructions = std::string(60'000, 'i');
        story.submit(spec);
    }
    return story.take_batch();
}

CommitResult append_one(Journal& journal, const Batch& batch) {
    journal.append(batch);
    auto results = await_results(journal, 1);
    return results.empty() ? CommitResult{} : results[0];
}

/// True once it does; false after 20 s.
bool awaits(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return condition();
}

/// Batches that are each about 250 KiB, until the disk is full and one of them waits; the last
/// event of those before it.
void fill_with_batches(SqliteJournal& journal, Story& story, int& number, Seq& committed) {
    for (int i = 0; i < 40; ++i) {
        journal.append(large_batch(story, number));
        std::vector<CommitResult> results;
        ASSERT_TRUE(awaits([&] {
            if (results.empty()) results = journal.results();
            return !results.empty() || journal.waits_for_room();
        }));
        if (results.empty()) return;
        ASSERT_EQ(results.front().status, CommitStatus::kCommitted) << results.front().message;
        committed = results.front().last_seq;
    }
    FAIL() << "the disk is never full";
}

TEST(SqliteJournal, AFullDiskCostsTheReserveThenTheBatchWaitsForRoomAndGoesOn) {
    SmallDisk disk("24m");
    if (!disk.is_there()) GTEST_SKIP() << "may not mount a small disk here";
    SqliteJournalOptions options;
    options.folder = disk.path("data");
    options.storage = {.reserve_bytes = 2 << 20, .low_water_bytes = 1 << 20};
    int number = 0;
    Digest live;
    {
        SqliteJournal journal(options);
        Story story(acquire(journal));
        story.start(story.state().durable.journal);
        commit(journal, story.take_batch());
        EXPECT_FALSE(journal.storage_low());
        disk.fill(128 << 10);
        // Each batch is about 250 KiB: the first that does not fit is committed on the reserve.
        const Batch first = large_batch(story, number);
        EXPECT_EQ(append_one(journal, first).status, CommitStatus::kCommitted);
        EXPECT_TRUE(journal.storage_low());
        EXPECT_FALSE(std::filesystem::exists(disk.path("data/reserve")));
        Seq committed = 0;
        fill_with_batches(journal, story, number, committed);
        EXPECT_TRUE(journal.results().empty()) << "nothing is said of it";
        journal.append(large_batch(story, number));  // behind it
        disk.empty();
        for (const CommitResult& result : await_results(journal, 2)) {
            EXPECT_EQ(result.status, CommitStatus::kCommitted) << result.message;
        }
        // The reserve comes back by itself, and the mark with it.
        EXPECT_TRUE(awaits([&] { return !journal.storage_low(); }));
        EXPECT_FALSE(journal.waits_for_room());
        EXPECT_TRUE(std::filesystem::exists(disk.path("data/reserve")));
        live = state_hash(story.state());
        EXPECT_TRUE(journal.close().has_value());
    }
    auto report = verify(options.folder, VerifyDepth::kContents);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(joined(report->problems), "");
    EXPECT_EQ(report->state, live);
}

TEST(SqliteJournal, ClosedOnAFullDiskItGivesUpWhatWaitedAndTheNextStartGoesOnWithoutIt) {
    SmallDisk disk("24m");
    if (!disk.is_there()) GTEST_SKIP() << "may not mount a small disk here";
    SqliteJournalOptions options;
    options.folder = disk.path("data");
    options.storage = {.reserve_bytes = 2 << 20, .low_water_bytes = 1 << 20};
    int number = 0;
    Seq committed = 0;
    {
        SqliteJournal journal(options);
        Story story(acquire(journal));
        story.start(story.state().durable.journal);
        commit(journal, story.take_batch());
        disk.fill(128 << 10);
        fill_with_batches(journal, story, number, committed);
        journal.append(large_batch(story, number));
        static_cast<void>(journal.close());  // how it ends depends on what the log still takes
        const auto results = journal.results();
        ASSERT_EQ(results.size(), 2U);
        for (const CommitResult& result : results) EXPECT_EQ(result.status, CommitStatus::kFull);
    }
    disk.empty();
    auto report = verify(options.folder, VerifyDepth::kContents);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(joined(report->problems), "");
    EXPECT_EQ(report->last_seq, committed);
}

/// In a child: a disk that fails in the middle of a commit. Exits with 0 if all went as it must.
[[noreturn]] void meet_a_failing_disk(const std::string& folder) {
    ::alarm(60);
    ::signal(SIGXFSZ, SIG_IGN);
    SqliteJournal journal(sqlite_options(folder));
    Story story(acquire(journal));
    story.start(story.state().durable.journal);
    int number = 0;
    if (append_one(journal, story.take_batch()).status != CommitStatus::kCommitted) ::_exit(1);
    const rlimit small{512 << 10, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &small) != 0) ::_exit(2);
    for (int i = 0; i < 10; ++i) {
        const CommitStatus status = append_one(journal, large_batch(story, number)).status;
        if (status == CommitStatus::kCommitted) continue;
        if (status != CommitStatus::kUnknown) ::_exit(3);
        // From now on nothing is promised, whatever the disk does.
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
        if (::setrlimit(RLIMIT_FSIZE, &none) != 0) ::_exit(4);
        if (append_one(journal, large_batch(story, number)).status != CommitStatus::kUnknown) {
            ::_exit(5);
        }
        if (journal.settle()) ::_exit(6);
        ::_exit(journal.close() ? 7 : 0);
    }
    ::_exit(8);
}

TEST(SqliteJournal, AFailingDiskPoisonsTheJournalUntilARestart) {
    TemporaryFolder folder;
    const pid_t child = ::fork();
    if (child == 0) meet_a_failing_disk(folder.path());
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    auto report = verify(folder.path(), VerifyDepth::kPresence);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(joined(report->problems), "");
    SqliteJournal journal(sqlite_options(folder.path()));
    EXPECT_EQ(state_hash(acquire(journal)), report->state);
}

}  // namespace
}  // namespace zq::store
