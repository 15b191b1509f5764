// Backups of a journal that is open: whole, of one moment, marked last; and refused where they are
// not what they say.
#include "coordinator/store/backup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/platform/digest.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/schema.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

/// An open journal with one of everything, an artifact on disk included.
class Backups : public testing::Test {
  protected:
    void SetUp() override {
        journal.emplace(sqlite_options(source.path()));
        story = Story(acquire(*journal));
        auto artifacts =
            FolderArtifactStore::open({.folder = source.path() + "/artifacts"}).value();
        ASSERT_TRUE(artifacts->begin(sha256(kData), kData.size()).has_value());
        ASSERT_TRUE(artifacts->append(sha256(kData), 0, kData).has_value());
        commit_all(*journal, tell_everything(story, story.state().durable.journal, "a-"));
        story.store_file(sha256(kData), kData.size());
        commit(*journal, story.take_batch());
        into = target.path() + "/backup";
    }

    Result<BackupMark> back_up() {
        auto folder = take_backup_folder(into, source.path());
        if (!folder) return Failure(folder.error());
        journal->catch_up();  // as who asks for one does
        return write_backup({source.path(), *folder, "test"}, stop);
    }
    std::string content(const std::string& folder) const {
        const std::string hex = to_hex(sha256(kData));
        return folder + "/artifacts/" + hex.substr(0, 2) + "/" + hex;
    }
    static void overwrite(const std::string& path, const std::string& text) {
        fs::remove(path);  // it may be a link to the original
        std::ofstream(path) << text;
    }
    std::vector<std::string> problems() const {
        auto report = verify_backup(into);
        if (!report) return {report.error().message};
        return report->problems;
    }

    static inline const std::string kData = "the context of a task\n";
    TemporaryFolder source;
    TemporaryFolder target;
    std::optional<SqliteJournal> journal;
    Story story;
    std::string into;
    std::atomic<bool> stop = false;
};

TEST_F(Backups, AreOfOneMomentWhileTheJournalGoesOn) {
    auto mark = back_up();
    ASSERT_TRUE(mark) << mark.error().message;
    EXPECT_EQ(mark->last_seq, story.last_seq());
    EXPECT_EQ(mark->artifacts, 1U);
    story.submit("later");
    commit(*journal, story.take_batch());
    EXPECT_EQ(problems(), std::vector<std::string>{});
    EXPECT_EQ(read_backup_mark(into).value(), *mark);
    EXPECT_FALSE(fs::exists(into + "/backup.unfinished"));
    ASSERT_TRUE(journal->close());
    journal.reset();
    EXPECT_EQ(verify(source.path(), VerifyDepth::kContents)->problems, std::vector<std::string>{});
}

TEST_F(Backups, BecomeAJournalOfAnotherId) {
    auto mark = back_up();
    ASSERT_TRUE(mark) << mark.error().message;
    const std::string restored = target.path() + "/restored";
    auto report = restore_backup(into, {restored, {}, "test", ""});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_NE(report->journal, mark->journal);
    EXPECT_EQ(report->upto, mark->last_seq);
    EXPECT_EQ(report->artifacts, 1U);
    EXPECT_FALSE(is_backup(restored));
    EXPECT_EQ(verify(restored, VerifyDepth::kContents)->problems, std::vector<std::string>{});
}

TEST_F(Backups, WithoutTheirMarkAreUnfinishedAndInNobodysWay) {
    ASSERT_TRUE(back_up());
    fs::rename(into + "/backup.json", into + "/backup.unfinished");
    EXPECT_TRUE(is_backup(into));
    EXPECT_EQ(verify_backup(into).error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(restore_backup(into, {target.path() + "/x", {}, "test", ""}).error().code,
              ErrorCode::CONFLICT);
    EXPECT_EQ(back_up().error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(verify_backup(target.path()).error().code, ErrorCode::NOT_FOUND);
}

TEST_F(Backups, NeedEveryContentWithItsBytesAndLeaveNothingWhereTheyFail) {
    overwrite(content(source.path()), "something else");
    EXPECT_EQ(back_up().error().code, ErrorCode::DIGEST_MISMATCH);
    EXPECT_TRUE(fs::is_empty(into));
    fs::remove(content(source.path()));
    EXPECT_EQ(back_up().error().code, ErrorCode::NOT_FOUND);
    EXPECT_TRUE(fs::is_empty(into));
    overwrite(content(source.path()), kData);
    EXPECT_TRUE(back_up());
}

TEST_F(Backups, EndWhenTheyAreTold) {
    stop = true;
    EXPECT_EQ(back_up().error().code, ErrorCode::SHUTTING_DOWN);
    EXPECT_TRUE(fs::is_empty(into));
}

TEST_F(Backups, NameWhatIsWrongWithThem) {
    ASSERT_TRUE(back_up());
    overwrite(content(into), "the context of a tusk\n");
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_NE(problems().front().find(to_hex(sha256(kData))), std::string::npos);
    overwrite(content(into), kData);
    EXPECT_EQ(problems(), std::vector<std::string>{});
    overwrite(into + "/backup.json", "{}");
    EXPECT_EQ(verify_backup(into).error().code, ErrorCode::IO);
}

TEST_F(Backups, KnowTheJournalTheyWereMadeWith) {
    ASSERT_TRUE(back_up());
    const std::string first = into;
    story.submit("later");
    commit(*journal, story.take_batch());
    into = target.path() + "/second";
    ASSERT_TRUE(back_up());
    fs::copy_file(first + "/journal.db", into + "/journal.db",
                  fs::copy_options::overwrite_existing);
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_NE(problems().front().find("backup.json"), std::string::npos);
}

TEST_F(Backups, GoWhereTheyHarmNothing) {
    const auto code = [&](const std::string& folder) {
        auto taken = take_backup_folder(folder, source.path());
        return taken ? "ok" : std::string(to_string(taken.error().code)) + taken.error().field;
    };
    EXPECT_EQ(code(source.path()), "INVALIDfolder");
    EXPECT_EQ(code(source.path() + "/deep/inside"), "INVALIDfolder");
    EXPECT_EQ(code(into + "/../../" + fs::path(source.path()).filename().string()),
              "INVALIDfolder");
    EXPECT_EQ(code(source.path() + "-beside"), "ok");
    fs::remove(source.path() + "-beside");
    overwrite(target.path() + "/file", "");
    EXPECT_EQ(code(target.path() + "/file"), "INVALIDfolder");
    EXPECT_EQ(code(target.path()), "CONFLICTfolder");
    EXPECT_EQ(code(target.path() + "/new/folder/"), "ok");
}

}  // namespace
}  // namespace zq::store
