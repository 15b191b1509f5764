// Live logs: what is kept of them, who may write them, and who is told when.
#include <gtest/gtest.h>

#include "coordinator/edge/check_fields.h"
#include "coordinator/log_desk.h"
#include "coordinator/store/memory_journal.h"

namespace zq::coordinator {
namespace {

const LogKey kLog{TaskId("t"), 1};

wire::LogPiece piece(std::uint64_t seq, std::string data, std::uint64_t offset = 0) {
    wire::LogPiece made;
    made.seq = seq;
    made.offset = offset;
    made.data.data = std::move(data);
    return made;
}

std::string text_of(const std::vector<wire::LogPiece>& pieces) {
    std::string text;
    for (const wire::LogPiece& each : pieces) text += each.data.data;
    return text;
}

std::string read(const LogBook& book, std::uint64_t after, std::size_t bytes = 10'000) {
    return text_of(book.read(kLog, after, bytes).pieces);
}

TEST(LogBook, GivesWhatCameAfterAPieceAndTakesNothingTwice) {
    LogBook book;
    EXPECT_EQ(book.write(kLog, {piece(1, "a"), piece(2, "b")}, false), 3U);
    EXPECT_EQ(book.write(kLog, {piece(2, "B"), piece(3, "c")}, false), 4U);
    EXPECT_EQ(read(book, 0), "abc");
    EXPECT_EQ(read(book, 2), "c");
    EXPECT_EQ(read(book, 3), "");
    EXPECT_EQ(read(book, 0, 1), "a") << "at least one, whatever its size";
}

TEST(LogBook, KeepsHeadAndTailOfAnAttempt) {
    LogBook book({8'000, 100'000});
    for (std::uint64_t seq = 1; seq <= 100; ++seq) {
        book.write(kLog, {piece(seq, std::string(300, 'a'))}, false);
    }
    const auto kept = book.read(kLog, 0, 100'000).pieces;
    ASSERT_GT(kept.size(), 10U);
    EXPECT_EQ(kept[0].seq, 1U);
    EXPECT_EQ(kept[1].seq, 2U);
    EXPECT_GT(kept[2].seq, 70U);
    EXPECT_EQ(kept.back().seq, 100U);
    EXPECT_LE(book.bytes(), 8'000U);
    EXPECT_EQ(book.read(kLog, 50, 1).pieces.front().seq, kept[2].seq) << "the middle is gone";
}

TEST(LogBook, ForgetsTheAttemptThatWasSilentLongest) {
    LogBook book({1'500, 3'000});
    book.write(kLog, {piece(1, std::string(700, 'a'))}, false);
    book.write({TaskId("t"), 2}, {piece(1, std::string(700, 'b'))}, false);
    book.write(kLog, {piece(2, "a")}, false);
    book.write({TaskId("u"), 1}, {piece(1, std::string(900, 'c'))}, false);
    EXPECT_FALSE(book.contains({TaskId("t"), 2}));
    EXPECT_TRUE(book.contains(kLog));
    EXPECT_LE(book.bytes(), 3'000U);
}

TEST(LogBook, AttemptsThatPrintNothingTakeRoomToo) {
    LogBook book;
    for (std::uint32_t n = 1; n < 300'000; ++n) book.write({TaskId("t"), n}, {}, true);
    EXPECT_FALSE(book.contains({TaskId("t"), 1}));
    EXPECT_LE(book.bytes(), limits::kLogsKeptBytes);
}

TEST(LogBook, IsCompleteOnceTheLastPieceIsRead) {
    LogBook book;
    book.write(kLog, {piece(1, "a"), piece(2, "b")}, false);
    EXPECT_FALSE(book.read(kLog, 0, 10'000).complete);
    book.write(kLog, {}, true);
    EXPECT_TRUE(book.read(kLog, 0, 10'000).complete);
    EXPECT_FALSE(book.read(kLog, 0, 1).complete) << "`b` follows";
    EXPECT_TRUE(book.read(kLog, 2, 1).complete);
    EXPECT_FALSE(book.read({TaskId("other"), 1}, 0, 1).complete);
}

class LogDeskTest : public testing::Test {
  protected:
    LogDeskTest() : reader_(store::open_memory_reader(disk_)), desk_(*reader_) {
        core::Task task;
        task.key = {kDefaultNamespace, TaskId("t")};
        task.attempts = 1;
        task.lease.emplace();
        task.lease->token = kLease;
        task.lease->attempt = 1;
        task.lease->holder.identity = kWorker;
        disk_.tasks[task.key] = task;
    }
    Result<wire::Logged> write(const Identity& who, const LeaseToken& lease, std::uint64_t seq) {
        return desk_.write(who, {TaskId("t"), 1, lease, {piece(seq, "line\n")}, false});
    }
    Result<std::optional<wire::LogPage>> read(std::uint64_t after, Millis wait = seconds(2)) {
        return desk_.read({}, {TaskId("t"), 1, after, wait}, now_);
    }
    void end_attempt() {
        core::Task& task = disk_.tasks.begin()->second;
        task.lease.reset();
        core::Attempt attempt;
        attempt.task = task.key;
        attempt.attempt = 1;
        attempt.token = kLease;
        disk_.attempts[{task.key, 1}] = attempt;
    }

    const Identity kWorker{"w1"};
    const LeaseToken kLease{1, 7};
    Millis now_ = seconds(100);
    store::MemoryDisk disk_;
    std::unique_ptr<store::Reader> reader_;
    LogDesk desk_;
};

TEST_F(LogDeskTest, TakesALogFromTheHolderOfTheLeaseAlone) {
    EXPECT_EQ(write(kWorker, kLease, 1).value().next, 2U);
    EXPECT_EQ(write(Identity("w2"), kLease, 2).error().code, ErrorCode::STALE_LEASE);
    EXPECT_EQ(write(kWorker, {1, 6}, 2).error().code, ErrorCode::STALE_LEASE);
    EXPECT_EQ(desk_.write(kWorker, {TaskId("no"), 1, kLease, {}, false}).error().code,
              ErrorCode::NOT_FOUND);
    EXPECT_EQ(read(0).value()->pieces.size(), 1U) << "what was refused is not there";
}

TEST_F(LogDeskTest, AReaderIsToldWhenSomethingComesAndNotBefore) {
    EXPECT_FALSE(read(0).value());
    EXPECT_TRUE(desk_.answers(now_).empty());
    ASSERT_TRUE(write(kWorker, kLease, 1));
    const auto answers = desk_.answers(now_);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(text_of(answers[0].page.pieces), "line\n");
    EXPECT_TRUE(answers[0].page.open);
    EXPECT_FALSE(desk_.next_deadline());
}

TEST_F(LogDeskTest, AReaderIsToldWhenNothingMoreWillCome) {
    ASSERT_TRUE(write(kWorker, kLease, 1));
    EXPECT_FALSE(read(1).value());
    ASSERT_TRUE(desk_.write(kWorker, {TaskId("t"), 1, kLease, {}, true}));
    const auto answers = desk_.answers(now_);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].page.complete);
    EXPECT_TRUE(read(1).value()->complete) << "and the next one at once";
}

TEST_F(LogDeskTest, AReaderThatAsksAgainIsAnsweredOnce) {
    EXPECT_FALSE(read(0).value());
    now_ = now_ + seconds(1);
    EXPECT_FALSE(read(0).value());
    EXPECT_TRUE(desk_.answers(now_ + millis(1'500)).empty()) << "the first wait is given up";
    EXPECT_EQ(desk_.answers(now_ + seconds(2)).size(), 1U);
}

TEST_F(LogDeskTest, TakesTheRestOfALogWhoseReportWasQuicker) {
    ASSERT_TRUE(write(kWorker, kLease, 1));
    end_attempt();
    EXPECT_TRUE(write(kWorker, kLease, 2));
    EXPECT_EQ(read(0).value()->pieces.size(), 2U);
}

TEST_F(LogDeskTest, AnotherTaskOfTheIdDoesNotShowWhatTheLastOnePrinted) {
    ASSERT_TRUE(write(kWorker, kLease, 1));
    core::Task& task = disk_.tasks.begin()->second;  // removed, and submitted anew
    task.lease->token = {1, 9};
    EXPECT_FALSE(read(0).value()) << "nothing yet";
    ASSERT_TRUE(desk_.write(kWorker, {TaskId("t"), 1, {1, 9}, {piece(1, "mine\n")}, false}));
    EXPECT_EQ(text_of(read(0).value()->pieces), "mine\n");
}

TEST_F(LogDeskTest, AWaitEndsWithItsTime) {
    EXPECT_FALSE(read(0).value());
    EXPECT_EQ(desk_.next_deadline(), now_ + seconds(2));
    EXPECT_TRUE(desk_.answers(now_ + millis(1'999)).empty());
    const auto answers = desk_.answers(now_ + seconds(2));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].page.pieces.empty());
}

TEST_F(LogDeskTest, AnAttemptThatEndedIsReadToItsEndAndNotWaitedFor) {
    ASSERT_TRUE(write(kWorker, kLease, 1));
    end_attempt();
    const auto page = read(0).value();
    ASSERT_TRUE(page);
    EXPECT_FALSE(page->open);
    EXPECT_EQ(text_of(page->pieces), "line\n");
    EXPECT_TRUE(read(1).value()) << "nothing more, at once";
    EXPECT_EQ(desk_.read({}, {TaskId("t"), 2, 0, {}}, now_).error().code, ErrorCode::NOT_FOUND);
}

Result<void> check(wire::Body body) {
    wire::Message message;
    message.header.id = 1;
    message.body = std::move(body);
    return edge::check_fields(message);
}

wire::Log log_of(std::vector<wire::LogPiece> pieces) {
    return {TaskId("t"), 1, {1, 7}, std::move(pieces), false};
}

TEST(LogFields, AreCheckedPieceByPiece) {
    EXPECT_TRUE(check(log_of({piece(1, "a"), piece(5, "b")})));
    EXPECT_TRUE(check(log_of({})));
    EXPECT_EQ(check(log_of({piece(0, "a")})).error().field, "pieces[0].seq");
    EXPECT_EQ(check(log_of({piece(2, "a"), piece(2, "b")})).error().field, "pieces[1].seq");
    EXPECT_EQ(check(log_of({piece(UINT64_MAX, "a")})).error().field, "pieces[0].seq");
    EXPECT_EQ(check(log_of({piece(1, "a", UINT64_MAX)})).error().field, "pieces[0].offset");
    EXPECT_EQ(check(log_of({piece(1, "")})).error().field, "pieces[0].data");
    EXPECT_EQ(check(log_of({piece(1, std::string(limits::kLogPieceBytes + 1, 'a'))})).error().code,
              ErrorCode::TOO_LARGE);
    std::vector<wire::LogPiece> many;
    for (std::uint64_t seq = 1; seq <= limits::kLogPieces + 1; ++seq)
        many.push_back(piece(seq, "a"));
    EXPECT_EQ(check(log_of(std::move(many))).error().field, "pieces");
    EXPECT_EQ(check(wire::ReadLog{TaskId("t"), 0, 0, {}}).error().field, "attempt");
    EXPECT_EQ(check(wire::ReadLog{TaskId("t"), 1, 0, seconds(31)}).error().field, "wait_ms");
}

}  // namespace
}  // namespace zq::coordinator
