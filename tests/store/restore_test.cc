// The state of the past, at every place of a journal: as a folder that verifies and is gone on
// with.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/platform/digest.h"
#include "coordinator/store/fold.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/restore.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/verify.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> problems_in(const std::string& folder) {
    auto report = verify(folder, VerifyDepth::kContents);
    if (!report) return {report.error().message};
    return report->problems;
}

/// A journal with one of everything, an artifact on disk included.
class Restore : public testing::Test {
  protected:
    void SetUp() override {
        SqliteJournal journal(sqlite_options(source.path()));
        Story story(acquire(journal));
        id = story.state().durable.journal;
        auto artifacts =
            FolderArtifactStore::open({.folder = source.path() + "/artifacts"}).value();
        ASSERT_TRUE(artifacts->begin(sha256(kData), kData.size()).has_value());
        ASSERT_TRUE(artifacts->append(sha256(kData), 0, kData).has_value());
        commit_all(journal, tell_everything(story, id, "a-"));
        story.store_file(sha256(kData), kData.size());
        commit(journal, story.take_batch());
        last = story.last_seq();
        ASSERT_TRUE(journal.close().has_value());
    }

    Result<RestoreReport> restore_to(std::optional<Seq> upto, const std::string& into) {
        auto journal = OfflineJournal::open(source.path());
        if (!journal) return Failure(journal.error());
        return restore(*journal, {into, upto, "test", ""});
    }

    std::optional<Digest> hash_at(const std::string& folder, Seq seq) {
        auto database = Database::open(journal_path(folder), OpenMode::kExisting).value();
        auto row = database.prepare("SELECT hash FROM journal WHERE seq = ?1").value();
        row.number(1, seq);
        if (!row.step().value()) return std::nullopt;
        return row.digest_at(0).value();
    }

    static inline const std::string kData = "the context of a task\n";
    TemporaryFolder source;
    TemporaryFolder target;
    JournalId id = 0;
    Seq last = 0;
};

TEST_F(Restore, ToEveryEventVerifiesAndKeepsTheChainUpToIt) {
    const Digest before = sha256_file(journal_path(source.path())).value().digest;
    Seq refused = 0;
    for (Seq upto = 1; upto <= last; ++upto) {
        const std::string into = target.path() + "/at-" + std::to_string(upto);
        auto report = restore_to(upto, into);
        // While a task was there whose texts were erased later, there is no way back to it.
        if (!report && report.error().code == ErrorCode::CONFLICT) {
            ++refused;
            continue;
        }
        ASSERT_TRUE(report.has_value()) << upto << ": " << report.error().message;
        EXPECT_EQ(report->upto, upto);
        // Beside the ends of leases there may be questions: about what is held, or to be approved.
        EXPECT_GE(report->last_seq, upto + report->ended_leases + 1);
        EXPECT_LE(report->last_seq, upto + 2 * report->ended_leases + 4);
        EXPECT_NE(report->journal, id);
        EXPECT_EQ(problems_in(into), std::vector<std::string>{}) << upto;
        EXPECT_EQ(hash_at(into, upto), hash_at(source.path(), upto));
    }
    EXPECT_GT(refused, 0U);
    EXPECT_LT(refused, last / 2);
    EXPECT_EQ(sha256_file(journal_path(source.path())).value().digest, before);
}

TEST_F(Restore, TasksAreWhatTheyWereAndNobodyHoldsThem) {
    const std::string into = target.path() + "/new";
    auto report = restore_to(std::nullopt, into).value();
    EXPECT_GE(report.ended_leases, 2U);
    EXPECT_EQ(report.artifacts, 1U);
    {
        SqliteJournal journal(sqlite_options(into));
        core::State state;
        auto recovery = journal.acquire(state);
        ASSERT_TRUE(recovery.has_value());
        EXPECT_EQ(recovery->journal, report.journal);
        EXPECT_EQ(state.durable.open.at(Story::key("a-running")).state, TaskState::kQueued);
        EXPECT_EQ(state.durable.open.at(Story::key("a-running")).losses, 0U);
        EXPECT_FALSE(state.durable.open.contains(Story::key("a-cancelling")));
        auto reader = std::move(journal.open_reader().value());
        EXPECT_EQ(reader->task(Story::key("a-done")).value()->summary, "3 findings");
        Story story(std::move(state));
        commit_all(journal, tell_everything(story, report.journal, "b-"));
        ASSERT_TRUE(journal.close().has_value());
    }
    EXPECT_EQ(problems_in(into), std::vector<std::string>{});
}

TEST_F(Restore, RefusesAFolderThatIsNotEmptyAndAPlaceThatIsNotThere) {
    fs::create_directory(target.path() + "/used");
    std::ofstream(target.path() + "/used/file") << "mine";
    EXPECT_EQ(restore_to(1, target.path() + "/used").error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(restore_to(last + 1, target.path() + "/new").error().code, ErrorCode::INVALID);
    EXPECT_TRUE(fs::is_empty(target.path() + "/new")) << "so that it can be tried again";
    EXPECT_TRUE(restore_to(last, target.path() + "/new").has_value());
}

TEST_F(Restore, OfADamagedJournalNamesTheRowAndLeavesNothingToServe) {
    {
        auto database = Database::open(journal_path(source.path()), OpenMode::kExisting).value();
        ASSERT_TRUE(database.run("UPDATE journal SET at = at + 1 WHERE seq = 5").has_value());
    }
    auto report = restore_to(std::nullopt, target.path() + "/new");
    ASSERT_FALSE(report.has_value());
    EXPECT_NE(report.error().message.find("event 5: its hash"), std::string::npos);
    EXPECT_FALSE(fs::exists(target.path() + "/new/journal.db"));
    EXPECT_TRUE(restore_to(4, target.path() + "/before").has_value());
}

TEST_F(Restore, ATimeIsTheLastEventThatWasNotLater) {
    auto journal = OfflineJournal::open(source.path());
    ASSERT_TRUE(journal.has_value());
    Database& database = journal->database();
    auto at = database.number("SELECT at FROM journal WHERE seq = 9").value();
    EXPECT_EQ(last_seq_at(database, Instant{at}).value(), 9U);
    EXPECT_EQ(last_seq_at(database, Instant{at - 1}).value(), 8U);
    EXPECT_EQ(last_seq_at(database, Instant{1}).value(), 0U);
}

}  // namespace
}  // namespace zq::store
