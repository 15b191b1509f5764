// Command lines: what is refused, what is suggested, and that the table of commands holds together.
#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/command_table.h"
#include "cli/help.h"
#include "cli/text.h"

namespace zq::cli {
namespace {

Command command(const std::string& name) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at <= name.size();) {
        const std::size_t blank = std::min(name.find(' ', at), name.size());
        words.push_back(name.substr(at, blank - at));
        at = blank + 1;
    }
    auto match = find_command(words);
    EXPECT_TRUE(match) << name;
    return match->command;
}

Problem refusal(const std::string& name, std::vector<std::string> words) {
    auto args = Arguments::parse(command(name), std::move(words));
    EXPECT_FALSE(args);
    return args ? Problem{} : args.error();
}

TEST(Arguments, AnUnknownFlagIsRefusedWithASuggestion) {
    const Problem problem = refusal("submit", {"--to", "r", "--instruction", "x"});
    EXPECT_EQ(exit_code_of(problem), ExitCode::kUsage);
    EXPECT_NE(problem.error.message.find("--instruction"), std::string::npos);
    EXPECT_EQ(problem.hint, "did you mean --instructions?");
}

TEST(Arguments, AFlagOfAnotherCommandIsUnknown) {
    EXPECT_EQ(exit_code_of(refusal("ls", {"--dry-run"})), ExitCode::kUsage);
    EXPECT_EQ(exit_code_of(refusal("show", {"t", "--yes"})), ExitCode::kUsage);
    EXPECT_EQ(exit_code_of(refusal("version", {"--connect", "tcp://h:1"})), ExitCode::kUsage);
}

TEST(Arguments, AWordThatIsNotUtf8IsNamedBeforeAnythingIsSent) {
    const Problem problem = refusal("submit", {"--to", "r", "--label", "k=\xc2v"});
    EXPECT_EQ(exit_code_of(problem), ExitCode::kUsage);
    EXPECT_EQ(problem.error.message, "not UTF-8: 'k=\\xc2v'");
}

TEST(Arguments, AFlagWithoutItsValueIsRefused) {
    EXPECT_EQ(exit_code_of(refusal("submit", {"--to"})), ExitCode::kUsage);
}

TEST(Arguments, AFlagGivenTwiceIsRefusedUnlessItMayBe) {
    EXPECT_EQ(exit_code_of(refusal("submit", {"--to", "a", "--to", "b"})), ExitCode::kUsage);
    auto args = Arguments::parse(command("submit"), {"--label", "a=1", "--label", "b=2"});
    ASSERT_TRUE(args);
    EXPECT_EQ(args->values("label"), (std::vector<std::string>{"a=1", "b=2"}));
}

TEST(Arguments, OperandsAreCounted) {
    EXPECT_NE(refusal("result", {}).error.message.find("zq result ID"), std::string::npos);
    EXPECT_NE(refusal("result", {"a", "b"}).error.message.find("'b'"), std::string::npos);
}

TEST(Arguments, ValuesMayLookLikeFlagsAndComeByAnEqualsSign) {
    auto args = Arguments::parse(command("submit"),
                                 {"--instructions", "- first\n- second", "--to=r", "--file", "-"});
    ASSERT_TRUE(args) << args.error().error.message;
    EXPECT_EQ(args->text("instructions"), "- first\n- second");
    EXPECT_EQ(args->text("to"), "r");
    EXPECT_EQ(args->text("file"), "-");
}

TEST(Arguments, ValuesArriveAsTheyWereWritten) {
    const std::vector<std::string> values = {"[1,2]",      "[]",  "{}", "",     "a,b",
                                             "\"quoted\"", "x=y", "%%", "true", " two words ",
                                             "line\nend",  "'",   "\\n"};
    for (const std::string& value : values) {
        auto args = Arguments::parse(command("submit"),
                                     {"--payload", value, "--label", value, "--label", value});
        ASSERT_TRUE(args) << value;
        EXPECT_EQ(args->text("payload"), value);
        EXPECT_EQ(args->values("label"), (std::vector<std::string>{value, value}));
    }
}

TEST(Arguments, ASwitchTakesNoValue) {
    EXPECT_EQ(refusal("ls", {"--json=false"}).error.message, "--json takes no value");
}

TEST(Arguments, EverythingAfterTwoDashesIsTheCommandsOwn) {
    auto args = Arguments::parse(command("dev"), {"--role", "r", "--", "sh", "-c", "x", "--role"});
    ASSERT_TRUE(args);
    EXPECT_EQ(args->operands(), (std::vector<std::string>{"sh", "-c", "x", "--role"}));
    EXPECT_EQ(args->text("role"), "r");
}

TEST(Arguments, AliasesAndLettersAreTheSameFlag) {
    auto args = Arguments::parse(command("submit"), {"--key", "k", "-o", "json", "-q"});
    ASSERT_TRUE(args);
    EXPECT_EQ(args->text("idempotency-key"), "k");
    EXPECT_EQ(args->text("output"), "json");
    EXPECT_TRUE(args->has("quiet"));
}

TEST(Arguments, DurationsAndNumbersNameTheirFlagWhenTheyAreWrong) {
    auto args = Arguments::parse(command("wait"), {"t", "--timeout", "10", "--count", "x"});
    ASSERT_TRUE(args);
    EXPECT_EQ(args->duration("timeout").error().error.field, "--timeout");
    EXPECT_NE(args->number("count", 1, 9).error().error.message.find("--count"), std::string::npos);
    EXPECT_EQ(*args->duration("count-not-given"), std::nullopt);
}

TEST(Commands, AnUnknownOneIsRefusedWithASuggestion) {
    EXPECT_EQ(find_command({"sumbit"}).error().hint, "did you mean `zq submit`?");
    EXPECT_EQ(find_command({"worker", "list"}).error().error.message,
              "no command `zq worker list`");
    EXPECT_EQ(exit_code_of(find_command({"zzz"}).error()), ExitCode::kUsage);
    EXPECT_FALSE(find_command({"schedule"}));
}

TEST(Commands, AGroupAloneListsAndDlqShowIsAnother) {
    EXPECT_EQ(find_command({"dlq"})->command.name, "dlq ls");
    EXPECT_EQ(find_command({"dlq", "--json"})->command.name, "dlq ls");
    EXPECT_EQ(find_command({"dlq", "show", "t"})->command.name, "dlq show");
    EXPECT_EQ(find_command({"dlq", "show", "t"})->words, 2U);
    EXPECT_EQ(find_command({"ls"})->command.name, "ls");
    EXPECT_EQ(find_command({"artifact"})->command.name, "artifact ls");
    // A group without an `ls`: its name alone is no command.
    EXPECT_FALSE(find_command({"journal"}));
}

TEST(Commands, TheTableHoldsTogether) {
    std::set<std::string_view> names;
    for (const Command& command : all_commands()) {
        EXPECT_TRUE(names.insert(command.name).second) << command.name;
        EXPECT_NE(command.run, nullptr) << command.name;
        EXPECT_FALSE(command.summary.empty()) << command.name;
        EXPECT_NE(overview().find("  " + std::string(command.name) + " "), std::string::npos);
        std::set<std::string> flags;
        for (const Flag& flag : all_flags(command)) {
            EXPECT_TRUE(flags.insert(std::string(flag.name)).second) << command.name << flag.name;
            EXPECT_EQ(flag.takes == Takes::kNothing, flag.value.empty()) << flag.name;
            EXPECT_TRUE(flag.alias.empty() || flags.insert(std::string(flag.alias)).second);
            EXPECT_TRUE(flag.letter == 0 || flags.insert(std::string(1, flag.letter)).second);
        }
        EXPECT_TRUE(Arguments::parse(command, {"--help"})) << command.name;
        EXPECT_NE(command_help(command).find(std::string(command.summary)), std::string::npos);
    }
}

TEST(Commands, HelpLinesUpBehindFlagsThatHoldMoreThanAscii) {
    const std::string page = command_help(find_command({"submit"})->command);
    const auto column = [&](std::string_view flag, std::string_view help) {
        const std::size_t from = page.find(flag);
        return display_width(std::string_view(page).substr(from, page.find(help, from) - from));
    };
    EXPECT_EQ(column("    --after ID,…", "Waits until these"), column("    --to ROLE", "The role"));
}

TEST(Commands, EveryTopicHasAPage) {
    for (const char* topic : {"agents", "errors", "exit-codes", "worker-contract"}) {
        EXPECT_FALSE(topic_help(topic).empty()) << topic;
    }
    EXPECT_NE(topic_help("errors").find("STALE_LEASE"), std::string::npos);
}

}  // namespace
}  // namespace zq::cli
