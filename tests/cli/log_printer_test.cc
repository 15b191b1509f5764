#include "cli/log_printer.h"

#include <gtest/gtest.h>

namespace zq::cli {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

struct Shown {
    std::string out;
    std::string err;
};

template <class Steps>
Shown shown_by(LogView view, Steps steps) {
    CaptureStdout();
    CaptureStderr();
    LogPrinter printer(view);
    steps(printer);
    printer.flush();
    std::fflush(stdout);
    return {GetCapturedStdout(), GetCapturedStderr()};
}

TEST(LogPrinter, ShowsEachByteOnceWhereverItCameFrom) {
    const Shown shown = shown_by({}, [](LogPrinter& p) {
        p.take(LogStream::kStdout, 0, "abc", 1);
        p.take(LogStream::kStdout, 1, "bcd", 1);
        p.take(LogStream::kStdout, 0, "ab", 1);
        p.take(LogStream::kStderr, 0, "no\n", 1);
    });
    EXPECT_EQ(shown.out, "abcd");
    EXPECT_EQ(shown.err, "no\n");
}

TEST(LogPrinter, NamesWhatIsMissing) {
    const Shown shown = shown_by({}, [](LogPrinter& p) {
        p.take(LogStream::kStdout, 0, "abc", 1);
        p.take(LogStream::kStdout, 1'003, "xyz", 1);
    });
    EXPECT_EQ(shown.out, "abcxyz");
    EXPECT_EQ(shown.err, "[zq: 1000 bytes of stdout were dropped here]\n");
}

TEST(LogPrinter, BeginsWithTheLastLinesAndGoesOnWithAll) {
    LogView view;
    view.last_lines = 2;
    const Shown shown = shown_by(view, [](LogPrinter& p) {
        p.take(LogStream::kStdout, 0, "1\n2\n3\n", 1);
        p.take(LogStream::kStdout, 6, "4\n", 1);
        p.flush();
        p.take(LogStream::kStdout, 8, "5\n6\n7\n", 1);
    });
    EXPECT_EQ(shown.out, "3\n4\n5\n6\n7\n");
}

TEST(LogPrinter, OfTheLastLinesThoseAfterAGapAreShownAndTheGapOnlyBeforeThem) {
    const auto last = [](std::uint64_t lines) {
        LogView view;
        view.last_lines = lines;
        return shown_by(view, [](LogPrinter& p) {
            p.take(LogStream::kStdout, 0, "1\n2\n", 1);
            p.take(LogStream::kStdout, 1'000, "3\n4\n5\n", 2);
        });
    };
    EXPECT_EQ(last(2).out, "4\n5\n");
    EXPECT_EQ(last(2).err, "");
    EXPECT_EQ(last(9).out, "3\n4\n5\n");
    EXPECT_EQ(last(9).err, "[zq: 996 bytes of stdout were dropped here]\n");
}

TEST(LogPrinter, AnAttemptIsReadFromTheMiddleWithoutTellingOfAGap) {
    const Shown shown = shown_by({}, [](LogPrinter& p) {
        p.begin(TaskId("t"), 1, true);
        p.take(LogStream::kStdout, 500, "here\n", 8);
        p.take(LogStream::kStdout, 600, "there\n", 9);
    });
    EXPECT_EQ(shown.out, "here\nthere\n");
    EXPECT_EQ(shown.err, "[zq: 95 bytes of stdout were dropped here]\n");
}

TEST(LogPrinter, AsJsonSaysWhereEachPieceStands) {
    LogView view;
    view.json = true;
    const Shown shown = shown_by(view, [](LogPrinter& p) {
        p.begin(TaskId("t"), 2, false);
        p.take(LogStream::kStderr, 0, "oh\n", 7);
        p.take(LogStream::kStdout, 10, "ah\n", 0);
    });
    EXPECT_EQ(shown.err, "");
    EXPECT_EQ(shown.out, R"({"schema":"zq/log/v1","id":"t","attempt":2,"seq":7,"stream":"stderr",)"
                         R"("offset":0,"text":"oh\n"})"
                         "\n"
                         R"({"schema":"zq/log/v1","id":"t","attempt":2,"stream":"stdout",)"
                         R"("offset":0,"dropped_bytes":10})"
                         "\n"
                         R"({"schema":"zq/log/v1","id":"t","attempt":2,"stream":"stdout",)"
                         R"("offset":10,"text":"ah\n"})"
                         "\n");
}

TEST(LogPrinter, EscapesOnATerminalAndKeepsCharactersWholeThatComeInTwoPieces) {
    LogView view;
    view.escape = {true, false};
    const Shown shown = shown_by(view, [](LogPrinter& p) {
        p.take(LogStream::kStdout, 0, "gr\xc3", 1);
        p.take(LogStream::kStdout, 3, "\xbcn \x1b[31m\n", 1);
        p.take(LogStream::kStderr, 0, "\x1b", 1);
    });
    EXPECT_EQ(shown.err, "\x1b") << "which is none";
    EXPECT_EQ(shown.out, "gr\xc3\xbcn \\x1b[31m\n");
}

TEST(LogPrinter, ShowsOneStreamAloneWhereAsked) {
    LogView view;
    view.only = LogStream::kStderr;
    const Shown shown = shown_by(view, [](LogPrinter& p) {
        p.take(LogStream::kStdout, 0, "out\n", 1);
        p.take(LogStream::kStderr, 0, "err\n", 1);
    });
    EXPECT_EQ(shown.out, "");
    EXPECT_EQ(shown.err, "err\n");
}

TEST(LogPrinter, CountsLinesFromTheEnd) {
    EXPECT_EQ(last_lines_of("a\nb\nc\n", 2), "b\nc\n");
    EXPECT_EQ(last_lines_of("a\nb\nc", 1), "c");
    EXPECT_EQ(last_lines_of("a\nb\n", 9), "a\nb\n");
    EXPECT_EQ(last_lines_of("a\nb\n", 0), "");
    EXPECT_EQ(last_lines_of("", 3), "");
}

}  // namespace
}  // namespace zq::cli
