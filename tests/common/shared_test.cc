#include "common/base/shared.h"

#include <gtest/gtest.h>

#include <string>

namespace zq {
namespace {

TEST(Shared, IsTheValueItself) {
    Shared<std::string> word("hello");
    EXPECT_EQ(*word, "hello");
    EXPECT_EQ(word->size(), 5U);
    EXPECT_EQ(word, Shared<std::string>("hello"));
    EXPECT_FALSE(word == Shared<std::string>("bye"));
    EXPECT_EQ(*Shared<std::string>(), "");
}

TEST(Shared, CopiesAreOneUntilOneIsChanged) {
    Shared<std::string> word(std::string(100, 'x'));
    const Shared<std::string> copy = word;
    EXPECT_EQ(&*copy, &*word);
    word.edit() += "!";
    EXPECT_EQ(copy->size(), 100U);
    EXPECT_EQ(word->size(), 101U);
    const std::string* before = &*word;
    word.edit() += "!";
    EXPECT_EQ(&*word, before) << "nobody else has it: changed where it is";
}

TEST(Shared, WhatWasMovedFromIsAsItWasMade) {
    Shared<std::string> word("hello");
    const Shared<std::string> other = std::move(word);
    EXPECT_EQ(*word, "");  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(*other, "hello");
    word.edit() = "again";
    EXPECT_EQ(*Shared<std::string>(), "") << "what all new ones have is nobody's to change";
}

}  // namespace
}  // namespace zq
