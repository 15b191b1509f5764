// TOML settings and the places of their mistakes.
#include "common/platform/config.h"

#include <gtest/gtest.h>

namespace zq {
namespace {

ConfigFile parsed(const std::string& text) {
    auto file = ConfigFile::parse(text, "f.toml");
    EXPECT_TRUE(file) << file.error().message;
    return std::move(*file);
}

TEST(ConfigFile, GivesValuesByTypeAndTablesByDots) {
    const ConfigFile file =
        parsed("a = \"x\"\nb = 7\nc = true\nd = [\"p\", \"q\"]\n[t]\ne = \"y\"\n");
    EXPECT_EQ(file.text("a").value(), "x");
    EXPECT_EQ(file.integer("b").value(), 7);
    EXPECT_EQ(file.boolean("c").value(), true);
    EXPECT_EQ(file.texts("d").value()->size(), 2U);
    EXPECT_EQ(file.texts("a").value(), std::vector<std::string>{"x"});
    EXPECT_EQ(file.text("t.e").value(), "y");
    EXPECT_EQ(file.text("z").value(), std::nullopt);
}

TEST(ConfigFile, ComplainsWithFileAndLine) {
    EXPECT_EQ(parsed("\n\na = 1").text("a").error().message, "f.toml:3: a: expected a string");
    EXPECT_EQ(ConfigFile::parse("\na = 1.5", "f.toml").error().message.find("f.toml:2: a: "), 0U);
    EXPECT_EQ(ConfigFile::parse("x = \n", "f.toml").error().message.find("f.toml:1: "), 0U);
    EXPECT_EQ(ConfigFile::parse("x = 1\nx = 2\n", "f.toml").error().message.find("f.toml:2: "), 0U);
    EXPECT_FALSE(ConfigFile::parse("a = \"\xff\"", "f.toml"));
    EXPECT_EQ(ConfigFile::parse("a \ufe7f= 1\n", "f.toml").error().message.find("f.toml:1: "), 0U);
    EXPECT_EQ(ConfigFile::parse("a = \u00e9\n", "f.toml").error().message.find("f.toml:1: "), 0U);
    // toml++ stops the process here where its assertions are on.
    EXPECT_EQ(ConfigFile::parse("\n[[[", "f.toml").error().message.find("f.toml:2: "), 0U);
}

TEST(ConfigFile, NamesTheFirstUnknownKeyOfTheFile) {
    const ConfigFile file = parsed("zulu = 1\nalfa = 2\nknown = 3\n");
    EXPECT_EQ(file.allow_only({"known", "alpha"}).error().message, "f.toml:1: unknown key 'zulu'");
    EXPECT_TRUE(file.allow_only({"known", "alfa", "zulu"}));
}

TEST(ConfigFile, ReadsBackWhatToTomlQuotes) {
    const std::string odd = "a\"b\\c\n\t\x01\x7f \u00e4";
    EXPECT_EQ(parsed("k = " + to_toml(odd)).text("k").value(), odd);
}

}  // namespace
}  // namespace zq
