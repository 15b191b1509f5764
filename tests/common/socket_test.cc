// The ZeroMQ wrapper: whole messages or nothing, peers that are gone or full, bounds, REQ that
// survives a lost reply. On loopback, ports chosen by the system.
#include "common/platform/socket.h"

#include <gtest/gtest.h>

#include "common/platform/clock.h"
#include "common/platform/keys.h"

namespace zq {
namespace {

constexpr Millis kPatience = seconds(10);

Socket open(SocketContext& context, SocketKind kind, SocketOptions options = {}) {
    options.kind = kind;
    auto socket = Socket::open(context, options);
    EXPECT_TRUE(socket) << socket.error().message;
    return std::move(*socket);
}

std::optional<Received> await(Socket& socket, Millis patience = kPatience) {
    const Millis end = boottime() + patience;
    while (boottime() < end) {
        if (auto received = socket.receive()) return received;
        std::vector<PollItem> items{{socket.raw(), -1, false}};
        poll(items, end - boottime());
    }
    return std::nullopt;
}

class Sockets : public testing::Test {
  protected:
    void SetUp() override {
        router_.emplace(open(context_, SocketKind::kRouter, router_options()));
        ASSERT_TRUE(router_->bind("tcp://127.0.0.1:*"));
        endpoint_ = router_->last_endpoint();
    }
    static SocketOptions router_options() {
        SocketOptions options;
        options.send_high_water = 10;
        return options;
    }
    Socket dealer(SocketOptions options = {}) {
        Socket socket = open(context_, SocketKind::kDealer, options);
        EXPECT_TRUE(socket.connect(endpoint_));
        return socket;
    }

    SocketContext context_;
    std::optional<Socket> router_;
    std::string endpoint_;
};

TEST_F(Sockets, CarryWholeMessagesBothWaysByTheRoutingIdThatCame) {
    Socket peer = dealer();
    ASSERT_EQ(peer.send({"", "zq/1", std::string("\0\xff", 2)}), SendStatus::kSent);
    auto request = await(*router_);
    ASSERT_TRUE(request);
    ASSERT_EQ(request->frames.size(), 4U);
    EXPECT_EQ(request->frames[3], std::string("\0\xff", 2));
    EXPECT_FALSE(request->too_many);
    EXPECT_EQ(router_->send({request->frames[0], "", "answer"}), SendStatus::kSent);
    auto answer = await(peer);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->frames, (Frames{"", "answer"}));
}

TEST_F(Sockets, SayThatAPeerIsGone) {
    EXPECT_EQ(router_->send({"nobody", "x"}), SendStatus::kGone);
    std::string routing_id;
    {
        Socket peer = dealer();
        peer.send({"x"});
        routing_id = await(*router_).value().frames[0];
        EXPECT_EQ(router_->send({routing_id, "x"}), SendStatus::kSent);
    }
    const Millis end = boottime() + kPatience;
    SendStatus status = SendStatus::kSent;
    while (status != SendStatus::kGone && boottime() < end) {
        status = router_->send({routing_id, "x"});
        router_
            ->receive();  // a peer that was full when it left is gone only once the socket is read
    }
    EXPECT_EQ(status, SendStatus::kGone);
}

TEST_F(Sockets, SayThatAPeerIsFullInPlaceOfWaitingOrDropping) {
    SocketOptions small;
    small.receive_high_water = 1;
    Socket peer = dealer(small);
    peer.send({"x"});
    const std::string routing_id = await(*router_).value().frames[0];
    const std::string body(200'000, 'x');
    SendStatus status = SendStatus::kSent;
    int sent = 0;
    for (; status == SendStatus::kSent && sent < 10'000; ++sent)
        status = router_->send({routing_id, body});
    EXPECT_EQ(status, SendStatus::kFull) << "after " << sent;
    EXPECT_TRUE(await(peer)) << "what was sent arrives";
}

TEST_F(Sockets, CountTheFramesOfAMessageThatHasTooMany) {
    Socket peer = dealer();
    peer.send(Frames(500, "f"));
    peer.send({"next"});
    auto request = await(*router_);
    ASSERT_TRUE(request);
    EXPECT_TRUE(request->too_many);
    EXPECT_EQ(request->frames.size(), limits::kFrames);
    EXPECT_EQ(await(*router_).value().frames[1], "next") << "the rest was dropped with its message";
}

TEST_F(Sockets, CutOffAPeerThatSendsAFrameBeyondTheBoundAndServeTheOthers) {
    Socket rude = dealer();
    Socket polite = dealer();
    rude.send({std::string(limits::kMessageBytes + 1, 'x')});
    polite.send({std::string(limits::kMessageBytes, 'y')});
    auto request = await(*router_);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->frames[1].size(), limits::kMessageBytes);
    EXPECT_FALSE(await(*router_, millis(200)));
}

TEST_F(Sockets, LetARequestBeSentAgainAndTakeOnlyTheAnswerToTheLastOne) {
    Socket client = open(context_, SocketKind::kReq);
    ASSERT_TRUE(client.connect(endpoint_));
    ASSERT_EQ(client.send({"first"}), SendStatus::kSent);
    auto first = await(*router_);
    ASSERT_TRUE(first);
    ASSERT_EQ(client.send({"second"}), SendStatus::kSent);
    auto second = await(*router_);
    ASSERT_TRUE(second);
    auto answer = [](const Received& request, const std::string& text) {
        Frames frames(request.frames.begin(), request.frames.end() - 1);
        frames.push_back(text);
        return frames;
    };
    router_->send(answer(*first, "stale"));
    router_->send(answer(*second, "fresh"));
    auto got = await(client);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->frames, (Frames{"fresh"}));
}

TEST_F(Sockets, ReportAnAddressThatIsTaken) {
    Socket other = open(context_, SocketKind::kRouter);
    auto bound = other.bind(endpoint_);
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().code, ErrorCode::IO);
    EXPECT_NE(bound.error().message.find(endpoint_), std::string::npos);
    EXPECT_FALSE(other.connect("nonsense"));
}

TEST(CurveSockets, TalkOnlyToPeersThatKnowTheServersKey) {
    SocketContext context;
    const KeyPair server_keys = make_key_pair();
    const KeyPair client_keys = make_key_pair();
    SocketOptions server_side;
    server_side.curve = CurveKeys{server_keys.public_key, server_keys.secret_key, ""};
    Socket router = open(context, SocketKind::kRouter, server_side);
    ASSERT_TRUE(router.bind("tcp://127.0.0.1:*"));

    Socket plain = open(context, SocketKind::kDealer);
    ASSERT_TRUE(plain.connect(router.last_endpoint()));
    plain.send({"plain"});
    SocketOptions wrong_server;
    wrong_server.curve =
        CurveKeys{client_keys.public_key, client_keys.secret_key, client_keys.public_key};
    Socket deceived = open(context, SocketKind::kDealer, wrong_server);
    ASSERT_TRUE(deceived.connect(router.last_endpoint()));
    deceived.send({"deceived"});
    SocketOptions right;
    right.curve = CurveKeys{client_keys.public_key, client_keys.secret_key, server_keys.public_key};
    Socket friendly = open(context, SocketKind::kDealer, right);
    ASSERT_TRUE(friendly.connect(router.last_endpoint()));
    friendly.send({"friendly"});

    auto request = await(router);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->frames[1], "friendly");
    EXPECT_FALSE(await(router, millis(300)));
}

}  // namespace
}  // namespace zq
