// A connection of a load to the coordinator's control socket: messages out, messages in. Whatever
// the coordinator refuses ends the process (fatal).
#pragma once

#include <optional>

#include "cli/bench/zq_queue.h"
#include "common/wire/codec.h"

namespace zq::cli {

class ZqLine {
  public:
    /// `client`: a client's name for itself; empty: it is a worker's.
    ZqLine(ZqQueue& queue, ClientId client);
    PollItem item() const { return {socket_->raw(), -1, false}; }
    void say(wire::Body body);
    /// The next message that is there.
    std::optional<wire::Message> hear();

  private:
    std::optional<Socket> socket_;
    ClientId client_;
    std::uint64_t last_id_ = 0;
};

ClientId fresh_client();
/// A worker's that nobody has met.
wire::Hello fresh_hello(RoleName role, std::uint32_t slots);

}  // namespace zq::cli
