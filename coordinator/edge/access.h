// Who a peer is, and which message it may send where. Pure: tables, and rules about one task. What
// lists show of many tasks is filtered by `may_read`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/wire/codec.h"
#include "coordinator/core/task.h"
#include "coordinator/edge/key_book.h"

namespace zq::edge {

/// What stands between a socket and its peers.
enum class Trust : std::uint8_t {
    kLocal,          // loopback, ipc, or insecure: nobody is asked
    kAuthenticated,  // CURVE, and ZAP has said who it is
};

/// Whose message it is, as the socket says it.
struct Asker {
    Trust trust = Trust::kLocal;
    std::string user_id;
    friend auto operator<=>(const Asker&, const Asker&) = default;
};

enum class PeerKind : std::uint8_t { kLocal, kKnown, kInvitation, kStranger };

struct Peer {
    PeerKind kind = PeerKind::kStranger;
    Identity identity;
    std::string invitation;                // its public key, with kInvitation
    std::string fingerprint;               // of its key, with kKnown
    std::shared_ptr<const KnownPeer> key;  // null for a stranger and an invitation

    /// What it may do; nothing where `key` is null.
    const Permissions& rights() const;
};

/// The socket that a message came in by.
enum class Door : std::uint8_t { kControl, kArtifacts };

/// The user id that ZAP gives to a known key, and to an invitation's.
std::string user_id_of(const std::string& fingerprint);
std::string user_id_of_invitation(const std::string& public_key);

/// Who it is at this moment. Whom the book does not know (any more) is a stranger: nothing is
/// allowed.
Peer peer_of(const Asker& asker, const KeyBook& book, Instant now);

/// What can be said without a look at any task. Errors: UNKNOWN_TYPE (no request, or not at this
/// door), DENIED.
Result<void> check_access(const Peer& peer, Door door, const wire::Body& body);

/// What a message wants of the one task that it is about.
enum class Wish : std::uint8_t {
    kRead,
    kChange,  // cancel, repair, run again, remove
    kAnswer,  // what it asks people
    kEnd,     // complete or fail it without having claimed it
    kTake,    // claim it by its id
};
struct Wished {
    TaskId task;
    Wish wish = Wish::kRead;
};
/// nullopt where the message is about none or several, where its answer is filtered by `may_read`,
/// and where it has a lease: that is the core's to check.
std::optional<Wished> wish_of(const wire::Body& body);
/// `task` null: there is none. Errors: DENIED; NOT_FOUND, where it is not told whether there is
/// one.
Result<void> check_task(const Peer& peer, const Wished& wished, const core::Task* task);

/// True if what it is about may be told.
bool may_read(const Peer& peer, const core::Task& task);
/// True if whatever there is may be told.
bool may_read_all(const Peer& peer);

}  // namespace zq::edge
