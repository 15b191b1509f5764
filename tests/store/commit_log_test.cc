// The commit log by itself: what is read back, what a kill or a bad disk may leave of it, and what
// is never taken for a record. How a start uses it: sqlite_journal_test.cc, tests/power.
#include "coordinator/store/commit_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/platform/digest.h"
#include "tests/store/journal_bench.h"
#include "tests/store/story.h"

namespace zq::store {
namespace {

constexpr std::size_t kBlock = 4'096;

class CommitLogTest : public testing::Test {
  protected:
    CommitLogTest() { story.start(7); }

    CommitLog open() const { return CommitLog::open(folder.path()).value(); }

    /// One more batch: a task with so long a text.
    void append(CommitLog& log, std::size_t text = 100) {
        TaskSpec spec = Story::spec("t" + std::to_string(++number));
        spec.instructions = std::string(text, 'i');
        story.submit(spec);
        const Batch batch = story.take_batch();
        const auto rows = make_rows(batch.events, head);
        ASSERT_TRUE(log.append(rows, batch.contents, batch.events.front().seq).has_value());
        head = rows.back().hash;
        for (const core::Event& event : batch.events) written.push_back(event);
    }

    /// What is read of the events after `last`, whose head is `from`.
    Result<std::vector<core::Event>> read(Seq last = 0, const Digest& from = {}) const {
        std::vector<core::Event> events;
        auto ok = open().read(last, from, [&](LoggedBatch batch) -> Result<void> {
            EXPECT_EQ(batch.rows.size(), batch.events.size());
            for (core::Event& event : batch.events) events.push_back(std::move(event));
            return {};
        });
        if (!ok) return Failure(ok.error());
        return events;
    }

    std::string path(int file) const {
        return folder.path() + "/commit-log." + std::to_string(file);
    }

    void overwrite(int file, std::size_t at, const std::string& bytes) const {
        std::fstream stream(path(file), std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(static_cast<std::streamoff>(at));
        stream << bytes;
    }

    TemporaryFolder folder;
    Story story;
    int number = 0;
    Digest head;
    std::vector<core::Event> written;
};

TEST_F(CommitLogTest, GivesBackEveryBatchInOrderWithItsRowsAndContents) {
    {
        CommitLog log = open();
        append(log);
        const std::string data = "a result";
        story.store_inline(data);
        Batch batch = story.take_batch();
        const auto rows = make_rows(batch.events, head);
        ASSERT_TRUE(log.append(rows, batch.contents, batch.events.front().seq).has_value());
        head = rows.back().hash;
        for (const core::Event& event : batch.events) written.push_back(event);
        append(log, 100'000);
    }
    EXPECT_EQ(read().value(), written);
    std::vector<InlineContent> contents;
    Digest last;
    ASSERT_TRUE(open()
                    .read(0, {},
                          [&](LoggedBatch batch) -> Result<void> {
                              for (auto& content : batch.contents) contents.push_back(content);
                              last = batch.rows.back().hash;
                              return {};
                          })
                    .has_value());
    ASSERT_EQ(contents.size(), 1U);
    EXPECT_EQ(contents[0].data, "a result");
    EXPECT_EQ(last, head);
}

TEST_F(CommitLogTest, ReadsOnFromAnyBatch) {
    Digest middle;
    Seq last = 0;
    CommitLog log = open();
    for (int i = 0; i < 6; ++i) {
        append(log);
        if (i != 3) continue;
        middle = head;
        last = written.back().seq;
    }
    const auto rest = read(last, middle).value();
    EXPECT_EQ(rest,
              std::vector<core::Event>(written.begin() + static_cast<long>(last), written.end()));
    EXPECT_TRUE(read(written.back().seq, head).value().empty());
}

TEST_F(CommitLogTest, TakesTurnsOverOldBlocksOnceTheyAreSettledAndGrowsUntilThen) {
    CommitLog log = open();
    for (int i = 0; i < 40; ++i) append(log, 100'000);
    EXPECT_GT(std::filesystem::file_size(path(0)), 1U << 20);
    EXPECT_GT(std::filesystem::file_size(path(1)), 2'000'000U) << "nothing was settled";
    EXPECT_EQ(read().value(), written);
    for (int i = 0; i < 200; ++i) {
        log.settled(written.back().seq);
        append(log, 100'000);
    }
    EXPECT_LT(std::filesystem::file_size(path(0)) + std::filesystem::file_size(path(1)), 6U << 20);
    EXPECT_FALSE(read().has_value()) << "the first events are in the tables alone";
}

TEST_F(CommitLogTest, WhatAKillLeftInTheMidstOfAWriteIsPassedOver) {
    CommitLog log = open();
    append(log);
    const auto whole = written;
    append(log, 20'000);
    overwrite(0, 4 * kBlock, std::string(100, '\0'));  // within the second record
    EXPECT_EQ(read().value(), whole);
}

TEST_F(CommitLogTest, ABatchThatIsBrokenBeforeLaterOnesIsAnErrorAndNoShorterJournal) {
    CommitLog log = open();
    append(log);
    append(log, 20'000);
    append(log);
    overwrite(0, 4 * kBlock, std::string(100, '\0'));
    const auto events = read();
    ASSERT_FALSE(events.has_value());
    EXPECT_EQ(events.error().code, ErrorCode::IO);
    EXPECT_NE(events.error().message.find("journal.db is not the one"), std::string::npos);
}

TEST_F(CommitLogTest, SoIsOneWhoseFirstBytesAreBroken) {
    CommitLog log = open();
    append(log);
    append(log, 20'000);
    append(log);
    overwrite(0, 2 * kBlock, std::string(30, '\0'));
    EXPECT_EQ(read().error().code, ErrorCode::IO);
}

TEST_F(CommitLogTest, AnotherJournalsLogIsAnErrorToo) {
    CommitLog log = open();
    append(log);
    append(log);
    Digest other;
    other.bytes[0] = 1;
    EXPECT_FALSE(read(0, other).has_value());
}

TEST_F(CommitLogTest, WhatAnOlderTurnHasLeftIsNoRecordWhateverAPeerWroteThere) {
    std::string record;
    {
        CommitLog log = open();
        append(log);
        std::ifstream file(path(0), std::ios::binary);
        const std::string all{std::istreambuf_iterator<char>(file), {}};
        record = all.substr(kBlock);  // with the salt of this turn
    }
    CommitLog log = open();  // begins anew, with another salt
    log.settled(written.back().seq);
    const Seq last = written.back().seq;
    const Digest before = head;
    append(log);
    overwrite(0, 2 * kBlock, record);
    EXPECT_EQ(read(last, before).value().size(), written.size() - last);
}

TEST_F(CommitLogTest, AFullOrHalfFileThatIsNoLogHasNoRecords) {
    std::ofstream(path(0)) << "zq com";
    std::ofstream(path(1)) << std::string(3 * kBlock, '\0');
    EXPECT_TRUE(read().value().empty());
}

TEST_F(CommitLogTest, ALaterProgramsLogIsRefused) {
    std::ofstream(path(0)) << "zq commit log 2\n" << std::string(kBlock, '\0');
    const auto events = read();
    ASSERT_FALSE(events.has_value());
    EXPECT_EQ(events.error().code, ErrorCode::UNSUPPORTED_VERSION);
}

TEST_F(CommitLogTest, WhatWasScrubbedIsInNoFileAfterBothHadTheirTurn) {
    CommitLog log = open();
    const auto has_text = [&] {
        for (int file : {0, 1}) {
            std::ifstream stream(path(file), std::ios::binary);
            const std::string all{std::istreambuf_iterator<char>(stream), {}};
            if (all.find(std::string(30, 's')) != std::string::npos) return true;
        }
        return false;
    };
    for (int i = 0; i < 30; ++i) append(log, 100'000);
    TaskSpec spec = Story::spec("secret");
    spec.instructions = std::string(900'000, 's');
    story.submit(spec);
    const Batch batch = story.take_batch();
    const auto rows = make_rows(batch.events, head);
    ASSERT_TRUE(log.append(rows, {}, batch.events.front().seq).has_value());
    head = rows.back().hash;
    for (const core::Event& event : batch.events) written.push_back(event);
    EXPECT_TRUE(has_text());
    log.scrub();
    for (int i = 0; i < 40; ++i) {
        log.settled(written.back().seq);
        append(log, 60'000);
    }
    EXPECT_TRUE(log.is_scrubbed());
    EXPECT_FALSE(has_text());
}

TEST_F(CommitLogTest, IsForItsUserAlone) {
    CommitLog log = open();
    append(log);
    EXPECT_EQ(std::filesystem::status(path(0)).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace zq::store
