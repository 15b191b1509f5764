// Known keys and invitations, and what a crash in the middle of a JOIN leaves.
#include "common/platform/key_registry.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/platform/files.h"

namespace zq {
namespace {

constexpr Instant kNow{1'800'000'000'000};

class KeyRegistryTest : public testing::Test {
  protected:
    KeyRegistryTest()
        : folder_(testing::TempDir() + "registry-" + std::to_string(random_u64())),
          registry_(folder_) {}

    KnownKey invite(const std::string& role, Instant expires = kNow + hours(1)) {
        KnownKey key{
            make_key_pair().public_key, "invited", KeyKind::kInvitation, RoleName(role), expires,
            "ann@0123456789abcdef"};
        EXPECT_TRUE(registry_.add(key));
        return key;
    }
    std::string file_of(const std::string& public_key) {
        return folder_ + "/known/" + *key_fingerprint(public_key) + ".toml";
    }

    std::string folder_;
    KeyRegistry registry_;
};

TEST_F(KeyRegistryTest, KnowsNothingWhereThereIsNoFolder) {
    EXPECT_EQ(registry_.server_keys().error().code, ErrorCode::NOT_FOUND);
    EXPECT_TRUE(registry_.list()->empty());
    EXPECT_EQ(registry_.find(make_key_pair().public_key).value(), std::nullopt);
}

TEST_F(KeyRegistryTest, MakesTheServersPairOnceAndPrivate) {
    const KeyPair keys = *registry_.ensure_server_keys();
    EXPECT_EQ(registry_.ensure_server_keys()->public_key, keys.public_key);
    struct stat info {};
    ASSERT_EQ(::stat((folder_ + "/server.key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(folder_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(KeyRegistryTest, AddsFindsListsAndRemoves) {
    const KnownKey key{make_key_pair().public_key, "ann", KeyKind::kAdmin, {}, {}, {}};
    ASSERT_TRUE(registry_.add(key));
    EXPECT_EQ(registry_.add(key).error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(registry_.find(key.public_key).value()->name, "ann");
    EXPECT_EQ(registry_.list()->size(), 1U);
    EXPECT_EQ(identity_of(key)->text, "ann@" + *key_fingerprint(key.public_key));
    ASSERT_TRUE(registry_.remove(key.public_key));
    EXPECT_EQ(registry_.remove(key.public_key).error().code, ErrorCode::NOT_FOUND);
    EXPECT_EQ(registry_.add({key.public_key, "../x", KeyKind::kAdmin, {}, {}, {}}).error().code,
              ErrorCode::INVALID);
}

TEST_F(KeyRegistryTest, AnInvitationIsGoodForOneKeyAndItsRole) {
    const KnownKey invitation = invite("review");
    const std::string mine = make_key_pair().public_key;
    auto joined = registry_.redeem(invitation.public_key, mine, "bob", kNow);
    ASSERT_TRUE(joined) << joined.error().message;
    EXPECT_EQ(joined->kind, KeyKind::kWorker);
    EXPECT_EQ(joined->role, RoleName("review"));
    EXPECT_EQ(registry_.find(mine).value()->name, "bob");
    EXPECT_EQ(registry_.find(invitation.public_key).value(), std::nullopt);
    // The answer was lost: the same request gets it again. Another key gets nothing.
    EXPECT_TRUE(registry_.redeem(invitation.public_key, mine, "bob", kNow));
    EXPECT_EQ(registry_.redeem(invitation.public_key, make_key_pair().public_key, "eve", kNow)
                  .error()
                  .code,
              ErrorCode::DENIED);
    EXPECT_EQ(registry_.list()->size(), 1U);
}

TEST_F(KeyRegistryTest, ACrashBetweenTheTwoFilesSpendsTheInvitation) {
    const KnownKey invitation = invite("");
    auto file = read_file(file_of(invitation.public_key));
    const std::string mine = make_key_pair().public_key;
    EXPECT_EQ(registry_.redeem(invitation.public_key, mine, "bob", kNow)->kind, KeyKind::kClient);
    // As a crash would have left it: the new key is there, and the invitation too.
    ASSERT_TRUE(write_file(file_of(invitation.public_key), *file, 0600, Durability::kNone));
    EXPECT_EQ(registry_.redeem(invitation.public_key, make_key_pair().public_key, "eve", kNow)
                  .error()
                  .code,
              ErrorCode::DENIED);
    EXPECT_TRUE(registry_.redeem(invitation.public_key, mine, "bob", kNow));
    EXPECT_EQ(registry_.list()->size(), 1U);
}

TEST_F(KeyRegistryTest, RefusesExpiredForeignAndTakenKeys) {
    const KnownKey expired = invite("", kNow);
    EXPECT_EQ(
        registry_.redeem(expired.public_key, make_key_pair().public_key, "bob", kNow).error().code,
        ErrorCode::DENIED);
    const KnownKey client{make_key_pair().public_key, "ann", KeyKind::kClient, {}, {}, {}};
    ASSERT_TRUE(registry_.add(client));
    EXPECT_EQ(
        registry_.redeem(client.public_key, make_key_pair().public_key, "bob", kNow).error().code,
        ErrorCode::DENIED);
    EXPECT_EQ(registry_.redeem(invite("").public_key, client.public_key, "bob", kNow).error().code,
              ErrorCode::CONFLICT);
}

TEST_F(KeyRegistryTest, ABrokenFileIsNamedWithItsLine) {
    const KnownKey key = invite("");
    ASSERT_TRUE(write_file(file_of(key.public_key), "public_key = \"x\"\nkind = \"boss\"\n", 0600,
                           Durability::kNone));
    EXPECT_NE(registry_.find(key.public_key).error().message.find(".toml:2: kind"),
              std::string::npos);
}

}  // namespace
}  // namespace zq
