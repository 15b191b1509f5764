#include "worker/executor/redactor.h"

#include "worker/secret_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "tests/worker/folder_rig.h"

namespace zq::worker {
namespace {

const std::string kToken = "ghp_aB3dE5gH7jaB3dE5gH7jaB3dE5gH7jaB3dE5";
const std::string kKey =
    "-----BEGIN PRIVATE KEY-----\n" + std::string(6'000, 'k') + "\n-----END PRIVATE KEY-----";

/// What comes out of a text that comes in pieces of `size` bytes.
std::string in_pieces(Redactor redactor, const std::string& text, std::size_t size) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += size) {
        out += redactor.take(std::string_view(text).substr(at, size));
    }
    return out + redactor.finish();
}

TEST(Redactor, TakesSecretsOutWhereverTheStreamIsCut) {
    const std::vector<SecretValue> values{{"API_SECRET", "open sesame"}};
    const std::string text = "start abc\ntoken " + kToken + ", then open sesame; " + kToken +
                             "\nkey:\n" + kKey + "\nend, open ses";
    const std::string wanted =
        "start abc\ntoken [redacted:github-token], then [redacted:API_SECRET]; "
        "[redacted:github-token]\nkey:\n[redacted:private-key]\nend, open ses";
    for (const std::size_t size : {1, 2, 3, 5, 7, 11, 64, 1'000, 4'096, 100'000}) {
        EXPECT_EQ(in_pieces(Redactor(values), text, size), wanted) << "pieces of " << size;
    }
}

TEST(Redactor, ShowsALineAtOnceAndAPromptToo) {
    Redactor redactor({});
    EXPECT_EQ(redactor.take("50 % done\r"), "50 % done\r");
    EXPECT_EQ(redactor.take("Continue? "), "Continue? ");
    EXPECT_EQ(redactor.take("gh"), "") << "may be the start of a token";
    EXPECT_EQ(redactor.take("ost\n"), "ghost\n");
}

TEST(Redactor, APrivateKeyThatIsCutOffHidesNothingThatNoKeyHas) {
    EXPECT_EQ(in_pieces(Redactor({}), kKey.substr(0, 5'000) + "\n{more}", 100),
              "[redacted:private-key]{more}");
}

TEST(Redactor, AKeyInsideALineOfJsonLeavesTheLineWhole) {
    std::string key = kKey;
    for (auto at = key.find('\n'); at != std::string::npos; at = key.find('\n', at)) {
        key.replace(at, 1, "\\n");
    }
    EXPECT_EQ(in_pieces(Redactor({}), "{\"k\":\"" + key + "\\n\",\"n\":1}\n", 1'000),
              "{\"k\":\"[redacted:private-key]\\n\",\"n\":1}\n");
}

TEST(Redactor, HidesTheLongerOfTwoSecretsThatBeginTogether) {
    EXPECT_EQ(in_pieces(Redactor({{"A", kToken + "/more"}, {"B", "ghp_"}}), kToken + "/more.", 7),
              "[redacted:A].");
}

TEST(Redactor, TellsAWordsMiddleFromItsBeginningAcrossPieces) {
    const std::string text = "disk-" + kToken.substr(4) + "\n";
    for (const std::size_t size : {1, 2, 3, 100})
        EXPECT_EQ(in_pieces(Redactor({}), text, size), text);
}

/// The least of three measurements of the CPU time that a text of `bytes` of nothing but `mark`
/// takes.
double seconds_for(const std::string& mark, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += mark;
    double least = 1e9;
    for (int round = 0; round < 3; ++round) {
        const std::clock_t start = std::clock();
        EXPECT_EQ(in_pieces(Redactor({}), text, text.size()), text);
        least = std::min(least, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    return least;
}

// If each mark read the rest again, eight times the text would take sixty-four times as long.
TEST(Redactor, ATextOfNothingButMarksIsNotReadAgainForEach) {
    for (const char* mark : {"sk-", "eyJ.", "-----BEGIN PRIVATE KEY----- ", "Bearer "})
        EXPECT_LT(seconds_for(mark, 400'000), 30 * seconds_for(mark, 50'000)) << mark;
}

std::vector<std::string> names_of(const std::vector<SecretValue>& values) {
    std::vector<std::string> names;
    for (const SecretValue& value : values) names.push_back(value.name);
    return names;
}

TEST(SecretValues, AreVariablesWhoseNamesSpeakOfThemAndThatAreLongEnough) {
    const auto found =
        secret_values({"PATH=/usr/bin", "OPENAI_API_KEY=12345678", "GH_TOKEN=x=y=z=ab",
                       "db_password=correct horse", "KEYBOARD=international",
                       "TOKENIZERS_PARALLELISM=falsehood", "A_KEY=short"},
                      {}, "");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(names_of(*found),
              (std::vector<std::string>{"OPENAI_API_KEY", "GH_TOKEN", "db_password"}));
    EXPECT_EQ((*found)[1].value, "x=y=z=ab");
}

TEST(SecretValues, OfSeveralLinesAreFoundLineByLineToo) {
    const auto found = secret_values({"MY_KEY=first line of it 123\n}\nsecond line of it"}, {}, "");
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->size(), 3U);
    EXPECT_EQ((*found)[2].value, "second line of it");
}

TEST(SecretValues, AreTakenFromNamedVariablesAndAFile) {
    FolderRig folder;
    std::ofstream(folder.file("values")) << "one value\n\nanother\r\n";
    const auto found =
        secret_values({"PLAIN=to be hidden"}, {"PLAIN", "HOME"}, folder.file("values"));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(names_of(*found), (std::vector<std::string>{"PLAIN", "HOME", "secret", "secret"}));
    EXPECT_EQ((*found)[3].value, "another");
}

TEST(SecretValues, ThatCannotBeHiddenAreRefusedByTheNameOfTheirFlag) {
    EXPECT_EQ(secret_values({}, {"ZQ_NO_SUCH_VARIABLE"}, "").error().field, "--redact-env");
    EXPECT_EQ(secret_values({"X=abc"}, {"X"}, "").error().field, "--redact-env");
    EXPECT_EQ(secret_values({}, {}, "/no/such/file").error().field, "--redact-file");
    FolderRig folder;
    std::ofstream(folder.file("values")) << "long enough\nabc\n";
    const auto refused = secret_values({}, {}, folder.file("values"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("values:2"), std::string::npos);
}

}  // namespace
}  // namespace zq::worker
