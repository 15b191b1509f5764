// Sends messages by their routes. A peer that takes nothing at the moment gets a bounded outbox;
// one that overflows it, or is gone, is reported as lost. Never waits.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "coordinator/edge/peers.h"

namespace zq::edge {

/// The sockets as the outlet needs them (sockets.h of the loop, or a fake in tests).
class Sender {
  public:
    virtual ~Sender() = default;
    virtual SendStatus send(std::size_t door, const Frames& frames) = 0;
};

class Outlet {
  public:
    explicit Outlet(Sender& sender) : sender_(sender) {}

    /// Sends, or queues behind what waits for the same peer already.
    void send(const Route& route, Frames message);
    /// Tries again what waits.
    void retry();
    bool is_empty() const { return waiting_.empty(); }

    /// Connections that were found gone or overflowed since the last call.
    std::vector<Connection> take_lost();

  private:
    struct Waiting {
        std::deque<Frames> messages;
        std::size_t bytes = 0;
    };
    void lose(const Connection& connection);

    Sender& sender_;
    std::map<Connection, Waiting> waiting_;
    std::size_t total_bytes_ = 0;
    std::vector<Connection> lost_;
};

}  // namespace zq::edge
