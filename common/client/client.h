// A client of the control socket: one request, one reply, as protocol.md's "Client" tells it. REQ
// with RELAXED and CORRELATE; on silence a new socket, the next endpoint, the same request id.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/client/profile.h"
#include "common/platform/socket.h"
#include "common/wire/codec.h"

namespace zq {

struct ClientOptions {
    Profile profile;
    std::optional<CurveKeys> curve = std::nullopt;  // in place of the profile's (an invitation's)
    Millis reply_timeout = seconds(5);              // of one try; a long poll's wait comes on top
    Millis give_up = seconds(30);                   // of all tries of one request; likewise
};

/// An error a request ended with, and the contents it named as missing.
struct CallError {
    Error error;
    std::vector<Digest> missing;
};

class Client {
  public:
    static Result<std::unique_ptr<Client>> open(SocketContext& context, ClientOptions options);
    ~Client();

    /// Sends a request and waits for its reply, repeating it under one id while nothing comes.
    /// `poll_wait` is the time a long poll may take at the coordinator. Errors: what the
    /// coordinator answered, or UNREACHABLE after `give_up`.
    tl::expected<wire::Message, CallError> call(const wire::Body& request, Millis poll_wait = {});

    /// The artifacts socket's endpoint, as the last reply told it; empty before the first reply.
    std::string artifacts_endpoint() const;
    const ClientOptions& options() const;

  private:
    struct Body;
    explicit Client(std::unique_ptr<Body> body);
    std::unique_ptr<Body> body_;
};

/// `artifacts_port` and `artifacts_endpoint` of a reply, seen from the endpoint that was dialled.
std::string resolve_artifacts_endpoint(const std::string& control_endpoint,
                                       const wire::Header& reply);

}  // namespace zq
