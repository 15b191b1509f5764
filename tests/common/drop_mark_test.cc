// The mark of dropped bytes: what is written is found, at the one place where it is the log's own.
#include "common/base/drop_mark.h"

#include <gtest/gtest.h>

namespace zq {
namespace {

TEST(DropMark, IsFoundWithItsNumber) {
    const std::string text = "\n[zq: head" + drop_mark(1'234) + "tail";
    const auto found = find_drop_mark(text);
    ASSERT_TRUE(found);
    EXPECT_EQ(text.substr(0, found->begin), "\n[zq: head");
    EXPECT_EQ(text.substr(found->end), "tail");
    EXPECT_EQ(found->dropped, 1'234U);
    EXPECT_FALSE(find_drop_mark(text, found->begin + 1));
    EXPECT_LE(drop_mark(UINT64_MAX).size(), kDropMarkBytes);
}

TEST(DropMark, IsTakenForNothingElse) {
    for (const std::string& text :
         {std::string("\n[zq:  bytes were dropped here]\n"), std::string("\n[zq: 12 bytes were"),
          std::string("\n[zq: -1 bytes were dropped here]\n")}) {
        EXPECT_FALSE(find_drop_mark(text)) << text;
    }
}

TEST(DropMark, StandsInTheMiddleOrAtTheEnd) {
    EXPECT_TRUE(is_place_of_mark(500, 40, 1'040));
    EXPECT_TRUE(is_place_of_mark(500, 40, 1'041)) << "an odd cap";
    EXPECT_TRUE(is_place_of_mark(500, 40, 540)) << "no tail was kept";
    EXPECT_FALSE(is_place_of_mark(499, 40, 1'040));
    EXPECT_FALSE(is_place_of_mark(500, 40, 530));
}

}  // namespace
}  // namespace zq
