// Who is at the other end: the sessions of workers and the way back of every request under way.
// Gives out SessionIds and ReturnPaths, so that routing ids never leave the edge. One thread uses
// it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/command.h"
#include "coordinator/edge/return_envelope.h"

namespace zq::edge {

/// A connection as a socket names it, and who ZAP said it is. Another identity under a routing id
/// that was used before is another connection.
struct Connection {
    std::size_t door = 0;  // which of the coordinator's sockets
    std::string routing_id;
    std::string user_id;
    friend auto operator<=>(const Connection&, const Connection&) = default;
};

/// The way back to a peer: its socket and return envelope, and the id its request had (0: pushed).
struct Route {
    Connection connection;
    Frames envelope;
    std::uint64_t request = 0;
};

class Peers {
  public:
    /// Keeps the way back of a request until `take`.
    core::ReturnPath keep(Route route);
    /// Gives it out and forgets it; nullopt where it is unknown (answered already).
    std::optional<Route> take(core::ReturnPath path);
    std::size_t waiting() const { return paths_.size(); }

    /// The session on this connection; 0 if it has none.
    core::SessionId session_of(const Connection& connection) const;
    /// The session on this connection, made if it has none. Pushes will go by `route`.
    core::SessionId open_session(const Route& route);
    /// Null if the session is not known.
    const Route* route_of(core::SessionId session) const;
    void forget_session(core::SessionId session);
    /// Sessions of this socket and routing id, under any identity.
    std::vector<core::SessionId> sessions_at(const Connection& connection) const;
    std::vector<core::SessionId> sessions() const;

  private:
    core::ReturnPath last_path_ = 0;
    core::SessionId last_session_ = 0;
    std::map<core::ReturnPath, Route> paths_;
    std::map<core::SessionId, Route> sessions_;
    std::map<Connection, core::SessionId> by_connection_;
};

}  // namespace zq::edge
