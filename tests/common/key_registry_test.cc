// Known keys and invitations, and what a crash in the middle of a JOIN leaves.
#include "common/platform/key_registry.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/platform/files.h"

namespace zq {
namespace {

constexpr Instant kNow{1'800'000'000'000};

class KeyRegistryTest : public testing::Test {
  protected:
    KeyRegistryTest()
        : folder_(testing::TempDir() + "registry-" + std::to_string(random_u64())),
          registry_(folder_) {}

    void TearDown() override { std::filesystem::remove_all(folder_); }

    KnownKey invite(const std::string& role, Instant expires = kNow + hours(1)) {
        KnownKey key{make_key_pair().public_key,
                     "invited",
                     KeyKind::kInvitation,
                     RoleName(role),
                     expires,
                     Identity("ann@0123456789abcdef"),
                     default_permissions(KeyKind::kClient, {})};
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

TEST_F(KeyRegistryTest, AnInvitationForSeveralIsGoodForSoMany) {
    KnownKey invitation = invite("review");
    invitation.uses = 2;
    ASSERT_TRUE(registry_.update(invitation));
    const std::string first = make_key_pair().public_key;
    ASSERT_TRUE(registry_.redeem(invitation.public_key, first, "one", kNow));
    ASSERT_TRUE(registry_.redeem(invitation.public_key, first, "one", kNow)) << "the same again";
    ASSERT_TRUE(registry_.redeem(invitation.public_key, make_key_pair().public_key, "two", kNow));
    EXPECT_EQ(registry_.redeem(invitation.public_key, make_key_pair().public_key, "three", kNow)
                  .error()
                  .code,
              ErrorCode::DENIED);
}

TEST_F(KeyRegistryTest, AKeyHasThePermissionsOfItsInvitationAndKeepsWhatItIsGiven) {
    KnownKey invitation = invite("");
    invitation.rights = *parse_permissions({"submit:review", "read:group:nightly"}, "");
    ASSERT_TRUE(registry_.update(invitation));
    const std::string mine = make_key_pair().public_key;
    auto key = registry_.redeem(invitation.public_key, mine, "bob", kNow);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->rights, invitation.rights);
    key->rights = key->rights.with({Right::kApprove, {}});
    ASSERT_TRUE(registry_.update(*key));
    EXPECT_EQ(registry_.read(*key_fingerprint(mine)).value()->rights.texts(),
              (std::vector<std::string>{"approve", "read:group:nightly", "submit:review"}));
}

TEST_F(KeyRegistryTest, AFileOfAVersionWithoutPermissionsHasTheUsualOnes) {
    const std::string mine = make_key_pair().public_key;
    ASSERT_TRUE(make_folders(folder_ + "/known", 0700));
    ASSERT_TRUE(write_file(file_of(mine),
                           "public_key = \"" + mine +
                               "\"\nname = \"bob\"\nkind = \"worker\"\n"
                               "role = \"review\"\n",
                           0600, Durability::kNone));
    EXPECT_EQ(registry_.find(mine).value()->rights,
              default_permissions(KeyKind::kWorker, RoleName("review")));
}

TEST_F(KeyRegistryTest, AKeyThatTakesAnothersPlaceKeepsItsIdentityAndRights) {
    const KnownKey invitation = invite("review");
    const std::string old = make_key_pair().public_key;
    const std::string fresh = make_key_pair().public_key;
    auto joined = registry_.redeem(invitation.public_key, old, "bob", kNow);
    ASSERT_TRUE(joined);
    const std::string fingerprint = *key_fingerprint(old);
    auto rotated = registry_.rotate(fingerprint, fresh, kNow + hours(1));
    ASSERT_TRUE(rotated) << rotated.error().message;
    EXPECT_EQ(*identity_of(*rotated), *identity_of(*joined));
    EXPECT_EQ(rotated->rights, joined->rights);
    EXPECT_EQ(registry_.find(old).value()->expires_at, kNow + hours(1));
    EXPECT_TRUE(registry_.rotate(fingerprint, fresh, kNow + hours(2))) << "the answer was lost";
    EXPECT_EQ(registry_.find(old).value()->expires_at, kNow + hours(1));
    EXPECT_EQ(registry_.rotate("0123456789abcdef", fresh, kNow).error().code, ErrorCode::NOT_FOUND);
    const KnownKey other = invite("");
    EXPECT_EQ(registry_.rotate(fingerprint, other.public_key, kNow).error().code,
              ErrorCode::CONFLICT);
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
