#include "coordinator/doors.h"

#include <charconv>

#include "coordinator/options.h"

namespace zq::coordinator {
namespace {

edge::Trust trust_of(const std::string& endpoint, const DoorOptions& options) {
    const bool open = is_local_endpoint(endpoint) || !options.keys;
    return open ? edge::Trust::kLocal : edge::Trust::kAuthenticated;
}

/// The socket is an IPv6 one and tells IPv4 addresses in its own way.
std::string without_mapping(const std::string& endpoint) {
    constexpr std::string_view kMapped = "[::ffff:";
    const auto at = endpoint.find(kMapped);
    const auto end = endpoint.find(']');
    if (at == std::string::npos || end == std::string::npos) return endpoint;
    const auto address = at + kMapped.size();
    return endpoint.substr(0, at) + endpoint.substr(address, end - address) +
           endpoint.substr(end + 1);
}

Result<OpenDoor> open_door(SocketContext& context, const DoorOptions& options, edge::Trust trust) {
    SocketOptions socket_options;
    socket_options.kind = SocketKind::kRouter;
    socket_options.send_high_water = options.high_water;
    if (trust == edge::Trust::kAuthenticated) {
        socket_options.curve = CurveKeys{options.keys->public_key, options.keys->secret_key, {}};
        socket_options.zap_domain = kZapDomain;
    }
    auto socket = Socket::open(context, socket_options);
    if (!socket) return Failure(socket.error());
    if (auto ok = socket->watch_arrivals(context); !ok) return Failure(ok.error());
    OpenDoor door{std::move(*socket), trust, {}};
    for (const std::string& endpoint : options.endpoints) {
        if (trust_of(endpoint, options) != trust) continue;
        if (auto ok = door.socket.bind(endpoint); !ok) return Failure(ok.error());
        door.endpoints.push_back(without_mapping(door.socket.last_endpoint()));
    }
    return door;
}

std::uint32_t port_of(const std::string& endpoint) {
    const auto colon = endpoint.rfind(':');
    std::uint32_t port = 0;
    std::from_chars(endpoint.data() + colon + 1, endpoint.data() + endpoint.size(), port);
    return port;
}

}  // namespace

Result<Doors> Doors::open(SocketContext& context, const DoorOptions& options) {
    Doors doors;
    doors.context_ = &context;
    for (const edge::Trust trust : {edge::Trust::kLocal, edge::Trust::kAuthenticated}) {
        bool needed = false;
        for (const std::string& endpoint : options.endpoints) {
            needed = needed || trust_of(endpoint, options) == trust;
        }
        if (!needed) continue;
        auto door = open_door(context, options, trust);
        if (!door) return Failure(door.error());
        doors.doors_.push_back(std::move(*door));
    }
    return doors;
}

void Doors::count_arrivals(edge::Counters& counters) {
    for (OpenDoor& door : doors_) {
        const Arrivals arrivals = door.socket.take_arrivals();
        counters.count(edge::Tally::kConnections, arrivals.connections);
        counters.count(edge::Tally::kConnectionsEnded, arrivals.ended);
        counters.count(edge::Tally::kKeysRefused, arrivals.keys_refused);
        counters.count(edge::Tally::kHandshakesFailed, arrivals.handshakes_failed);
        counters.count(edge::Tally::kAcceptsFailed, arrivals.accepts_failed);
    }
}

ArtifactsPlace artifacts_place(const Doors& artifacts, edge::Trust trust,
                               const std::string& advertise) {
    const OpenDoor* chosen = nullptr;
    for (std::size_t i = 0; i < artifacts.size(); ++i) {
        const OpenDoor& door = artifacts.at(i);
        if (chosen == nullptr || door.trust == trust) chosen = &door;
    }
    if (trust == edge::Trust::kAuthenticated && !advertise.empty()) return {0, advertise};
    if (chosen == nullptr || chosen->endpoints.empty()) return {};
    for (const std::string& endpoint : chosen->endpoints) {
        if (endpoint.rfind("tcp://", 0) == 0) return {port_of(endpoint), {}};
    }
    return {0, chosen->endpoints.front()};
}

}  // namespace zq::coordinator
