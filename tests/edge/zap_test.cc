// Who may connect: the ZAP handler over real CURVE sockets on loopback.
#include "coordinator/edge/zap.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/platform/files.h"
#include "coordinator/edge/access.h"

namespace zq::edge {
namespace {

class ZapTest : public testing::Test {
  protected:
    ZapTest()
        : folder_(testing::TempDir() + "keys-" + std::to_string(random_u64())), registry_(folder_) {
        server_keys_ = *registry_.ensure_server_keys();
        handler_ = std::move(*ZapHandler::start(context_, registry_, book_));
        SocketOptions options;
        options.kind = SocketKind::kRouter;
        options.curve = CurveKeys{server_keys_.public_key, server_keys_.secret_key, {}};
        options.zap_domain = "zq";
        server_ = std::make_unique<Socket>(std::move(*Socket::open(context_, options)));
        EXPECT_TRUE(server_->bind("tcp://127.0.0.1:*"));
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    static KnownKey known(const std::string& public_key, const std::string& name, KeyKind kind,
                          Instant expires) {
        KnownKey key;
        key.public_key = public_key;
        key.name = name;
        key.kind = kind;
        key.role = RoleName("r");
        key.expires_at = expires;
        key.rights = default_permissions(kind, key.role);
        return key;
    }

    KeyPair add(const std::string& name, KeyKind kind, Instant expires = {}) {
        const KeyPair keys = make_key_pair();
        EXPECT_TRUE(registry_.add(known(keys.public_key, name, kind, expires)));
        return keys;
    }

    Socket connect(std::optional<KeyPair> keys) {
        SocketOptions options;
        options.kind = SocketKind::kDealer;
        if (keys) {
            options.curve = CurveKeys{keys->public_key, keys->secret_key, server_keys_.public_key};
        }
        Socket client = std::move(*Socket::open(context_, options));
        EXPECT_TRUE(client.connect(server_->last_endpoint()));
        EXPECT_EQ(client.send({"hello"}), SendStatus::kSent);
        return client;
    }

    /// The user id of the next message, or nothing within the time.
    std::optional<std::string> next_user(Millis patience) {
        std::vector<PollItem> items{{server_->raw(), -1, false}};
        if (poll(items, patience) == 0) return std::nullopt;
        return server_->receive()->user_id;
    }

    std::string folder_;
    KeyRegistry registry_;
    KeyBook book_;
    KeyPair server_keys_;
    SocketContext context_;
    std::unique_ptr<ZapHandler> handler_;
    std::unique_ptr<Socket> server_;
};

TEST_F(ZapTest, AKnownKeyIsNamedAndANewOneNeedsNoRestart) {
    const KeyPair keys = add("ann", KeyKind::kClient);
    const Socket client = connect(keys);
    EXPECT_EQ(next_user(seconds(10)), *key_fingerprint(keys.public_key));
    const auto ann = book_.find(*key_fingerprint(keys.public_key), wall_time());
    ASSERT_TRUE(ann) << "it is known before its first word";
    EXPECT_EQ(ann->identity.text, "ann@" + *key_fingerprint(keys.public_key));
    EXPECT_TRUE(ann->rights.may_put());
    const KeyPair later = add("bob", KeyKind::kWorker);
    const Socket other = connect(later);
    EXPECT_EQ(next_user(seconds(10)), *key_fingerprint(later.public_key));
}

TEST_F(ZapTest, AnInvitationIsMarkedAsOne) {
    const KeyPair keys = add("guest", KeyKind::kInvitation, wall_time() + minutes(1));
    const Socket client = connect(keys);
    const auto user = next_user(seconds(10));
    ASSERT_TRUE(user);
    EXPECT_EQ(peer_of({Trust::kAuthenticated, *user}, book_, wall_time()).invitation,
              keys.public_key);
}

TEST_F(ZapTest, StrangersGetNoWordThrough) {
    const Socket unknown = connect(make_key_pair());
    const Socket expired = connect(add("late", KeyKind::kInvitation, Instant{1}));
    const Socket past = connect(add("past", KeyKind::kClient, Instant{1}));
    const Socket plain = connect(std::nullopt);
    EXPECT_EQ(next_user(millis(700)), std::nullopt);
    const Socket known = connect(add("ann", KeyKind::kClient));
    EXPECT_TRUE(next_user(seconds(10)));
}

TEST_F(ZapTest, WithoutAHandlerNobodyGetsIn) {
    const KeyPair keys = add("ann", KeyKind::kClient);
    handler_.reset();
    const Socket client = connect(keys);
    EXPECT_EQ(next_user(millis(700)), std::nullopt);
}

TEST(ZapAnswers, RefuseEverythingButCurveAndEveryOddFrame) {
    const KeyRegistry registry("/nowhere");
    KeyBook book;
    const auto code = [&](const Frames& request) {
        const Frames reply = answer_zap(request, registry, book, wall_time());
        return reply.empty() ? std::string() : reply[2] + reply[4];
    };
    EXPECT_EQ(code({"1.0", "1", "zq", "127.0.0.1", "", "NULL"}), "400");
    EXPECT_EQ(code({"1.0", "1", "zq", "127.0.0.1", "", "PLAIN", "user", "pass"}), "400");
    EXPECT_EQ(code({"1.0", "1", "zq", "127.0.0.1", "", "CURVE", "short"}), "400");
    EXPECT_EQ(code({"1.0", "1", "zq", "127.0.0.1", "", "CURVE", std::string(32, 'k')}), "400");
    EXPECT_EQ(code({"2.0", "1", "zq", "127.0.0.1", "", "CURVE", std::string(32, 'k')}), "");
    EXPECT_EQ(code({"1.0"}), "");
}

}  // namespace
}  // namespace zq::edge
