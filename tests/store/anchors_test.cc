// Anchors: written at the end of a run and now and then during one, of the state that was.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "coordinator/store/anchors.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

std::vector<Anchor> anchors_in(const std::string& folder) {
    auto database = Database::open(journal_path(folder), OpenMode::kExisting).value();
    return read_anchors(database).value();
}

TEST(Anchors, ARunThatIsClosedEndsWithOneOfItsLiveState) {
    TemporaryFolder folder;
    SqliteJournal journal(sqlite_options(folder.path()));
    Story story(acquire(journal));
    commit_all(journal, tell_everything(story, 7, "a-"));
    ASSERT_TRUE(journal.close().has_value());
    const std::vector<Anchor> anchors = anchors_in(folder.path());
    ASSERT_EQ(anchors.size(), 1U);
    EXPECT_EQ(anchors[0].seq, story.last_seq());
    EXPECT_EQ(anchors[0].at, story.state().durable.last_at);
    EXPECT_EQ(anchors[0].state, state_hash(story.state()));
}

TEST(Anchors, ARunWithoutEventsAddsNone) {
    TemporaryFolder folder;
    for (int run = 0; run < 2; ++run) {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        if (run == 0) commit_all(journal, tell_everything(story, 7, "a-"));
        ASSERT_TRUE(journal.close().has_value());
    }
    EXPECT_EQ(anchors_in(folder.path()).size(), 1U);
}

TEST(Anchors, AreTakenNowAndThenWhileBatchesAreCommitted) {
    TemporaryFolder folder;
    SqliteJournalOptions options = sqlite_options(folder.path());
    options.anchor_every = 20;
    {
        SqliteJournal journal(options);
        Story story(acquire(journal));
        story.start(7);
        commit(journal, story.take_batch());
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        auto reader = Database::open(journal_path(folder.path()), OpenMode::kReadOnly).value();
        int batches = 0;
        while (read_anchors(reader).value().size() < 3) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            story.submit("task-" + std::to_string(++batches));
            commit(journal, story.take_batch());
        }
        EXPECT_GE(batches, 60);
    }
    auto report = verify(folder.path(), VerifyDepth::kPresence);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->problems, std::vector<std::string>{});
    EXPECT_GE(report->anchors, 4U);
}

TEST(Anchors, AKilledRunLeavesTheOnesItHad) {
    TemporaryFolder folder;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        commit_all(journal, tell_everything(story, 7, "a-"));
        ASSERT_TRUE(journal.close().has_value());
    }
    TemporaryFolder killed;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        commit_all(journal, tell_everything(story, 7, "b-"));
        // What a kill leaves is what the files are while the journal is open.
        for (const char* name :
             {"/journal.db", "/journal.db-wal", "/commit-log.0", "/commit-log.1"}) {
            std::filesystem::copy_file(folder.path() + name, killed.path() + name);
        }
        ASSERT_TRUE(journal.close().has_value());
    }
    auto report = verify(killed.path(), VerifyDepth::kPresence);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->problems, std::vector<std::string>{});
    EXPECT_EQ(report->anchors, 1U);
    EXPECT_GT(report->last_seq, anchors_in(killed.path()).at(0).seq);
}

}  // namespace
}  // namespace zq::store
