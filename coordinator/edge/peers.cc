#include "coordinator/edge/peers.h"

namespace zq::edge {

core::ReturnPath Peers::keep(Route route) {
    paths_.emplace_hint(paths_.end(), ++last_path_, std::move(route));
    return last_path_;
}

std::optional<Route> Peers::take(core::ReturnPath path) {
    auto at = paths_.find(path);
    if (at == paths_.end()) return std::nullopt;
    Route route = std::move(at->second);
    paths_.erase(at);
    return route;
}

core::SessionId Peers::session_of(const Connection& connection) const {
    auto at = by_connection_.find(connection);
    return at == by_connection_.end() ? 0 : at->second;
}

core::SessionId Peers::open_session(const Route& route) {
    core::SessionId session = session_of(route.connection);
    if (session == 0) session = ++last_session_;
    by_connection_[route.connection] = session;
    Route pushed = route;
    pushed.request = 0;
    sessions_[session] = std::move(pushed);
    return session;
}

const Route* Peers::route_of(core::SessionId session) const {
    auto at = sessions_.find(session);
    return at == sessions_.end() ? nullptr : &at->second;
}

void Peers::forget_session(core::SessionId session) {
    auto at = sessions_.find(session);
    if (at == sessions_.end()) return;
    by_connection_.erase(at->second.connection);
    sessions_.erase(at);
}

std::vector<core::SessionId> Peers::sessions_at(const Connection& connection) const {
    std::vector<core::SessionId> found;
    Connection from{connection.door, connection.routing_id, {}};
    for (auto at = by_connection_.lower_bound(from); at != by_connection_.end(); ++at) {
        if (at->first.door != connection.door) break;
        if (at->first.routing_id != connection.routing_id) break;
        found.push_back(at->second);
    }
    return found;
}

std::vector<core::SessionId> Peers::sessions() const {
    std::vector<core::SessionId> all;
    all.reserve(sessions_.size());
    for (const auto& [id, route] : sessions_) all.push_back(id);
    return all;
}

}  // namespace zq::edge
