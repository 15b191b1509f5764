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
    constexpr std::size_t kTypes = std::variant_size_v<wire::AnyBody>;
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
    received.user_id = who % 3 == 0 ? "" : std::string(kAnn);
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

constexpr std::string_view kTurnAndSync = "\x03\x04";
static_assert(kTurnAndSync[0] == kTurn && kTurnAndSync[1] == kSync);

std::string long_text(const std::string& text) {
    return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)} +
           text;
}

/// A message's frames as one step, and what lets it take effect.
std::string say_of(char who, const wire::Message& message) {
    const wire::Frames frames = wire::encode(message);
    std::string step{kSay, who, static_cast<char>(frames.size())};
    for (const std::string& frame : frames) step += long_text(frame);
    return step.append(kTurnAndSync);
}

/// A request whose first fields are chosen by `choices`; all others are absent, or the first
/// choice.
template <class T>
std::string ask_of(char who, const std::string& choices) {
    constexpr std::size_t kMostFields = 64;
    std::string bytes = choices + std::string(kMostFields, '\0');
    const std::vector<LeaseToken> tokens{{1, 1}};
    InputReader input(bytes);
    FieldFiller filler(input, tokens);
    T message;
    filler.fill(message);
    bytes.resize(bytes.size() - input.size());
    const auto type = static_cast<char>(wire::Body(message).index());
    return std::string{kAsk, who, type, 0} + bytes;
}

/// Task `t-1` of role `a` is submitted by a client and assigned to a worker, which confirms it.
std::string running_task() {
    constexpr char kWorker = 0;
    constexpr char kClient = 2;
    std::string steps = ask_of<wire::Submit>(kClient, {0, 2, 0});
    steps.append(kTurnAndSync) += ask_of<wire::Hello>(kWorker, {0, 0, 1, 1, 0, 1});
    steps.append(kTurnAndSync) += ask_of<wire::Ready>(kWorker, {1, 0});
    steps.append(kTurnAndSync) += ask_of<wire::Heartbeat>(kWorker, {0, 1, 0, 1, 1, 2, 1, 0});
    return steps.append(kTurnAndSync);
}

/// Lives of a task, each with a crash where something was just said.
std::vector<std::string> lives() {
    const std::string crash_unsynced{kTurn, kCrash};
    const std::string report{2, 1, 1, 1, 0};  // of t-1, attempt 1, the last lease
    const std::string complete = ask_of<wire::Complete>(0, report);
    const std::string fail = ask_of<wire::Fail>(0, report);
    const std::string retried{kPass, 7, kTurn, kSync, kPass, 7, kTurn, kSync};
    return {
        ask_of<wire::Submit>(2, {0, 2, 0}) + crash_unsynced,
        running_task() + complete + crash_unsynced,
        running_task() + complete + std::string(kTurnAndSync) + std::string{kCrash},
        running_task() + fail + retried + std::string{kCrash} + retried,
        running_task() + ask_of<wire::Cancel>(2, {2}) + crash_unsynced + retried,
        running_task() + ask_of<wire::Release>(0, report) + retried,
        running_task() + ask_of<wire::Progress>(0, {2, 0, 2}) + crash_unsynced,
        running_task() + ask_of<wire::Wait>(2, {1, 1, 2, 0, 0, 1, 4}) + complete +
            std::string(kTurnAndSync),
        ask_of<wire::Submit>(2, {0, 2, 0}) + ask_of<wire::Claim>(2, {1, 0}) +
            std::string(kTurnAndSync) + complete + crash_unsynced,
        ask_of<wire::Claim>(2, {1, 0, 0, 0, 0, 1, 4}) + ask_of<wire::Submit>(2, {0, 2, 0}) +
            std::string(kTurnAndSync),
    };
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

/// Lives of a task, every golden message, and random conversations of valid messages.
std::vector<std::string> seeds() {
    std::vector<std::string> found = lives();
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
