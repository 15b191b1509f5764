// The coordinator's keys while it runs, on real files and a journal in memory: what admins change,
// what changes behind its back, and that the journal has both.
#include "coordinator/access_desk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "common/platform/clock.h"
#include "coordinator/store/memory_journal.h"

namespace zq::coordinator {
namespace {

constexpr Instant kNow{1'800'000'000'000};
const Identity kAnn("ann@1");

class AccessDeskTest : public testing::Test {
  protected:
    AccessDeskTest()
        : folder_(testing::TempDir() + "desk-" + std::to_string(random_u64())),
          registry_(folder_),
          journal_(disk_, store::MemorySync::kAtOnce),
          pipeline_(journal_, {}) {
        EXPECT_TRUE(registry_.ensure_server_keys());
        EXPECT_TRUE(pipeline_.acquire());
        core::Command start;
        start.now = kNow;
        start.identity = kSystemIdentity;
        start.body = core::StartEpoch{disk_.journal, 1, "test"};
        pipeline_.run(start);
        admin_ = add("boss", KeyKind::kAdmin);
        open();
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    void open() {
        desk_ = std::make_unique<AccessDesk>(pipeline_, registry_, book_);
        ASSERT_TRUE(desk_->start(kNow));
    }
    KnownKey key_of(const std::string& name, KeyKind kind) {
        KnownKey key;
        key.public_key = make_key_pair().public_key;
        key.name = name;
        key.kind = kind;
        key.rights = default_permissions(kind, RoleName("review"));
        return key;
    }
    /// Gives its fingerprint.
    std::string add(const std::string& name, KeyKind kind) {
        const KnownKey key = key_of(name, kind);
        EXPECT_TRUE(registry_.add(key));
        return *key_fingerprint(key.public_key);
    }
    Result<wire::AccessRows> change(const std::string& key, std::vector<std::string> grant,
                                    std::vector<std::string> revoke = {}, bool remove = false) {
        return desk_->change({key, std::move(grant), std::move(revoke), remove, {}},
                             {kAnn, kNow, "because"});
    }
    const std::map<std::string, KeyAccess>& journaled() { return pipeline_.state().durable.access; }
    edge::Peer peer(const std::string& fingerprint) {
        return edge::peer_of({edge::Trust::kAuthenticated, fingerprint}, book_, kNow);
    }

    std::string folder_;
    KeyRegistry registry_;
    store::MemoryDisk disk_;
    store::MemoryJournal journal_;
    Pipeline pipeline_;
    edge::KeyBook book_;
    std::string admin_;
    std::unique_ptr<AccessDesk> desk_;
};

TEST_F(AccessDeskTest, WhatIsThereAtTheStartIsKnownAndJournaledOnce) {
    EXPECT_TRUE(peer(admin_).rights().is_admin());
    EXPECT_EQ(journaled().at(admin_).kind, KeyKind::kAdmin);
    const Seq before = pipeline_.state().durable.last_seq;
    open();
    EXPECT_EQ(pipeline_.state().durable.last_seq, before);
}

TEST_F(AccessDeskTest, AGrantAndARevokeCountFromTheNextMessageAndAreInTheFileAndTheJournal) {
    const std::string bob = add("bob", KeyKind::kClient);
    desk_->reload(kNow);
    ASSERT_TRUE(change("bob", {"operate"}, {"submit:*"}));
    EXPECT_TRUE(peer(bob).rights().may_operate());
    EXPECT_FALSE(peer(bob).rights().may_submit(RoleName("review")));
    EXPECT_TRUE(registry_.read(bob).value()->rights.may_operate());
    EXPECT_EQ(journaled().at(bob).permissions,
              (std::vector<std::string>{"operate", "put", "read:own"}));
    EXPECT_EQ(peer(bob).identity.text, "bob@" + bob);
}

TEST_F(AccessDeskTest, ARemovedKeyIsAStrangerAtOnce) {
    const std::string bob = add("bob", KeyKind::kClient);
    desk_->reload(kNow);
    auto rows = change(bob, {}, {}, true);
    ASSERT_TRUE(rows);
    EXPECT_TRUE(rows->rows.empty());
    EXPECT_EQ(peer(bob).kind, edge::PeerKind::kStranger);
    EXPECT_EQ(registry_.read(bob).value(), std::nullopt);
    EXPECT_FALSE(journaled().contains(bob));
}

TEST_F(AccessDeskTest, AFileThatIsRemovedOrWrittenByHandIsFollowed) {
    const std::string bob = add("bob", KeyKind::kClient);
    ASSERT_TRUE(desk_->follow(kNow));
    EXPECT_TRUE(peer(bob).rights().may_put());
    const std::string path = folder_ + "/known/" + bob + ".toml";
    KnownKey key = *registry_.read(bob).value();
    key.rights = *parse_permissions({"read:all"}, "");
    ASSERT_TRUE(registry_.update(key));
    ASSERT_TRUE(desk_->follow(kNow));
    EXPECT_FALSE(peer(bob).rights().may_put());
    ASSERT_EQ(::unlink(path.c_str()), 0);
    ASSERT_TRUE(desk_->follow(kNow));
    EXPECT_EQ(peer(bob).kind, edge::PeerKind::kStranger);
    EXPECT_FALSE(journaled().contains(bob));
    EXPECT_FALSE(desk_->follow(kNow)) << "nothing has changed since";
}

TEST_F(AccessDeskTest, ABrokenFileMakesItsKeyUnknownUntilItIsMended) {
    const std::string bob = add("bob", KeyKind::kClient);
    desk_->follow(kNow);
    const std::string path = folder_ + "/known/" + bob + ".toml";
    const std::string good = *read_file(path);
    ASSERT_TRUE(
        write_file(path, good + "permissions = [\"everything\"]\n", 0600, Durability::kNone));
    ASSERT_TRUE(desk_->follow(kNow));
    EXPECT_EQ(peer(bob).kind, edge::PeerKind::kStranger);
    ASSERT_TRUE(write_file(path, good, 0600, Durability::kNone));
    ASSERT_TRUE(desk_->follow(kNow));
    EXPECT_TRUE(peer(bob).rights().may_put());
}

TEST_F(AccessDeskTest, WhatChangedWhileNobodyRanIsJournaledAtTheNextStart) {
    const std::string bob = add("bob", KeyKind::kClient);
    desk_->reload(kNow);
    desk_.reset();
    ASSERT_TRUE(registry_.remove(registry_.read(bob).value()->public_key));
    const std::string eve = add("eve", KeyKind::kClient);
    open();
    EXPECT_FALSE(journaled().contains(bob));
    EXPECT_TRUE(journaled().contains(eve));
}

TEST_F(AccessDeskTest, TheLastAdminStays) {
    EXPECT_EQ(change("boss", {}, {"admin"}).error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(change("boss", {}, {}, true).error().code, ErrorCode::CONFLICT);
    const std::string ann = add("ann", KeyKind::kClient);
    desk_->follow(kNow);
    ASSERT_TRUE(change(ann, {"admin"}));
    EXPECT_TRUE(change("boss", {}, {}, true));
    EXPECT_EQ(change(ann, {}, {"admin"}).error().code, ErrorCode::CONFLICT);
}

TEST_F(AccessDeskTest, OneKeyIsMeantOrNoneIsChanged) {
    const std::string one = add("bob", KeyKind::kClient);
    add("bob", KeyKind::kClient);
    desk_->follow(kNow);
    EXPECT_EQ(change("bob", {"put"}).error().code, ErrorCode::CONFLICT);
    EXPECT_EQ(change("eve", {"put"}).error().code, ErrorCode::NOT_FOUND);
    EXPECT_EQ(change(one, {"everything"}).error().code, ErrorCode::INVALID);
    EXPECT_TRUE(change(one, {"approve"}));
}

TEST_F(AccessDeskTest, WhoIsNoAdminIsToldOfItsOwnKeyAlone) {
    const std::string bob = add("bob", KeyKind::kClient);
    add("eve", KeyKind::kClient);
    desk_->follow(kNow);
    EXPECT_EQ(desk_->list(peer(admin_), {}).rows.size(), 3U);
    const auto rows = desk_->list(peer(bob), {}).rows;
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows.front().fingerprint, bob);
    EXPECT_TRUE(desk_->list(peer(bob), {"eve"}).rows.empty());
}

TEST_F(AccessDeskTest, AnInvitationMakesAKeyThatIsKnownAndJournaledWithWhoInvited) {
    KnownKey invitation = key_of("laptops", KeyKind::kInvitation);
    invitation.rights = *parse_permissions({"submit:review"}, "");
    invitation.invited_by = Identity("boss@" + admin_);
    ASSERT_TRUE(registry_.add(invitation));
    desk_->follow(kNow);
    const std::string invited = *key_fingerprint(invitation.public_key);
    EXPECT_EQ(journaled().at(invited).kind, KeyKind::kInvitation);
    EXPECT_EQ(peer(invited).kind, edge::PeerKind::kStranger) << "it is no peer's key";
    const std::string mine = make_key_pair().public_key;
    auto joined = desk_->join(invitation.public_key, {mine, "dan"}, kNow);
    ASSERT_TRUE(joined) << joined.error().message;
    const std::string fingerprint = *key_fingerprint(mine);
    EXPECT_TRUE(peer(fingerprint).rights().may_submit(RoleName("review")));
    EXPECT_EQ(journaled().at(fingerprint).invited_by, invitation.invited_by);
    EXPECT_FALSE(journaled().contains(invited)) << "it is used up";
}

TEST_F(AccessDeskTest, AKeyTakesAnothersPlaceAndTheOldOneEndsAfterItsGrace) {
    const std::string bob = add("bob", KeyKind::kClient);
    desk_->follow(kNow);
    const std::string fresh = make_key_pair().public_key;
    auto joined = desk_->rotate(peer(bob), {fresh, hours(1)}, kNow);
    ASSERT_TRUE(joined) << joined.error().message;
    const edge::Peer now = peer(*key_fingerprint(fresh));
    EXPECT_EQ(now.identity.text, "bob@" + bob) << "whoever owns its tasks goes on owning them";
    EXPECT_TRUE(peer(bob).key);
    EXPECT_EQ(edge::peer_of({edge::Trust::kAuthenticated, bob}, book_, kNow + hours(1)).kind,
              edge::PeerKind::kStranger);
    const edge::Peer local = edge::peer_of({}, book_, kNow);
    EXPECT_EQ(desk_->rotate(local, {fresh, {}}, kNow).error().code, ErrorCode::DENIED);
}

}  // namespace
}  // namespace zq::coordinator
