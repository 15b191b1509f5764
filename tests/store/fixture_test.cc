// Journals of every released format are opened, migrated, verified and gone on with. A new format
// adds its file to tests/fixtures and its row to kFixtures; a file without a row fails.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "coordinator/core/invariants.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

struct Fixture {
    int format;
    const char* chain_head;
    const char* state;
    std::uint64_t open_tasks;
};

const std::vector<Fixture> kFixtures = {
    {1, "8d4b2a77d37563839f8b142f1ac6360fd78d51a9dcf515eb32432fd75214fd80",
     "2345aab0113ad2027e31d469051cda0fdffb4a9f00b7a16a6b95d31725de920b", 6},
    {2, "a2e58c04d57a05287ab560281fb3b5a27ebbfdd5a82bc9413baaa5e1793bffc9",
     "648566a2da839f462266f26f5671695a9d272f94fa37a45c7f9f337de738af80", 6},
    {3, "1b10e84e6a34c9f655086e922d876a57e52f8b9b92f45d71e600f5f2ef31250d",
     "2b014f5c451d1bf02c8773a83711f71b383759b98a83b6bd3333747a64b5b010", 10},
    {4, "6273863c5beb7ca7f8f95c60182d7b339c62e6f82127fc9886d48a9ca9c9ae1f",
     "e5522675611d9cce689afcff13cbc7566a4b0178d1b1526260db7d3fe6113cb0", 13},
    {5, "2939118b475559ce97c6ccc5e72937990b34f1605d2bf9522dbae3131cf91a4e",
     "14450e35a066d09c26a34b9b2290e8524db3e427496a16c4e86a96ec3c29cbce", 15},
    {6, "970695510bc347a4fc4216c93fbe196cc69aade4d5752c451cb1313afe92c464",
     "224327021a849b6990ea2c7bd09c011c0860ad21cd13a8c8c550ee670eb17ac1", 16},
    {7, "ae48d8f387f14ef4f092f842b7659a762b9503472dc2f51b48ba04559aa53474",
     "e9bff26239ba08e4df184084093b1f68c2ddfd15cddf2bc4ff8316a107d483d1", 20},
    {8, "0139ebf039c922ffabe619276ad993173d000476dbf1717d6da53b50742a9bce",
     "8f94f651bda2568b546a2e786cf035bf30274ed10ae9101724361bcf50d63b50", 20},
};

std::string name_of(int format) {
    return "journal-v" + std::to_string(format) + ".db";
}

/// A copy that may be written to.
void lay(const std::string& name, const std::string& folder) {
    const fs::path to = folder + "/journal.db";
    fs::copy_file(fs::path(ZQ_SOURCE_DIR "/tests/fixtures") / name, to);
    fs::permissions(to, fs::perms::owner_write, fs::perm_options::add);
}

std::vector<std::string> problems_in(const std::string& folder) {
    auto report = verify(folder, VerifyDepth::kContents);
    if (!report) return {report.error().message};
    return report->problems;
}

TEST(JournalFixture, EveryFormatFromTheOldestOnHasOne) {
    ASSERT_EQ(kFixtures.size(), static_cast<std::size_t>(kFormatVersion - kOldestFormat + 1));
    for (const auto& entry : fs::directory_iterator(ZQ_SOURCE_DIR "/tests/fixtures")) {
        const std::string name = entry.path().filename();
        if (entry.path().extension() != ".db") continue;
        const bool known =
            std::any_of(kFixtures.begin(), kFixtures.end(),
                        [&](const Fixture& fixture) { return name == name_of(fixture.format); });
        EXPECT_TRUE(known) << name << " is opened by no test";
    }
}

TEST(JournalFixture, EachIsCleanAsItWasWritten) {
    for (const Fixture& fixture : kFixtures) {
        TemporaryFolder folder;
        lay(name_of(fixture.format), folder.path());
        auto report = verify(folder.path(), VerifyDepth::kContents);
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_EQ(report->format, fixture.format);
        EXPECT_EQ(report->problems, std::vector<std::string>{});
        EXPECT_EQ(to_hex(report->head), fixture.chain_head);
        EXPECT_EQ(to_hex(report->state), fixture.state);
    }
}

TEST(JournalFixture, EachIsRestoredMigratedAndGoneOnWith) {
    for (const Fixture& fixture : kFixtures) {
        const std::string prefix = "v" + std::to_string(fixture.format) + "-";
        TemporaryFolder folder;
        lay(name_of(fixture.format), folder.path());
        {
            SqliteJournal journal(sqlite_options(folder.path()));
            core::State state;
            auto recovery = journal.acquire(state);
            ASSERT_TRUE(recovery.has_value()) << recovery.error().message;
            EXPECT_EQ(recovery->journal, 0x5a5a000000000001U);
            EXPECT_EQ(recovery->epoch, 1U);
            EXPECT_EQ(recovery->open_tasks, fixture.open_tasks);
            EXPECT_EQ(to_hex(recovery->chain_head), fixture.chain_head);
            EXPECT_EQ(to_hex(state_hash(state)), fixture.state);
            EXPECT_TRUE(core::broken_invariants(state).empty());
            EXPECT_EQ(state.durable.open.at(Story::key(prefix + "failing")).worker.text,
                      "host-review-2");
            auto reader = std::move(journal.open_reader().value());
            auto done = reader->task(Story::key(prefix + "done")).value();
            ASSERT_TRUE(done.has_value());
            EXPECT_EQ(done->summary, "3 findings");
            EXPECT_EQ(reader->spec(done->submitted_seq).value()->instructions,
                      "Review the façade of " + prefix + "done");
            EXPECT_EQ(reader->attempt(done->key, 1).value()->output.at("verdict"), "needs work");
            Story story(std::move(state));
            commit_all(journal, tell_everything(story, recovery->journal, "again-"));
            ASSERT_TRUE(journal.close().has_value());
        }
        EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    }
}

/// What a killed process had made durable and not brought into its tables.
TEST(JournalFixture, ACommitLogOfTheFirstFormatIsBroughtOver) {
    TemporaryFolder folder;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        acquire(journal);
        ASSERT_TRUE(journal.close().has_value());
    }
    fs::copy_file(ZQ_SOURCE_DIR "/tests/fixtures/commit-log-v1.0", folder.path() + "/commit-log.0");
    fs::permissions(folder.path() + "/commit-log.0", fs::perms::owner_write, fs::perm_options::add);
    const Fixture& as_closed = *std::find_if(kFixtures.begin(), kFixtures.end(),
                                             [](const Fixture& f) { return f.format == 8; });
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        core::State state;
        auto recovery = journal.acquire(state);
        ASSERT_TRUE(recovery.has_value()) << recovery.error().message;
        EXPECT_EQ(recovery->journal, 0x5a5a000000000001U);
        EXPECT_EQ(recovery->epoch, 1U);
        EXPECT_EQ(recovery->open_tasks, as_closed.open_tasks);
        EXPECT_EQ(to_hex(recovery->chain_head), as_closed.chain_head);
        EXPECT_EQ(to_hex(state_hash(state)), as_closed.state);
        EXPECT_TRUE(core::broken_invariants(state).empty());
        EXPECT_EQ(fs::file_size(folder.path() + "/commit-log.0"), 0U);
        ASSERT_TRUE(journal.close().has_value());
    }
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
}

/// Writes another number where SQLite keeps user_version (fileformat2, section 1.3).
void set_version(const std::string& folder, char version) {
    std::fstream file(folder + "/journal.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(63);
    file.put(version);
}

TEST(JournalFixture, AFormatThatIsNewerOrOlderThanKnownIsRefusedWithWhatToDo) {
    const std::vector<std::pair<char, std::string>> versions = {
        {kFormatVersion + 1, "use the newer program that wrote it"},
        {kOldestFormat - 1, "start a release between the two on it first"}};
    for (const auto& [version, advice] : versions) {
        TemporaryFolder folder;
        lay(name_of(kFormatVersion), folder.path());
        set_version(folder.path(), version);
        SqliteJournal journal(sqlite_options(folder.path()));
        core::State state;
        auto recovery = journal.acquire(state);
        ASSERT_FALSE(recovery.has_value());
        EXPECT_EQ(recovery.error().code, ErrorCode::UNSUPPORTED_VERSION);
        EXPECT_NE(recovery.error().message.find(advice), std::string::npos);
        auto report = verify(folder.path(), VerifyDepth::kPresence);
        ASSERT_FALSE(report.has_value());
    }
}

}  // namespace
}  // namespace zq::store
