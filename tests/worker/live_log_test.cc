#include "worker/live/live_log.h"

#include <gtest/gtest.h>

namespace zq::worker {
namespace {

std::string text_of(const std::vector<wire::LogPiece>& pieces) {
    std::string text;
    for (const wire::LogPiece& piece : pieces) text += piece.data.data;
    return text;
}

TEST(LiveLog, GathersWhatIsPrintedUntilItIsSent) {
    LiveLog log;
    log.put(LogStream::kStdout, "one ");
    log.put(LogStream::kStdout, "two ");
    auto first = log.oldest(100'000).pieces;
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(text_of(first), "one two ");
    log.put(LogStream::kStdout, "three");
    const auto both = log.oldest(100'000).pieces;
    ASSERT_EQ(both.size(), 2U) << "a piece that was sent does not change";
    EXPECT_EQ(both[0], first[0]);
    EXPECT_EQ(both[1].offset, 8U);
}

TEST(LiveLog, KeepsTheOrderOfBothStreamsAndTheirOwnOffsets) {
    LiveLog log;
    log.put(LogStream::kStdout, "out");
    log.put(LogStream::kStderr, "err");
    log.put(LogStream::kStdout, "put");
    const auto pieces = log.oldest(100'000).pieces;
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[1].stream, LogStream::kStderr);
    EXPECT_EQ(pieces[1].offset, 0U);
    EXPECT_EQ(pieces[2].offset, 3U);
    EXPECT_EQ(pieces[2].seq, 3U);
}

TEST(LiveLog, RepeatsWhatWasNotAcknowledgedAndForgetsWhatWas) {
    LiveLog log;
    log.put(LogStream::kStdout, "a");
    EXPECT_EQ(text_of(log.oldest(100'000).pieces), "a");
    log.put(LogStream::kStdout, "b");
    EXPECT_EQ(text_of(log.oldest(100'000).pieces), "ab");
    log.acknowledge(2);
    EXPECT_EQ(text_of(log.oldest(100'000).pieces), "b");
    log.acknowledge(3);
    EXPECT_TRUE(log.oldest(100'000).pieces.empty());
    EXPECT_TRUE(log.oldest(100'000).is_all);
}

TEST(LiveLog, StaysSmallUnderAFloodKeepsHeadAndTailAndSaysWhatWentBy) {
    LiveLog log(64 * 1024);
    const std::string flood(1'000, 'x');
    log.put(LogStream::kStdout, "start");
    log.put(LogStream::kStdout, std::string(10'000'000, 'x'));
    for (int i = 0; i < 1'000; ++i) log.put(LogStream::kStdout, flood);
    log.put(LogStream::kStdout, "end");
    const auto pieces = log.oldest(100'000'000).pieces;
    const std::string text = text_of(pieces);
    EXPECT_LE(text.size(), 64U * 1024);
    EXPECT_GE(text.size(), 40U * 1024);
    EXPECT_EQ(text.substr(0, 6), "startx");
    EXPECT_EQ(text.substr(text.size() - 3), "end");
    EXPECT_EQ(pieces.back().offset + pieces.back().data.data.size(), 11'000'008U);
    std::size_t gaps = 0;
    for (std::size_t i = 1; i < pieces.size(); ++i) {
        const bool goes_on =
            pieces[i].offset == pieces[i - 1].offset + pieces[i - 1].data.data.size();
        EXPECT_EQ(goes_on, pieces[i].seq == pieces[i - 1].seq + 1);
        gaps += goes_on ? 0 : 1;
    }
    EXPECT_EQ(gaps, 1U);
}

TEST(LiveLog, ManyTinyPiecesTakeNoMoreRoom) {
    LiveLog log(64 * 1024);
    for (int i = 0; i < 100'000; ++i) {
        log.put(i % 2 == 0 ? LogStream::kStdout : LogStream::kStderr, "x");
    }
    std::size_t pieces = 0;
    while (true) {
        const auto batch = log.oldest(1'000'000);
        pieces += batch.pieces.size();
        if (batch.is_all) break;
        EXPECT_EQ(batch.pieces.size(), limits::kLogPieces);
        log.acknowledge(batch.pieces.back().seq + 1);
    }
    EXPECT_LE(pieces * sizeof(wire::LogPiece), 64U * 1024);
    EXPECT_GE(pieces, 100U);
}

}  // namespace
}  // namespace zq::worker
