// What is done with a secret where it is found: never a word of it stands in what comes out.
#include "common/base/secret_scan.h"

#include <gtest/gtest.h>

#include "common/platform/pack.h"
#include "common/wire/client_messages.h"
#include "common/wire/text_fields.h"

namespace zq {
namespace {

std::string token() {
    std::string text = "ghp_";
    while (text.size() < 40) text += "aB3dE5gH7j";
    return text.substr(0, 40);
}

TEST(SecretScan, PutsAMarkInTheirPlace) {
    EXPECT_EQ(redacted("use " + token() + ", or " + token() + "."),
              "use [redacted:github-token], or [redacted:github-token].");
    EXPECT_EQ(redacted(std::string("nothing here")), "nothing here");
}

TEST(SecretScan, KeepsToALimitAtTheBorderOfACharacter) {
    EXPECT_EQ(redacted(std::string("aä"), 2), "a");
    EXPECT_EQ(redacted(token(), 10), "[redacted:");
    EXPECT_EQ(redacted(std::string("aä"), 3), "aä");
}

TEST(SecretScan, MakesNamesOfNames) {
    const std::string name = redacted_name("out/" + token() + ".txt", 255);
    EXPECT_EQ(name, "out/redacted-github-token.txt");
    EXPECT_TRUE(is_valid_artifact_name(name));
}

TEST(SecretScan, TellsEachKindOnce) {
    const std::string text = "npm_" + token().substr(4) + " " + token() + " " + token();
    EXPECT_EQ(kinds_text(secret_kinds(text)), "github-token,npm-token");
    EXPECT_EQ(kinds_in("github-token,npm-token"), secret_kinds(text));
    EXPECT_TRUE(kinds_in("").empty());
}

TEST(SecretScan, SaysWhereItStandsAndNotWhatItIs) {
    const auto ok = check_no_secret("key " + token(), "task.instructions");
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, ErrorCode::SECRET_FOUND);
    EXPECT_EQ(ok.error().field, "task.instructions");
    EXPECT_NE(ok.error().message.find("github-token stands at byte 4"), std::string::npos);
    EXPECT_EQ(ok.error().message.find(token().substr(0, 8)), std::string::npos);
}

TEST(SecretScan, VisitsEveryTextOfAnEnvelope) {
    TaskSpec spec;
    spec.instructions = "a";
    spec.labels = {{"k", "b"}};
    spec.inputs = {ArtifactRef{"c", {}, 0, "d", "e", false, {}}};
    spec.expected.headings = {"f"};
    spec.expected.rules = {ArtifactRule{"g", "", 0, 0, true}};
    std::map<std::string, std::string> seen;
    wire::for_each_text(std::as_const(spec), "task",
                        [&](const std::string& text, const wire::TextPlace& place) {
                            if (!text.empty()) seen[place.path()] += text;
                        });
    EXPECT_EQ(seen["task.instructions"], "a");
    EXPECT_EQ(seen["task.labels.k"], "kb");
    EXPECT_EQ(seen["task.inputs[0].name"], "c");
    EXPECT_EQ(seen["task.inputs[0].media"], "d");
    EXPECT_EQ(seen["task.inputs[0].uri"], "e");
    EXPECT_EQ(seen["task.expected_output.headings[0]"], "f");
    EXPECT_EQ(seen["task.expected_output.rules[0].name"], "g");
}

TEST(SecretScan, ChangesEveryTextOfAReport) {
    wire::Release release;
    release.report.summary = "a";
    release.report.output = {{"k", "a"}};
    release.reason = "a";
    release.question = NewQuestion{"q", "a", {"a", "b"}, {}};
    wire::for_each_text(release, {}, [](std::string& text, const wire::TextPlace&) {
        if (text == "a") text = "z";
    });
    EXPECT_EQ(release.report.summary + release.report.output["k"] + release.reason, "zzz");
    EXPECT_EQ(release.question->text + release.question->choices[0], "zz");
}

}  // namespace
}  // namespace zq
