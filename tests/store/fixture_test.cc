// Journals of every released format are opened, migrated, verified and gone on with.
#include <gtest/gtest.h>

#include <filesystem>

#include "coordinator/core/invariants.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

TEST(JournalFixture, Version1IsRestoredVerifiedAndGoneOnWith) {
    TemporaryFolder folder;
    std::filesystem::copy_file(ZQ_SOURCE_DIR "/tests/fixtures/journal-v1.db",
                               folder.path() + "/journal.db");
    std::filesystem::permissions(folder.path() + "/journal.db", std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        core::State state;
        auto recovery = journal.acquire(state);
        ASSERT_TRUE(recovery.has_value()) << recovery.error().message;
        EXPECT_EQ(recovery->journal, 0x5a5a000000000001U);
        EXPECT_EQ(recovery->epoch, 1U);
        EXPECT_EQ(recovery->open_tasks, 6U);
        EXPECT_EQ(to_hex(recovery->chain_head),
                  "8d4b2a77d37563839f8b142f1ac6360fd78d51a9dcf515eb32432fd75214fd80");
        EXPECT_EQ(to_hex(state_hash(state)),
                  "2345aab0113ad2027e31d469051cda0fdffb4a9f00b7a16a6b95d31725de920b");
        EXPECT_TRUE(core::broken_invariants(state).empty());
        EXPECT_EQ(state.durable.open.at(Story::key("v1-failing")).worker.text, "host-review-2");
        auto reader = std::move(journal.open_reader().value());
        auto done = reader->task(Story::key("v1-done")).value();
        ASSERT_TRUE(done.has_value());
        EXPECT_EQ(done->summary, "3 findings");
        EXPECT_EQ(reader->spec(done->submitted_seq).value()->instructions,
                  "Review the façade of v1-done");
        EXPECT_EQ(reader->attempt(done->key, 1).value()->output.at("verdict"), "needs work");
        Story story(std::move(state));
        commit_all(journal, tell_everything(story, recovery->journal, "again-"));
        ASSERT_TRUE(journal.close().has_value());
    }
    auto report = verify(folder.path(), VerifyDepth::kContents);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->problems, std::vector<std::string>{});
}

}  // namespace
}  // namespace zq::store
