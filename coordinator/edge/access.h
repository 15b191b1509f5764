// Who a peer is, and which message it may send where. Pure: a table. Rights beyond "known key" are
// none of this version's, but for what touches the coordinator's own machine: that is an admin's.
#pragma once

#include <string>

#include "common/wire/codec.h"

namespace zq::edge {

/// What stands between a socket and its peers.
enum class Trust : std::uint8_t {
    kLocal,          // loopback, ipc, or insecure: nobody is asked
    kAuthenticated,  // CURVE, and ZAP has said who it is
};

enum class PeerKind : std::uint8_t { kLocal, kAdmin, kKnown, kInvitation, kStranger };

struct Peer {
    PeerKind kind = PeerKind::kStranger;
    Identity identity;
    std::string invitation;  // its public key, with kInvitation
};

/// The socket that a message came in by.
enum class Door : std::uint8_t { kControl, kArtifacts };

/// The user id that ZAP gives to a known key, to an admin's, and to an invitation's.
std::string user_id_of(const Identity& identity);
std::string user_id_of_admin(const Identity& identity);
std::string user_id_of_invitation(const std::string& public_key);

/// Who it is. An authenticated socket without a user id is a stranger: nothing is allowed.
Peer peer_of(Trust trust, const std::string& user_id);

/// Errors: UNKNOWN_TYPE (no request, or not at this door), DENIED.
Result<void> check_access(const Peer& peer, Door door, const wire::Body& body);

}  // namespace zq::edge
