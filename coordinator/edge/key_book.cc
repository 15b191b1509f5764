#include "coordinator/edge/key_book.h"

namespace zq::edge {

Result<KnownPeer> known_peer(const KeyAccess& access) {
    auto rights = parse_permissions(access.permissions, "permissions");
    if (!rights) return Failure(rights.error());
    return KnownPeer{access.kind, access.identity, std::move(*rights), access.expires_at};
}

std::shared_ptr<const KnownPeer> KeyBook::find(const std::string& fingerprint, Instant now) const {
    const std::scoped_lock lock(mutex_);
    auto at = keys_.find(fingerprint);
    if (at == keys_.end()) return nullptr;
    const Instant end = at->second->expires_at;
    return end.is_set() && end <= now ? nullptr : at->second;
}

void KeyBook::put(const std::string& fingerprint, KnownPeer peer) {
    auto known = std::make_shared<const KnownPeer>(std::move(peer));
    const std::scoped_lock lock(mutex_);
    keys_.insert_or_assign(fingerprint, std::move(known));
}

void KeyBook::learn(const std::string& fingerprint, KnownPeer peer) {
    auto known = std::make_shared<const KnownPeer>(std::move(peer));
    const std::scoped_lock lock(mutex_);
    keys_.try_emplace(fingerprint, std::move(known));
}

void KeyBook::forget(const std::string& fingerprint) {
    const std::scoped_lock lock(mutex_);
    auto at = keys_.find(fingerprint);
    if (at != keys_.end()) keys_.erase(at);
}

}  // namespace zq::edge
