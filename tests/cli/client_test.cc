// The client of the control socket against a server that loses, doubles and refuses.
#include "common/client/client.h"

#include <gtest/gtest.h>

#include "common/platform/clock.h"
#include "tests/cli/fake_server.h"

namespace zq {
namespace {

using test::FakeServer;
using test::say;

ClientOptions quick(std::vector<std::string> endpoints) {
    ClientOptions options;
    options.profile.endpoints = std::move(endpoints);
    options.reply_timeout = millis(150);
    options.give_up = seconds(10);
    return options;
}

wire::Pong pong() {
    return {"zq-coordinator test", "0", kLocalIdentity, Instant{1}};
}

TEST(Client, RepeatsARequestUnderTheSameIdWhenItsReplyIsLost) {
    SocketContext context;
    int asked = 0;
    FakeServer server(context, [&](const wire::Message&) {
        return ++asked < 3 ? std::vector<wire::Message>{} : say(pong());
    });
    auto client = Client::open(context, quick({server.endpoint()}));
    ASSERT_TRUE(client);
    auto reply = (*client)->call(wire::Submit{});
    ASSERT_TRUE(reply) << reply.error().error.message;
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[0].header, requests[2].header);
    EXPECT_NE(requests[0].header.id, 0U);
    EXPECT_FALSE(requests[0].header.client.empty());
}

TEST(Client, GivesEachRequestAnIdOfItsOwn) {
    SocketContext context;
    FakeServer server(context, [](const wire::Message&) { return say(pong()); });
    auto client = Client::open(context, quick({server.endpoint()}));
    ASSERT_TRUE((*client)->call(wire::Ping{}));
    ASSERT_TRUE((*client)->call(wire::Ping{}));
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_NE(requests[0].header.id, requests[1].header.id);
}

TEST(Client, PassesOverAReplyToAnotherRequest) {
    SocketContext context;
    int asked = 0;
    FakeServer server(context, [&](const wire::Message&) {
        auto reply = say(pong());
        if (++asked == 1) {
            reply[0].header.id = 999;
            std::get<wire::Pong>(reply[0].body).program = "stale";
        }
        return reply;
    });
    auto client = Client::open(context, quick({server.endpoint()}));
    auto reply = (*client)->call(wire::Ping{});
    ASSERT_TRUE(reply);
    EXPECT_EQ(std::get<wire::Pong>(reply->body).program, "zq-coordinator test");
}

TEST(Client, TakesOneReplyOfTwo) {
    SocketContext context;
    FakeServer server(context, [](const wire::Message&) {
        return std::vector<wire::Message>{{{}, pong(), {}}, {{}, pong(), {}}};
    });
    auto client = Client::open(context, quick({server.endpoint()}));
    ASSERT_TRUE((*client)->call(wire::Ping{}));
    ASSERT_TRUE((*client)->call(wire::Ping{}));
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST(Client, GivesUpInTimeAndSaysThatNobodyListens) {
    SocketContext context;
    ClientOptions options = quick({"tcp://127.0.0.1:1"});
    options.give_up = millis(400);
    auto client = Client::open(context, options);
    const Millis start = boottime();
    auto reply = (*client)->call(wire::Ping{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().error.code, ErrorCode::UNREACHABLE);
    EXPECT_NE(reply.error().error.message.find("nothing listens"), std::string::npos);
    EXPECT_LT((boottime() - start).count, 5'000);
}

TEST(Client, GoesOnToTheNextEndpoint) {
    SocketContext context;
    FakeServer server(context, [](const wire::Message&) { return say(pong()); });
    auto client = Client::open(context, quick({"tcp://127.0.0.1:1", server.endpoint()}));
    EXPECT_TRUE((*client)->call(wire::Ping{}));
}

TEST(Client, AsksAgainWhereACoordinatorIsClosing) {
    SocketContext context;
    int asked = 0;
    FakeServer server(context, [&](const wire::Message&) {
        if (++asked > 1) return say(pong());
        return say(wire::ErrorReply{ErrorCode::SHUTTING_DOWN, "closing", {}, {}, {}});
    });
    auto client = Client::open(context, quick({server.endpoint()}));
    EXPECT_TRUE((*client)->call(wire::Ping{}));
}

TEST(Client, HandsARefusalBackWithWhatIsMissing) {
    SocketContext context;
    const Digest digest{{1, 2, 3}};
    FakeServer server(context, [&](const wire::Message&) {
        return say(
            wire::ErrorReply{ErrorCode::MISSING_CONTENT, "no", "task", seconds(3), {digest}});
    });
    auto client = Client::open(context, quick({server.endpoint()}));
    auto reply = (*client)->call(wire::Submit{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().error, (Error{ErrorCode::MISSING_CONTENT, "no", "task", seconds(3)}));
    EXPECT_EQ(reply.error().missing, std::vector<Digest>{digest});
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Client, LearnsTheArtifactsEndpointFromReplies) {
    wire::Header reply;
    EXPECT_EQ(resolve_artifacts_endpoint("tcp://host:5570", reply), "");
    reply.artifacts_port = 5571;
    EXPECT_EQ(resolve_artifacts_endpoint("tcp://host:5570", reply), "tcp://host:5571");
    EXPECT_EQ(resolve_artifacts_endpoint("tcp://[::1]:5570", reply), "tcp://[::1]:5571");
    EXPECT_EQ(resolve_artifacts_endpoint("ipc:///run/zq", reply), "");
    reply.artifacts_endpoint = "ipc:///run/zq-artifacts";
    EXPECT_EQ(resolve_artifacts_endpoint("ipc:///run/zq", reply), "ipc:///run/zq-artifacts");
}

}  // namespace
}  // namespace zq
