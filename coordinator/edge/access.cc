#include "coordinator/edge/access.h"

#include <type_traits>

namespace zq::edge {
namespace {

// No name holds a colon.
constexpr std::string_view kInvitationMark = "invitation:";
constexpr std::string_view kAdminMark = "admin:";

template <class T, class... Types>
inline constexpr bool kIsOneOf = (std::is_same_v<T, Types> || ...);

/// Requests of the control socket.
template <class T>
inline constexpr bool kAtControl =
    kIsOneOf<T, wire::Hello, wire::Ready, wire::Heartbeat, wire::Complete, wire::Skip, wire::Fail,
             wire::Release, wire::Progress, wire::Spend, wire::Checkpoint, wire::Goodbye,
             wire::Ping, wire::Submit, wire::Get, wire::List, wire::Wait, wire::Events,
             wire::Answers, wire::Cancel, wire::Claim, wire::Workers, wire::Leases, wire::Status,
             wire::Backup, wire::Gc, wire::Join, wire::Ask, wire::AnswerQuestion, wire::Questions,
             wire::UsageQuery, wire::Replay, wire::Edit, wire::Remove, wire::Batch, wire::Stats,
             wire::SetControl, wire::Controls>;

/// Requests of the artifacts socket.
template <class T>
inline constexpr bool kAtArtifacts = kIsOneOf<T, wire::Put, wire::Chunk, wire::Fetch, wire::Log,
                                              wire::ReadLog, wire::Upstream, wire::Ping>;

/// What an invitation's key may say.
template <class T>
inline constexpr bool kInvited = kIsOneOf<T, wire::Join, wire::Ping>;

/// What reaches into the coordinator's machine, or stops the work of others.
template <class T>
inline constexpr bool kAdminsOnly = kIsOneOf<T, wire::Backup, wire::Gc, wire::SetControl>;

}  // namespace

std::string user_id_of(const Identity& identity) {
    return identity.text;
}

std::string user_id_of_admin(const Identity& identity) {
    return std::string(kAdminMark) + identity.text;
}

std::string user_id_of_invitation(const std::string& public_key) {
    return std::string(kInvitationMark) + public_key;
}

Peer peer_of(Trust trust, const std::string& user_id) {
    if (trust == Trust::kLocal) return {PeerKind::kLocal, kLocalIdentity, {}};
    if (user_id.empty()) return {};
    if (user_id.rfind(kInvitationMark, 0) == 0) {
        return {PeerKind::kInvitation, Identity("invitation"),
                user_id.substr(kInvitationMark.size())};
    }
    if (user_id.rfind(kAdminMark, 0) == 0) {
        return {PeerKind::kAdmin, Identity(user_id.substr(kAdminMark.size())), {}};
    }
    return {PeerKind::kKnown, Identity(user_id), {}};
}

Result<void> check_access(const Peer& peer, Door door, const wire::Body& body) {
    return std::visit(
        [&](const auto& message) -> Result<void> {
            using T = std::decay_t<decltype(message)>;
            const bool here = door == Door::kControl ? kAtControl<T> : kAtArtifacts<T>;
            if (!here) {
                return fail(ErrorCode::UNKNOWN_TYPE,
                            std::string(T::kType) + " is no request of this socket");
            }
            switch (peer.kind) {
                case PeerKind::kLocal:
                case PeerKind::kAdmin:
                    return {};
                case PeerKind::kKnown:
                    if (!kAdminsOnly<T>) return {};
                    return fail(ErrorCode::DENIED,
                                std::string(T::kType) +
                                    " is for operators: run it on the coordinator's machine, or"
                                    " with the admin's key");
                case PeerKind::kInvitation:
                    if (kInvited<T>) return {};
                    return fail(ErrorCode::DENIED, "an invitation may only JOIN");
                case PeerKind::kStranger:
                    return fail(ErrorCode::DENIED, "this key is not known here");
            }
            return fail(ErrorCode::DENIED, "this key is not known here");
        },
        body);
}

}  // namespace zq::edge
