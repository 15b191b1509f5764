// The formats of keys and tokens. The samples are made of their marks and of letters by count, so
// that nothing in this file is a key.
#include "common/base/secret_formats.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace zq {
namespace {

std::string letters(std::size_t count) {
    std::string text;
    while (text.size() < count) text += "aB3dE5gH7j";
    return text.substr(0, count);
}

std::string upper(std::size_t count) {
    std::string text;
    while (text.size() < count) text += "AB3DE5GH7J";
    return text.substr(0, count);
}

std::string kind_of(const std::string& text) {
    auto found = find_secret("before " + text + " after");
    if (!found) return "none";
    EXPECT_EQ(found->begin, 7U) << text;
    EXPECT_EQ(found->end, 7 + text.size()) << text;
    return std::string(found->kind);
}

TEST(SecretFormats, FindTheCommonOnesWholeAndNameThem) {
    EXPECT_EQ(kind_of("AKIA" + upper(16)), "aws-key");
    EXPECT_EQ(kind_of("ghp_" + letters(36)), "github-token");
    EXPECT_EQ(kind_of("github_pat_" + letters(82)), "github-token");
    EXPECT_EQ(kind_of("glpat-" + letters(20)), "gitlab-token");
    EXPECT_EQ(kind_of("sk-ant-api03-" + letters(80)), "api-key");
    EXPECT_EQ(kind_of("xoxb-" + letters(50)), "slack-token");
    EXPECT_EQ(kind_of("AIza" + letters(35)), "google-key");
    EXPECT_EQ(kind_of("npm_" + letters(36)), "npm-token");
    EXPECT_EQ(kind_of("eyJ" + letters(20) + "." + letters(30) + "." + letters(43)), "jwt");
    EXPECT_EQ(kind_of("SG." + letters(22) + "." + letters(43)), "sendgrid-key");
    EXPECT_EQ(kind_of("-----BEGIN RSA PRIVATE KEY-----\n" + letters(200) +
                      "\n-----END RSA PRIVATE KEY-----"),
              "private-key");
}

TEST(SecretFormats, LeaveTheMarkThatOnlySaysWhatFollows) {
    for (const auto& [before, secret, kind] :
         {std::tuple{"Authorization: Bearer ", letters(24), "bearer-token"},
          {"AWS_SECRET_ACCESS_KEY=", letters(38) + "/+", "aws-secret-key"},
          {"aws_secret_access_key = ", letters(40), "aws-secret-key"},
          {"{\"SecretAccessKey\": \"", letters(40), "aws-secret-key"}}) {
        const std::string text = before + secret + "\n";
        const auto found = find_secret(text);
        ASSERT_TRUE(found) << text;
        EXPECT_EQ(text.substr(found->begin, found->end - found->begin), secret);
        EXPECT_EQ(found->kind, kind);
    }
}

TEST(SecretFormats, LeaveOrdinaryTextAlone) {
    for (const std::string& text :
         {std::string("task-0123456789 and risk-assessment-of-the-whole-subsystem-in-2026"),
          std::string("sk-learn pipelines"), std::string("AKIA is a prefix"),
          std::string("disk-aB3dE5gH7jaB3dE5gH7jaB3dE5gH7jaB3dE5gH7j"), "eyJ" + letters(60),
          std::string("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
          std::string("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
          std::string("Bearer of bad news, and the bearer tokens of old"),
          std::string("it begins with -----BEGIN PRIVATE KEY----- and so on, and on, and on, and "
                      "on, and on, and on, and on, and on, and on, and on, and on, and on"),
          std::string("sk-words-that-are-joined-by-dashes-and-have-no-digit-at-all")}) {
        EXPECT_FALSE(find_secret(text)) << text;
    }
}

TEST(SecretFormats, TellHowMuchOfATextsEndMayGoOn) {
    const std::string token = "ghp_" + letters(36);
    for (std::size_t n = 1; n <= token.size(); ++n) {
        EXPECT_EQ(unfinished_secret("says " + token.substr(0, n)), n) << token.substr(0, n);
    }
    EXPECT_EQ(unfinished_secret("says " + token + "\n"), 0U);
    const std::string key =
        "-----BEGIN PRIVATE KEY-----\n" + letters(3'000) + "\n-----END PRIVATE KEY-----";
    for (std::size_t n = 1; n < key.size(); ++n) {
        ASSERT_EQ(unfinished_secret("says " + key.substr(0, n)), n) << n;
    }
    EXPECT_EQ(unfinished_secret("says " + key + "\n"), 0U);
    EXPECT_LE(unfinished_secret("says " + key.substr(0, 100) + letters(100'000)), kSecretBytes);
    EXPECT_EQ(unfinished_secret("an ordinary line\n"), 0U);
}

}  // namespace
}  // namespace zq
