// Secrets without a form of their own: found after a word that speaks of secrets, and left alone
// without one. The samples are made by count, so that nothing in this file is a key.
#include "common/base/keyed_secret.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "common/base/secret_formats.h"

namespace zq {
namespace {

constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += letters[random() % letters.size()];
    return text;
}

std::string sample(std::size_t count) {
    std::mt19937 random(7);
    return random_text(random, kLetters, count);
}

std::string found_in(const std::string& text) {
    const auto found = find_secret(text);
    if (!found) return "nothing";
    EXPECT_EQ(found->kind, kNamedSecret) << text;
    return text.substr(found->begin, found->end - found->begin);
}

TEST(KeyedSecrets, AreFoundAfterAWordThatSpeaksOfThem) {
    const std::string value = sample(40);
    for (const std::string before :
         {"password = ", "password=", "DB_PASSWORD: ", "\"api_key\": \"", "apiKey: '",
          "client-secret := ", "auth.token => `", "{\\\"password\\\": \\\"",
          "env['SECRET_KEY'] = '", "https://example.com/?access_token="}) {
        EXPECT_EQ(found_in("x " + before + value + "\"\n"), value) << before;
    }
}

TEST(KeyedSecrets, AreFoundAlmostAlways) {
    std::mt19937 random(11);
    for (const auto& [letters, count] :
         {std::pair{kLetters, 40UL},
          {kLetters, 20UL},
          {std::string_view("abcdefghijklmnopqrstuvwxyz0123456789"), 32UL},
          {std::string_view("0123456789abcdef"), 64UL}}) {
        int found = 0;
        for (int i = 0; i < 1000; ++i) {
            const std::string text = "token: " + random_text(random, letters, count);
            found += find_secret(text) ? 1 : 0;
        }
        EXPECT_GE(found, 940) << letters << " " << count;
    }
}

TEST(KeyedSecrets, AreLeftAloneWithoutSuchAWord) {
    for (const std::string& text : std::vector<std::string>{
             "commit = " + std::string("3f2a9c") + "81d07be4455f1e0a6c9d2b7788aa01cdef23",
             "id: 550e8400-e29b-41d4-a716-446655440000", "sha256=" + sample(64),
             "image: data/" + sample(400), "monkey = " + sample(40), sample(400),
             "digest " + sample(64), "password " + sample(40)}) {
        EXPECT_EQ(found_in(text), "nothing") << text;
    }
}

TEST(KeyedSecrets, AreNotWordsNamesOrCode) {
    for (const std::string& text : std::vector<std::string>{
             "password = correct-horse-battery-staple-2", "token: get_token_of_user_2_or_none",
             "token = makeTokenForUser2(self)", "secret = config[\"SECRET\"]",
             "password: secret://DB_PASSWORD", "token=$GITHUB_TOKEN_FOR_TASK_2",
             "password == " + sample(40), "token: 1234567812345678",
             "secret: /etc/ssl/private/key1.pem", "token = 0123456789abcdef0123",
             "password: hunter2"}) {
        EXPECT_EQ(found_in(text), "nothing") << text;
    }
}

TEST(KeyedSecrets, KeepTheKindOfAForm) {
    std::string token = "ghp_";
    while (token.size() < 40) token += "aB3dE5gH7j";
    const auto found = find_secret("token: " + token.substr(0, 40));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, "github-token");
}

TEST(KeyedSecrets, AreHeldBackWhileTheyMayGoOn) {
    const std::string text = "a line\nDB_PASSWORD = " + sample(20);
    for (std::size_t n = text.find("PASS") + 1; n <= text.size(); ++n) {
        const std::string part = text.substr(0, n);
        EXPECT_EQ(unfinished_secret(part), n - 7) << part;
    }
    EXPECT_EQ(unfinished_secret("a line of words\n"), 0U);
    EXPECT_EQ(unfinished_secret("token: words and more "), 0U);
}

}  // namespace
}  // namespace zq
