#include "cli/bench/zq_line.h"

#include "common/platform/files.h"

namespace zq::cli {
namespace {

constexpr int kHighWater = 100'000;

}  // namespace

ZqLine::ZqLine(ZqQueue& queue, ClientId client) : client_(std::move(client)) {
    SocketOptions options;
    options.kind = SocketKind::kDealer;
    options.curve = queue.options().curve;
    options.send_high_water = options.receive_high_water = kHighWater;
    auto socket = Socket::open(queue.sockets(), options);
    if (!socket) fatal(socket.error().message);
    socket_.emplace(std::move(*socket));
    if (auto ok = socket_->connect(queue.options().endpoint); !ok) fatal(ok.error().message);
}

void ZqLine::say(wire::Body body) {
    wire::Message message{{}, std::move(body), {}};
    message.header.id = ++last_id_;
    message.header.client = client_;
    wire::Frames frames = wire::encode(message);
    frames.insert(frames.begin(), std::string());
    if (socket_->send(frames) != SendStatus::kSent)
        fatal("the coordinator takes nothing any more: is it still there?");
}

std::optional<wire::Message> ZqLine::hear() {
    auto received = socket_->receive();
    if (!received) return std::nullopt;
    received->frames.erase(received->frames.begin());
    auto message = wire::decode(received->frames);
    if (!message) fatal("an answer cannot be read: " + message.error().message);
    if (const auto* error = std::get_if<wire::ErrorReply>(&message->body)) {
        fatal("the coordinator refuses: " + std::string(to_string(error->code)) + " " +
              error->field + " " + error->message);
    }
    return std::move(*message);
}

ClientId fresh_client() {
    return ClientId(to_hex(random_u64()));
}

wire::Hello fresh_hello(RoleName role, std::uint32_t slots) {
    wire::Hello hello;
    const std::uint64_t self = random_u64();
    hello.worker = WorkerName("bench-" + to_hex(self));
    hello.state_id = StateId(to_hex(self) + to_hex(random_u64()));
    hello.incarnation = 1;
    hello.roles = {std::move(role)};
    hello.slots = slots;
    return hello;
}

}  // namespace zq::cli
