// Retention: whatever is cut off, the rest still verifies, serves, and can be cut again; and what
// was cut off is proved by its own file.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "coordinator/core/invariants.h"
#include "coordinator/store/archive.h"
#include "coordinator/store/offline.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/restore.h"
#include "coordinator/store/rewind.h"
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

class Archive : public testing::Test {
  protected:
    void SetUp() override { live("a-"); }

    /// One run of the journal in which everything happens.
    void live(const std::string& prefix) {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        commit_all(journal, tell_everything(story, story.state().durable.journal, prefix));
        last = story.last_seq();
        state = state_hash(story.state());
        ASSERT_TRUE(journal.close().has_value());
    }

    Result<ArchiveReport> cut(const std::string& data, Seq upto, const std::string& file,
                              EndedTasks ended = EndedTasks::kKeep) {
        auto journal = OfflineJournal::open(data);
        if (!journal) return Failure(journal.error());
        return archive(journal->database(), {upto, file, ended});
    }

    std::string file(const std::string& name) const { return files.path() + "/" + name; }

    void change(const std::string& path, const std::string& sql) {
        auto database = Database::open(path, OpenMode::kExisting).value();
        auto done = database.run(sql);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    TemporaryFolder folder;
    TemporaryFolder files;
    Seq last = 0;
    Digest state;
};

TEST_F(Archive, AtEveryEventLeavesAJournalThatVerifiesToTheSameState) {
    for (Seq upto = 1; upto < last; ++upto) {
        const std::string data = file("data-" + std::to_string(upto));
        fs::create_directory(data);
        fs::copy_file(journal_path(folder.path()), journal_path(data));
        auto cut_off = cut(data, upto, file("old-" + std::to_string(upto)));
        ASSERT_TRUE(cut_off.has_value()) << upto << ": " << cut_off.error().message;
        EXPECT_EQ(cut_off->events, upto);
        auto report = verify(data, VerifyDepth::kContents);
        ASSERT_TRUE(report.has_value());
        EXPECT_EQ(report->problems, std::vector<std::string>{}) << upto;
        EXPECT_EQ(report->state, state);
        EXPECT_EQ(report->base_seq, upto);
        EXPECT_EQ(report->events, last - upto);
        auto proved = verify_archive(file("old-" + std::to_string(upto)));
        ASSERT_TRUE(proved.has_value()) << proved.error().message;
        EXPECT_EQ(proved->last, cut_off->last);
    }
}

TEST_F(Archive, WhatStayedIsServedAndGoneOnWithAndCutAgain) {
    ASSERT_TRUE(cut(folder.path(), last - 3, file("first")).has_value());
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        const core::State restored = acquire(journal);
        EXPECT_EQ(state_hash(restored), state);
        EXPECT_TRUE(core::broken_invariants(restored).empty());
        auto reader = std::move(journal.open_reader().value());
        for (const char* id : {"a-done", "a-running", "a-later"}) {
            auto task = reader->task(Story::key(id)).value();
            ASSERT_TRUE(task.has_value()) << id;
            EXPECT_EQ(reader->spec(task->submitted_seq).value()->instructions,
                      std::string("Review the façade of ") + id);
        }
        EXPECT_EQ(reader->attempt(Story::key("a-done"), 1).value()->summary, "3 findings");
    }
    live("b-");
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    auto first = verify_archive(file("first")).value();
    auto second = cut(folder.path(), last - 1, file("second"));
    ASSERT_TRUE(second.has_value()) << second.error().message;
    EXPECT_EQ(second->before, first.last);
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
}

/// What the base counts is run again, ends again, and goes; the journal is cut again, and taken
/// back to where the base was.
TEST_F(Archive, WhatEndedBeforeTheCutMayBeRunAgain) {
    ASSERT_TRUE(cut(folder.path(), last - 1, file("old")).has_value());
    const auto found = [&](Reader& reader, const char* id) {
        return std::pair(*reader.task(Story::key(id)).value(),
                         reader.attempts(Story::key(id)).value());
    };
    Seq before_replay = 0;
    std::pair<core::Task, std::vector<core::Attempt>> done;
    {
        SqliteJournal journal(sqlite_options(folder.path()));
        Story story(acquire(journal));
        auto reader = std::move(journal.open_reader().value());
        done = found(*reader, "a-done");
        const auto brief = found(*reader, "a-brief");
        story.start(story.state().durable.journal);
        before_replay = story.last_seq();
        story.replay(done.first, done.second);
        story.assign("a-done");
        story.complete("a-done");
        story.replay(brief.first, brief.second);  // and ends again in the same batch
        story.cancel("a-brief");
        story.remove_task(*core::find_task(story.state(), Story::key("a-brief")), {});
        commit_all(journal, {story.take_batch()});
        ASSERT_TRUE(journal.close().has_value());
    }
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    const std::string back = file("back");
    fs::create_directory(back);
    fs::copy_file(journal_path(folder.path()), journal_path(back));
    ASSERT_TRUE(cut(folder.path(), before_replay + 3, file("again")).has_value());
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});

    {
        auto journal = OfflineJournal::open(back);
        ASSERT_TRUE(journal.has_value());
        auto writer = BatchWriter::open(journal->database());
        ASSERT_TRUE(writer.has_value());
        auto rewound = rewind(journal->database(), *writer, before_replay);
        ASSERT_TRUE(rewound.has_value()) << rewound.error().message;
        auto done_row = journal->database().prepare("SELECT record FROM tasks WHERE id = 'a-done'");
        ASSERT_TRUE(done_row->step().value());
        EXPECT_EQ(done_row->blob_at(0), encode_task(done.first)) << "as it had ended";
        auto gone = journal->database().number("SELECT count(*) FROM tasks WHERE id = 'a-brief'");
        EXPECT_EQ(gone.value(), 0) << "what was removed is gone";
    }
    EXPECT_EQ(problems_in(back), std::vector<std::string>{});
}

TEST_F(Archive, EndedTasksMayBeForgotten) {
    ASSERT_TRUE(cut(folder.path(), last - 1, file("old"), EndedTasks::kForget).has_value());
    EXPECT_EQ(problems_in(folder.path()), std::vector<std::string>{});
    SqliteJournal journal(sqlite_options(folder.path()));
    acquire(journal);
    auto reader = std::move(journal.open_reader().value());
    EXPECT_FALSE(reader->task(Story::key("a-done")).value().has_value());
    EXPECT_TRUE(reader->attempts(Story::key("a-done")).value().empty());
    EXPECT_TRUE(reader->task(Story::key("a-running")).value().has_value());
}

TEST_F(Archive, RefusesWhatIsNotThereAndAFileThatIs) {
    EXPECT_EQ(cut(folder.path(), last, file("old")).error().code, ErrorCode::INVALID);
    EXPECT_EQ(cut(folder.path(), 0, file("old")).error().code, ErrorCode::INVALID);
    std::ofstream(file("mine")) << "mine";
    EXPECT_EQ(cut(folder.path(), 5, file("mine")).error().code, ErrorCode::CONFLICT);
    ASSERT_TRUE(cut(folder.path(), 5, file("old")).has_value());
    EXPECT_EQ(cut(folder.path(), 5, file("again")).error().code, ErrorCode::INVALID);
}

TEST_F(Archive, OfADamagedJournalDropsNothing) {
    change(journal_path(folder.path()), "UPDATE journal SET at = at + 1 WHERE seq = 9");
    auto cut_off = cut(folder.path(), 20, file("old"));
    ASSERT_FALSE(cut_off.has_value());
    EXPECT_NE(cut_off.error().message.find("event 9: its hash"), std::string::npos);
    auto database = Database::open(journal_path(folder.path()), OpenMode::kExisting).value();
    EXPECT_EQ(static_cast<Seq>(database.number("SELECT count(*) FROM journal").value()), last);
}

TEST_F(Archive, AChangeOfWhatStayedOrOfTheFileIsFound) {
    ASSERT_TRUE(cut(folder.path(), last - 1, file("old")).has_value());
    const std::vector<std::string> changes = {
        "UPDATE tasks SET sender = 'me' WHERE id = 'a-done'",
        "UPDATE attempts SET ended_seq = 1 WHERE task = 'a-done'",
        "UPDATE contents SET stored_seq = 1",
        "UPDATE bodies SET body = x'80' WHERE seq < 20",
        "DELETE FROM journal WHERE seq = (SELECT min(seq) FROM journal)",
        "UPDATE anchors SET state = zeroblob(32) WHERE seq = (SELECT min(seq) FROM anchors)",
        "DELETE FROM base WHERE place = 3",
        "DELETE FROM base",
    };
    const std::string path = journal_path(folder.path());
    fs::copy_file(path, file("saved"));
    for (const std::string& sql : changes) {
        fs::copy_file(file("saved"), path, fs::copy_options::overwrite_existing);
        ASSERT_EQ(problems_in(folder.path()), std::vector<std::string>{});
        change(path, sql);
        EXPECT_NE(problems_in(folder.path()), std::vector<std::string>{}) << sql;
    }
    change(file("old"), "UPDATE journal SET identity = 'me' WHERE seq = 7");
    auto proved = verify_archive(file("old"));
    ASSERT_FALSE(proved.has_value());
    EXPECT_NE(proved.error().message.find("event 7: its hash"), std::string::npos);
}

TEST_F(Archive, AStateOfThePastIsRestoredAsFarBackAsTheBase) {
    const Seq base = last - 5;
    ASSERT_TRUE(cut(folder.path(), base, file("old")).has_value());
    for (Seq upto = base; upto <= last; ++upto) {
        auto journal = OfflineJournal::open(folder.path());
        const std::string into = file("at-" + std::to_string(upto));
        auto report = restore(*journal, {into, upto, "test", ""});
        ASSERT_TRUE(report.has_value()) << upto << ": " << report.error().message;
        EXPECT_EQ(problems_in(into), std::vector<std::string>{}) << upto;
    }
    auto journal = OfflineJournal::open(folder.path());
    EXPECT_EQ(restore(*journal, {file("older"), base - 1, "test", ""}).error().code,
              ErrorCode::INVALID);
}

}  // namespace
}  // namespace zq::store
