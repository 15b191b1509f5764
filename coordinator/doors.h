// The sockets that peers reach the coordinator by: for control, and likewise for artifacts, one
// ROUTER for local endpoints without keys and one with CURVE and ZAP for all others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/platform/keys.h"
#include "coordinator/edge/access.h"
#include "coordinator/edge/counters.h"
#include "coordinator/edge/outlet.h"

namespace zq::coordinator {

/// The ZAP domain of every authenticated socket.
inline constexpr const char* kZapDomain = "zq";

struct OpenDoor {
    Socket socket;
    edge::Trust trust = edge::Trust::kLocal;
    std::vector<std::string> endpoints;  // as they were bound, ports resolved
};

struct DoorOptions {
    std::vector<std::string> endpoints;
    std::optional<KeyPair> keys;  // none: nothing is encrypted
    int high_water = 128;         // messages queued for one peer in the library
};

class Doors : public edge::Sender {
  public:
    /// Makes and binds the sockets. Errors: IO with the endpoint and the reason.
    static Result<Doors> open(SocketContext& context, const DoorOptions& options);

    SendStatus send(std::size_t door, const Frames& frames) override {
        return doors_.at(door).socket.send(frames);
    }
    /// See SocketContext::hold_back_io.
    void hold_back_io(bool held) { context_->hold_back_io(held); }
    /// Counts who came to all of them since the last call.
    void count_arrivals(edge::Counters& counters);
    std::size_t size() const { return doors_.size(); }
    OpenDoor& at(std::size_t door) { return doors_.at(door); }
    const OpenDoor& at(std::size_t door) const { return doors_.at(door); }

  private:
    SocketContext* context_ = nullptr;
    std::vector<OpenDoor> doors_;
};

/// How a peer that came in by a door of this trust finds the artifacts socket: a port of the host
/// it dialled, or a whole endpoint.
struct ArtifactsPlace {
    std::uint32_t port = 0;
    std::string endpoint;
};
ArtifactsPlace artifacts_place(const Doors& artifacts, edge::Trust trust,
                               const std::string& advertise);

}  // namespace zq::coordinator
