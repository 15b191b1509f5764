#include "common/client/client.h"

#include <algorithm>
#include <thread>

#include "common/client/dial.h"
#include "common/platform/clock.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr Millis kRetryPause = millis(100);  // and up to as much again by chance
constexpr Millis kLongestPause = seconds(2);

void pause_before_retry(int tries, Millis asked) {
    const std::int64_t base = std::max(kRetryPause.count << std::min(tries, 5), asked.count);
    const auto jitter = static_cast<std::int64_t>(random_u64() % 100);
    const std::int64_t wait = std::min(base + jitter * base / 100, kLongestPause.count);
    std::this_thread::sleep_for(std::chrono::milliseconds(wait));
}

CallError as_call_error(const wire::ErrorReply& reply) {
    return {Error{reply.code, reply.message, reply.field, reply.retry_after}, reply.missing};
}

CallError as_call_error(Error error) {
    return {std::move(error), {}};
}

}  // namespace

struct Client::Body {
    SocketContext& context;
    ClientOptions options;
    std::optional<CurveKeys> curve;
    ClientId id;
    std::optional<Socket> socket;
    std::size_t endpoint = 0;  // index of the one in use
    std::uint64_t last_request = 0;
    std::string artifacts;

    const std::string& address() const { return options.profile.endpoints[endpoint]; }
    Result<void> connect();
    void use_next_endpoint();
    Result<std::optional<wire::Message>> try_once(const wire::Message& request, Millis timeout);
    std::optional<wire::Message> await_reply(std::uint64_t request, Millis until);
    Error unreachable() const;
};

Result<void> Client::Body::connect() {
    if (socket) return {};
    SocketOptions socket_options;
    socket_options.kind = SocketKind::kReq;
    socket_options.curve = curve;
    auto opened = Socket::open(context, socket_options);
    if (!opened) return Failure(opened.error());
    if (auto ok = opened->connect(address()); !ok) return ok;
    socket.emplace(std::move(*opened));
    return {};
}

void Client::Body::use_next_endpoint() {
    socket.reset();
    endpoint = (endpoint + 1) % options.profile.endpoints.size();
}

/// The reply to `request`, or nullopt at `until` (boottime). Answers to other requests, and frames
/// that are no message of ours, are passed over: the coordinator will be asked again.
std::optional<wire::Message> Client::Body::await_reply(std::uint64_t request, Millis until) {
    while (true) {
        while (auto received = socket->receive()) {
            auto message = wire::decode(received->frames);
            if (message && message->header.id == request) return std::move(*message);
        }
        const Millis left = until - boottime();
        if (left.count <= 0) return std::nullopt;
        std::vector<PollItem> items{{socket->raw(), -1, false}};
        poll(items, left);
    }
}

Result<std::optional<wire::Message>> Client::Body::try_once(const wire::Message& request,
                                                            Millis timeout) {
    const Millis until = boottime() + timeout;
    if (auto ok = connect(); !ok) return Failure(ok.error());
    if (socket->send(wire::encode(request)) != SendStatus::kSent) {
        return std::optional<wire::Message>{};
    }
    auto reply = await_reply(request.header.id, until);
    if (!reply) return std::optional<wire::Message>{};
    auto found = resolve_artifacts_endpoint(address(), reply->header);
    if (!found.empty()) artifacts = std::move(found);
    return reply;
}

Error Client::Body::unreachable() const {
    return Error{
        ErrorCode::UNREACHABLE,
        "no answer from " + address() + ": " + explain_silence(address(), curve.has_value()),
        {},
        {}};
}

Client::Client(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::open(SocketContext& context, ClientOptions options) {
    if (options.profile.endpoints.empty()) {
        return fail(ErrorCode::INVALID, "no coordinator address", "connect");
    }
    std::optional<CurveKeys> curve = options.curve;
    if (!curve) {
        auto keys = curve_of(options.profile);
        if (!keys) return Failure(keys.error());
        curve = std::move(*keys);
    }
    auto body = std::make_unique<Body>(Body{context,
                                            std::move(options),
                                            std::move(curve),
                                            ClientId(to_hex(random_u64())),
                                            std::nullopt,
                                            0,
                                            0,
                                            {}});
    return std::unique_ptr<Client>(new Client(std::move(body)));
}

tl::expected<wire::Message, CallError> Client::call(const wire::Body& request, Millis poll_wait) {
    Body& b = *body_;
    wire::Message message{{}, request, {}};
    message.header.id = ++b.last_request;
    message.header.client = b.id;
    const Millis deadline = boottime() + b.options.give_up + poll_wait;
    for (int tries = 0;; ++tries) {
        const Millis left = deadline - boottime();
        if (left.count <= 0) return tl::unexpected(as_call_error(b.unreachable()));
        auto reply = b.try_once(message, std::min(b.options.reply_timeout + poll_wait, left));
        if (!reply) return tl::unexpected(as_call_error(reply.error()));
        Millis asked{};
        if (*reply) {
            const auto* error = std::get_if<wire::ErrorReply>(&(*reply)->body);
            if (error == nullptr) return std::move(**reply);
            // A closing coordinator has done nothing: its successor is asked.
            if (error->code != ErrorCode::SHUTTING_DOWN) {
                return tl::unexpected(as_call_error(*error));
            }
            asked = error->retry_after;
        }
        b.use_next_endpoint();
        pause_before_retry(tries, asked);
    }
}

std::string Client::artifacts_endpoint() const {
    return body_->artifacts;
}
const ClientOptions& Client::options() const {
    return body_->options;
}

std::string resolve_artifacts_endpoint(const std::string& control_endpoint,
                                       const wire::Header& reply) {
    if (!reply.artifacts_endpoint.empty()) return reply.artifacts_endpoint;
    const auto colon = control_endpoint.rfind(':');
    if (reply.artifacts_port == 0 || control_endpoint.rfind("tcp://", 0) != 0 || colon < 6)
        return {};
    return control_endpoint.substr(0, colon + 1) + std::to_string(reply.artifacts_port);
}

}  // namespace zq
