// ZeroMQ sockets with the defaults that this project needs; the only file with socket.cc that sees
// libzmq. A Socket belongs to one thread. Nothing here throws.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/limits.h"
#include "common/platform/keys.h"

namespace zq {

using Frames = std::vector<std::string>;

/// One per process; outlives its sockets.
class SocketContext {
  public:
    SocketContext();
    ~SocketContext();
    SocketContext(const SocketContext&) = delete;
    SocketContext& operator=(const SocketContext&) = delete;
    void* raw() const { return raw_; }

    /// Whatever is sent or comes wakes the IO thread where it sleeps, and it takes a processor at
    /// once, for a single message. While it is held back it waits for a free one, and finds
    /// several: for times of load, as on a busy machine it may wait for milliseconds.
    void hold_back_io(bool held);

  private:
    void* raw_ = nullptr;
    int io_thread_ = 0;  // as the kernel numbers it; 0: not looked for
};

/// CURVE keys in Z85 (40 characters each). A server has `server_public` empty. A copy that ends
/// leaves nothing of the secret in memory; libzmq keeps and wipes its own.
struct CurveKeys {
    std::string public_key;
    std::string secret_key;
    std::string server_public;

    ~CurveKeys() { wipe(secret_key); }
};

enum class SocketKind : std::uint8_t { kRouter, kDealer, kReq, kRep };

struct SocketOptions {
    SocketKind kind = SocketKind::kDealer;
    std::optional<CurveKeys> curve;
    std::string zap_domain;  // set on a server whose peers must be authenticated
    int send_high_water = 1000;
    int receive_high_water = 1000;
    bool immediate = false;  // queue only for peers that are connected
    std::size_t max_frame_bytes = limits::kMessageBytes;
    Millis connect_timeout = seconds(5);
    Millis heartbeat{};  // ZMTP pings at this interval; 0: none
};

enum class SendStatus : std::uint8_t {
    kSent,  // handed to libzmq; says nothing of delivery
    kGone,  // ROUTER: that peer is not connected
    kFull,  // would block; a full peer that has left becomes kGone only while the socket is read
};

struct Received {
    Frames frames;          // all of them, the return envelope included
    std::string user_id;    // what ZAP said of the sender; empty without ZAP
    bool too_many = false;  // more frames than limits::kFrames: the rest was dropped
};

/// What has happened at the endpoints of a bound socket.
struct Arrivals {
    std::uint64_t connections = 0;
    std::uint64_t ended = 0;              // after their handshake, by either side
    std::uint64_t keys_refused = 0;       // by ZAP
    std::uint64_t handshakes_failed = 0;  // broken off, timed out, or no ZMTP
    std::uint64_t accepts_failed = 0;     // no descriptor was left
};

class Socket {
  public:
    /// Errors: IO.
    static Result<Socket> open(SocketContext& context, const SocketOptions& options);
    Socket(Socket&&) noexcept;
    Socket& operator=(Socket&&) noexcept;
    ~Socket();

    /// Errors: IO with the endpoint and the reason (address in use, …).
    Result<void> bind(const std::string& endpoint);
    Result<void> connect(const std::string& endpoint);
    /// The endpoint that the last bind got (port 0 becomes a number).
    std::string last_endpoint() const;

    /// Sends a whole message or nothing; never waits.
    SendStatus send(const Frames& frames);
    /// Takes a whole message if one is there; never waits.
    std::optional<Received> receive();

    /// From now on arrivals are counted. To be called before bind. Errors: IO.
    Result<void> watch_arrivals(SocketContext& context);
    /// What has happened since the last call; nothing where they are not watched. To be called now
    /// and then: what is not taken stays in memory.
    Arrivals take_arrivals();

    void* raw() const { return raw_; }

  private:
    explicit Socket(void* raw) : raw_(raw) {}
    void close();
    void* raw_ = nullptr;
    void* arrivals_ = nullptr;  // the other end of its monitor
};

/// One thing to wait for: a socket, or a descriptor.
struct PollItem {
    void* socket = nullptr;
    int fd = -1;
    bool readable = false;  // out
};

/// Waits until something is readable or `timeout` has passed (negative: no limit). A signal ends
/// the wait early. Sets `readable`; gives how many are.
int poll(std::vector<PollItem>& items, Millis timeout);

}  // namespace zq
