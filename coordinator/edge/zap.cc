#include "coordinator/edge/zap.h"

#include "common/platform/log.h"
#include "coordinator/edge/access.h"

namespace zq::edge {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
constexpr const char* kVersion = "1.0";

// Frames of a request, RFC 27.
enum : std::size_t {
    kVersionFrame,
    kRequestId,
    kDomain,
    kAddress,
    kIdentity,
    kMechanism,
    kCredentials,
    kFrameCount
};
// Of a reply.
enum : std::size_t { kReason = 3, kUserId = 4 };

constexpr std::uint64_t kRefusalsSaid = 20;  // a minute

struct Verdict {
    const char* code = "400";
    std::string text = "not known here";
    std::string user_id;
};

Verdict unreadable(const Error& error) {
    log_error("a known key's file cannot be read", {{"error", error.message}});
    return {"500", "the keys cannot be read", {}};
}

Verdict judge(const Frames& request, const KeyRegistry& registry, KeyBook& book, Instant now) {
    if (request[kMechanism] != "CURVE") return {"400", "only CURVE is served", {}};
    const std::string public_key = z85_of(request[kCredentials]);
    if (public_key.empty()) return {};
    auto key = registry.find(public_key);
    if (!key) return unreadable(key.error());
    if (!*key) return {};
    if ((*key)->kind == KeyKind::kInvitation) {
        if ((*key)->expires_at.is_set() && (*key)->expires_at <= now) {
            return {"400", "this invitation has expired", {}};
        }
        return {"200", "OK", user_id_of_invitation(public_key)};
    }
    auto access = access_of(**key);
    auto fingerprint = key_fingerprint(public_key);
    auto peer = access ? known_peer(*access) : Result<KnownPeer>(Failure(access.error()));
    if (!fingerprint || !peer) return {};
    if (peer->expires_at.is_set() && peer->expires_at <= now) {
        return {"400", "this key's time is over", {}};
    }
    // One that was removed since it was read must not come back by this: its file is asked again.
    book.learn(*fingerprint, std::move(*peer));
    auto again = registry.find(public_key);
    if (!again || !*again) {
        book.forget(*fingerprint);
        return again ? Verdict{} : unreadable(again.error());
    }
    return {"200", "OK", user_id_of(*fingerprint)};
}

}  // namespace

Frames answer_zap(const Frames& request, const KeyRegistry& registry, KeyBook& book, Instant now) {
    if (request.size() < kMechanism + 1 || request[kVersionFrame] != kVersion) return {};
    Verdict verdict{"400", "one credential is needed", {}};
    if (request.size() == kFrameCount) verdict = judge(request, registry, book, now);
    return {kVersion, request[kRequestId], verdict.code, verdict.text, verdict.user_id, ""};
}

Result<std::unique_ptr<ZapHandler>> ZapHandler::start(SocketContext& context, KeyRegistry registry,
                                                      KeyBook& book) {
    SocketOptions options;
    options.kind = SocketKind::kRep;
    auto socket = Socket::open(context, options);
    if (!socket) return Failure(socket.error());
    if (auto ok = socket->bind(kEndpoint); !ok) return Failure(ok.error());
    std::unique_ptr<ZapHandler> handler(
        new ZapHandler(std::move(*socket), std::move(registry), book));
    handler->thread_ = std::thread([raw = handler.get()] { raw->serve(); });
    return handler;
}

ZapHandler::ZapHandler(Socket socket, KeyRegistry registry, KeyBook& book)
    : socket_(std::move(socket)), registry_(std::move(registry)), book_(book) {}

ZapHandler::~ZapHandler() {
    stopping_ = true;
    stop_.signal();
    if (thread_.joinable()) thread_.join();
}

/// Whoever is refused may come back at once, for ever: the log has the first of a minute.
void ZapHandler::note_refusal(const Frames& request, const Frames& reply) {
    const Instant now = wall_time();
    if (now - minute_ >= minutes(1) || now < minute_) {
        if (refused_ > kRefusalsSaid) {
            log_warn("more connections were refused",
                     {{"count", std::to_string(refused_ - kRefusalsSaid)}});
        }
        minute_ = now;
        refused_ = 0;
    }
    if (++refused_ > kRefusalsSaid) return;
    log_warn("connection refused", {{"address", request[kAddress]}, {"reason", reply[kReason]}});
}

void ZapHandler::serve() {
    while (!stopping_) {
        std::vector<PollItem> items{{socket_.raw(), -1, false}, {nullptr, stop_.fd(), false}};
        poll(items, seconds(60));
        while (auto request = socket_.receive()) {
            const Frames reply = answer_zap(request->frames, registry_, book_, wall_time());
            // Without a reply a REP socket is stuck: whoever sent this is no libzmq of ours.
            if (reply.empty() || socket_.send(reply) != SendStatus::kSent) {
                log_error("the ZAP handler got a request it cannot answer");
                stopping_ = true;
                break;
            }
            if (reply[kUserId].empty()) note_refusal(request->frames, reply);
        }
    }
    ended_.signal();
}

}  // namespace zq::edge
