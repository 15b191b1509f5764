// Whole multipart messages at the coordinator's control socket, with the real core behind it and a
// journal in memory: conversations of several peers, time that passes, disks that are slow,
// crashes. What must hold is control_conversation.h's. An input is a list of steps, each begun by
// its byte.
#include <random>

#include "common/base/check.h"
#include "common/base/limits.h"
#include "tests/fuzz/control_conversation.h"
#include "tests/fuzz/field_filler.h"
#include "tests/fuzz/target.h"
#include "tests/vectors/samples.h"

namespace zq::fuzz {
namespace {

enum Step : std::uint8_t {
    kAsk,          // door and peer, type, its fields
    kSay,          // door and peer, the message's frames, each with its length in two bytes
    kSayEnvelope,  // door, number of frames, frames from the routing id on
    kTurn,
    kSync,
    kPass,
    kRead,  // peer, how it reads
    kStore,
    kStorage,
    kCrash,
    kSteps
};

constexpr std::size_t kMostSteps = 200;
constexpr std::size_t kMostTokens = 4096;
constexpr auto kPeers = std::to_array<std::string_view>({"w1", "w2", "c1", "c2"});
constexpr auto kPasses =
    std::to_array<Millis>({millis(0), millis(1), millis(100), seconds(1), seconds(10), seconds(31),
                           seconds(61), minutes(10), minutes(16), hours(25), days(40)});

template <std::size_t... I>
wire::Body body_of_type(std::size_t type, std::index_sequence<I...>) {
    wire::Body body;
    ((I == type ? static_cast<void>(body.emplace<I>()) : static_cast<void>(0)), ...);
    return body;
}

void ask(ControlConversation& conversation, InputReader& input) {
    const std::uint8_t who = input.byte();
    constexpr std::size_t kTypes = std::variant_size_v<wire::Body>;
    wire::Message message;
    message.body = body_of_type(input.below(kTypes), std::make_index_sequence<kTypes>());
    FieldFiller filler(input, conversation.tokens());
    if (input.byte() % 2 == 1) filler.fill(message.header.client);
    std::visit([&](auto& body) { filler.fill(body); }, message.body);
    conversation.ask(who / 4 % 2, std::string(kPeers[who % 4]), std::move(message));
}

void say(ControlConversation& conversation, InputReader& input) {
    const std::uint8_t who = input.byte();
    Received received;
    received.frames = {std::string(kPeers[who % 4]), ""};
    received.user_id = who % 3 == 0 ? "" : "ann@0123456789abcdef";
    for (std::size_t left = input.below(5); left > 0; --left) {
        received.frames.push_back(input.long_text());
    }
    conversation.say(who / 4 % 2, std::move(received));
}

void say_envelope(ControlConversation& conversation, InputReader& input) {
    const std::uint8_t door = input.byte();
    Received received;
    received.user_id = input.text();
    received.too_many = door > 250;
    received.frames = {input.text()};
    for (std::size_t left = input.below(limits::kFrames); left > 0; --left) {
        received.frames.push_back(input.long_text());
    }
    conversation.say(door % 2, std::move(received));
}

void take_step(ControlConversation& conversation, InputReader& input) {
    switch (static_cast<Step>(input.below(kSteps))) {
        case kAsk:
            return ask(conversation, input);
        case kSay:
            return say(conversation, input);
        case kSayEnvelope:
            return say_envelope(conversation, input);
        case kTurn:
            return conversation.turn();
        case kSync:
            return conversation.sync();
        case kPass:
            return conversation.pass(input.pick(kPasses));
        case kRead: {
            const std::string peer(input.pick(kPeers));
            return conversation.set_reading(peer, static_cast<Reading>(input.below(3)));
        }
        case kStore: {
            const std::string_view content = input.pick(kContents);
            return conversation.store(sha256(content), content.size());
        }
        case kStorage:
            return conversation.set_storage_full(input.byte() % 2 == 1);
        case kCrash:
            return conversation.crash();
        case kSteps:
            break;
    }
}

std::string long_text(const std::string& text) {
    return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)} +
           text;
}

/// A message's frames as one step, and what lets it take effect.
std::string say_of(char who, const wire::Message& message) {
    const wire::Frames frames = wire::encode(message);
    std::string step{kSay, who, static_cast<char>(frames.size())};
    for (const std::string& frame : frames) step += long_text(frame);
    return step + std::string{kTurn, kSync};
}

wire::Message request(std::uint64_t id, wire::Body body) {
    return {{id, ClientId(std::string(16, '1')), 0, 0, 0, ""}, std::move(body), ""};
}

/// A task's whole life between a client and a worker, with a crash in the middle.
std::string life_of_a_task() {
    wire::Submit submit;
    submit.task.id = TaskId("t-1");
    submit.task.role = RoleName("a");
    wire::Hello hello;
    hello.worker = WorkerName("w-1");
    hello.state_id = StateId(std::string(32, 'a'));
    hello.incarnation = 1;
    hello.roles = {RoleName("a")};
    const LeaseToken token{1, (1ULL << 32) + 1};
    wire::Complete complete;
    complete.report.task = TaskId("t-1");
    complete.report.lease = token;
    complete.report.attempt = 1;
    hello.leases = {};
    std::string story =
        say_of(2, request(1, submit)) + say_of(0, {{1, {}, 0, 0, 0, ""}, hello, ""});
    story += say_of(0, {{2, {}, 0, 0, 0, ""}, wire::Ready{1, {}}, ""});
    story += say_of(
        0, {{3, {}, 0, 0, 0, ""}, wire::Heartbeat{0, token, {{TaskId("t-1"), 1, token}}, {}}, ""});
    story += std::string{kCrash};
    hello.leases = {{TaskId("t-1"), 1, token}};
    hello.seen = token;
    story += say_of(0, {{4, {}, 0, 0, 0, ""}, hello, ""});
    return story + say_of(0, {{5, {}, 0, 0, 0, ""}, complete, ""});
}

}  // namespace

void run(std::string_view bytes) {
    InputReader input(bytes);
    ControlConversation conversation;
    for (std::size_t i = 0; i < kMostSteps && !input.is_empty(); ++i) {
        take_step(conversation, input);
        if (conversation.tokens().size() > kMostTokens) break;
    }
    conversation.finish();
}

/// The life of a task, every golden message, and random conversations of valid messages.
std::vector<std::string> seeds() {
    std::vector<std::string> found{life_of_a_task()};
    for (const auto& samples : {vectors::worker_samples(), vectors::client_samples()}) {
        for (const auto& sample : samples) {
            if (wire::encode(sample.message).at(2).size() > 1024) continue;
            found.push_back(say_of(2, sample.message));
        }
    }
    std::mt19937_64 random(1);
    constexpr int kConversations = 40;
    for (int i = 0; i < kConversations; ++i) {
        std::string conversation;
        for (int step = 0; step < 30; ++step) {
            conversation += std::string{kAsk};
            for (int byte = 0; byte < 16; ++byte) {
                conversation += static_cast<char>(random() % 256);
            }
        }
        found.push_back(std::move(conversation));
    }
    return found;
}

}  // namespace zq::fuzz
