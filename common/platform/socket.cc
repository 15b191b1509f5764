#include "common/platform/socket.h"

#include <sched.h>
#include <sys/random.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/base/check.h"
#include "common/platform/files.h"

namespace zq {
namespace {

constexpr int kZapEnforceDomain =
    93;  // ZMQ_ZAP_ENFORCE_DOMAIN: draft in the headers, there at run time

/// A return envelope, its delimiter, and a message of ours.
constexpr std::size_t kUsualFrames = 6;

bool set(void* socket, int option, int value) {
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

bool set(void* socket, int option, const std::string& value) {
    return zmq_setsockopt(socket, option, value.data(), value.size()) == 0;
}

int type_of(SocketKind kind) {
    switch (kind) {
        case SocketKind::kRouter:
            return ZMQ_ROUTER;
        case SocketKind::kDealer:
            return ZMQ_DEALER;
        case SocketKind::kReq:
            return ZMQ_REQ;
        case SocketKind::kRep:
            return ZMQ_REP;
    }
    return -1;
}

bool set_common(void* s, const SocketOptions& o) {
    // The library's defaults that hurt: LINGER for ever, BACKLOG 100, handshakes of 30 s, no
    // message bound, endless fast reconnects.
    bool ok = set(s, ZMQ_LINGER, 0) && set(s, ZMQ_BACKLOG, 4096) &&
              set(s, ZMQ_HANDSHAKE_IVL, static_cast<int>(limits::kHandshakeMax.count)) &&
              set(s, ZMQ_RECONNECT_IVL, 50) && set(s, ZMQ_RECONNECT_IVL_MAX, 2000) &&
              set(s, ZMQ_SNDHWM, o.send_high_water) && set(s, ZMQ_RCVHWM, o.receive_high_water) &&
              set(s, ZMQ_IPV6, 1) &&
              set(s, ZMQ_CONNECT_TIMEOUT, static_cast<int>(o.connect_timeout.count));
    const auto max_size = static_cast<std::int64_t>(o.max_frame_bytes);
    ok = ok && zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &max_size, sizeof max_size) == 0;
    if (o.immediate) ok = ok && set(s, ZMQ_IMMEDIATE, 1);
    if (o.heartbeat.count > 0) {
        const int interval = static_cast<int>(o.heartbeat.count);
        ok = ok && set(s, ZMQ_HEARTBEAT_IVL, interval) &&
             set(s, ZMQ_HEARTBEAT_TIMEOUT, interval * 3) &&
             set(s, ZMQ_HEARTBEAT_TTL, std::min(interval * 3, 60'000));
    }
    if (o.kind == SocketKind::kRouter) {
        // A peer whose window stays closed is cut off: what is queued for it is memory of ours.
        ok = ok && set(s, ZMQ_ROUTER_MANDATORY, 1) &&
             set(s, ZMQ_TCP_MAXRT, static_cast<int>(limits::kTakesNothing.count));
    }
    if (o.kind == SocketKind::kReq) {
        ok = ok && set(s, ZMQ_REQ_RELAXED, 1) && set(s, ZMQ_REQ_CORRELATE, 1);
    }
    return ok;
}

bool set_curve(void* s, const SocketOptions& o) {
    bool ok = true;
    if (!o.zap_domain.empty()) {
        ok = set(s, ZMQ_ZAP_DOMAIN, o.zap_domain) && set(s, kZapEnforceDomain, 1);
    }
    if (!o.curve) return ok;
    const CurveKeys& keys = *o.curve;
    if (keys.server_public.empty()) {
        return ok && set(s, ZMQ_CURVE_SERVER, 1) && set(s, ZMQ_CURVE_SECRETKEY, keys.secret_key);
    }
    return ok && set(s, ZMQ_CURVE_SERVERKEY, keys.server_public) &&
           set(s, ZMQ_CURVE_PUBLICKEY, keys.public_key) &&
           set(s, ZMQ_CURVE_SECRETKEY, keys.secret_key);
}

/// The thread of this process that libzmq has named so; -1 if there is none.
int thread_named(std::string_view name) {
    const auto threads = list_folder("/proc/self/task");
    if (!threads) return -1;
    for (const std::string& thread : *threads) {
        const auto named = read_file("/proc/self/task/" + thread + "/comm", 64);
        if (named && named->rfind(name, 0) == 0) return std::atoi(thread.c_str());
    }
    return -1;
}

Failure zmq_failure(const std::string& what) {
    return fail(ErrorCode::IO, what + ": " + zmq_strerror(zmq_errno()));
}

}  // namespace

SocketContext::SocketContext() {
    // Routing ids are drawn with rand(): seed it before the first socket.
    unsigned seed = 0;
    ZQ_CHECK(::getrandom(&seed, sizeof seed, 0) == sizeof seed);
    std::srand(seed);
    raw_ = zmq_ctx_new();
    ZQ_CHECK(raw_ != nullptr);
    zmq_ctx_set(raw_, ZMQ_MAX_SOCKETS, std::min(zmq_ctx_get(raw_, ZMQ_SOCKET_LIMIT), 16'000));
}

SocketContext::~SocketContext() {
    while (zmq_ctx_term(raw_) != 0 && zmq_errno() == EINTR) {
    }
}

void SocketContext::hold_back_io(bool held) {
    if (io_thread_ == 0) {
        io_thread_ = thread_named("ZMQbg/IO");
        // What somebody else has set is not ours to change.
        if (::sched_getscheduler(std::max(io_thread_, 0)) != SCHED_OTHER) io_thread_ = -1;
    }
    if (io_thread_ < 0) return;
    // The kernel wakes such a thread without taking a processor from another one.
    const sched_param none{};
    static_cast<void>(::sched_setscheduler(io_thread_, held ? SCHED_BATCH : SCHED_OTHER, &none));
}

Result<Socket> Socket::open(SocketContext& context, const SocketOptions& options) {
    Socket socket(zmq_socket(context.raw(), type_of(options.kind)));
    if (socket.raw_ == nullptr) return zmq_failure("cannot make a socket");
    if (!set_common(socket.raw_, options)) return zmq_failure("cannot set up a socket");
    if (!set_curve(socket.raw_, options)) return zmq_failure("cannot use the CURVE keys");
    return socket;
}

Socket::Socket(Socket&& other) noexcept
    : raw_(std::exchange(other.raw_, nullptr)),
      arrivals_(std::exchange(other.arrivals_, nullptr)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        close();
        raw_ = std::exchange(other.raw_, nullptr);
        arrivals_ = std::exchange(other.arrivals_, nullptr);
    }
    return *this;
}

Socket::~Socket() {
    close();
}

void Socket::close() {
    if (arrivals_ != nullptr) {
        zmq_socket_monitor(raw_, nullptr, 0);
        zmq_close(arrivals_);
    }
    if (raw_ != nullptr) zmq_close(raw_);
}

Result<void> Socket::watch_arrivals(SocketContext& context) {
    static std::atomic<unsigned> made = 0;
    const std::string endpoint = "inproc://arrivals-" + std::to_string(++made);
    constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED |
                            ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                            ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (zmq_socket_monitor(raw_, endpoint.c_str(), kEvents) != 0) {
        return zmq_failure("cannot watch a socket");
    }
    arrivals_ = zmq_socket(context.raw(), ZMQ_PAIR);
    // The library's thread writes to it and would wait where it is full.
    if (arrivals_ == nullptr || !set(arrivals_, ZMQ_RCVHWM, 0) || !set(arrivals_, ZMQ_LINGER, 0) ||
        zmq_connect(arrivals_, endpoint.c_str()) != 0) {
        return zmq_failure("cannot watch a socket");
    }
    return {};
}

Arrivals Socket::take_arrivals() {
    Arrivals arrivals;
    if (arrivals_ == nullptr) return arrivals;
    // Two frames: the event's number and value, and the endpoint.
    char text[1024];
    std::uint16_t event = 0;
    while (zmq_recv(arrivals_, text, sizeof text, ZMQ_DONTWAIT) >= static_cast<int>(sizeof event)) {
        std::memcpy(&event, text, sizeof event);
        zmq_recv(arrivals_, text, sizeof text, ZMQ_DONTWAIT);
        if (event == ZMQ_EVENT_ACCEPTED) {
            ++arrivals.connections;
        } else if (event == ZMQ_EVENT_DISCONNECTED) {
            ++arrivals.ended;
        } else if (event == ZMQ_EVENT_ACCEPT_FAILED) {
            ++arrivals.accepts_failed;
        } else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
            ++arrivals.keys_refused;
        } else {
            ++arrivals.handshakes_failed;
        }
    }
    return arrivals;
}

Result<void> Socket::bind(const std::string& endpoint) {
    if (zmq_bind(raw_, endpoint.c_str()) == 0) return {};
    return zmq_failure("cannot bind " + endpoint);
}

Result<void> Socket::connect(const std::string& endpoint) {
    if (zmq_connect(raw_, endpoint.c_str()) == 0) return {};
    return zmq_failure("cannot connect to " + endpoint);
}

std::string Socket::last_endpoint() const {
    char text[1024];
    std::size_t size = sizeof text;
    if (zmq_getsockopt(raw_, ZMQ_LAST_ENDPOINT, text, &size) != 0 || size == 0) return {};
    return {text, size - 1};
}

SendStatus Socket::send(const Frames& frames) {
    ZQ_CHECK(!frames.empty());
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const int more = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
        int sent = -1;
        do {
            sent = zmq_send(raw_, frames[i].data(), frames[i].size(), ZMQ_DONTWAIT | more);
        } while (sent < 0 && zmq_errno() == EINTR);
        if (sent >= 0) continue;
        const int error = zmq_errno();
        // Only a first frame can be refused: libzmq takes a multipart message as a whole.
        ZQ_CHECK(i == 0);
        return error == EHOSTUNREACH ? SendStatus::kGone : SendStatus::kFull;
    }
    return SendStatus::kSent;
}

std::optional<Received> Socket::receive() {
    Received received;
    received.frames.reserve(kUsualFrames);
    zmq_msg_t part;
    while (true) {
        zmq_msg_init(&part);
        int size = -1;
        do {
            size = zmq_msg_recv(&part, raw_, ZMQ_DONTWAIT);
        } while (size < 0 && zmq_errno() == EINTR);
        if (size < 0) {
            zmq_msg_close(&part);
            return std::nullopt;
        }
        const bool more = zmq_msg_more(&part) != 0;
        if (received.frames.size() < limits::kFrames) {
            received.frames.emplace_back(static_cast<const char*>(zmq_msg_data(&part)),
                                         zmq_msg_size(&part));
        } else {
            received.too_many = true;
        }
        if (!more) {
            // The User-Id is missing from the first frame in this version: read it from the last.
            if (const char* user = zmq_msg_gets(&part, "User-Id")) received.user_id = user;
            zmq_msg_close(&part);
            return received;
        }
        zmq_msg_close(&part);
    }
}

int poll(std::vector<PollItem>& items, Millis timeout) {
    std::vector<zmq_pollitem_t> raw;
    raw.reserve(items.size());
    for (const PollItem& item : items) raw.push_back({item.socket, item.fd, ZMQ_POLLIN, 0});
    const auto wait = std::min<std::int64_t>(timeout.count, INT_MAX);
    const int ready = zmq_poll(raw.data(), static_cast<int>(raw.size()), wait);
    for (std::size_t i = 0; i < items.size(); ++i) {
        items[i].readable = ready > 0 && (raw[i].revents & (ZMQ_POLLIN | ZMQ_POLLERR)) != 0;
    }
    return std::max(ready, 0);
}

}  // namespace zq
