// The keys that are known at this moment and what each may do: asked for every message, by several
// threads. What stands in the registry's files is brought here by the access desk, and by the ZAP
// handler for a key that it has just met.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/base/access.h"

namespace zq::edge {

/// A known key, as one message after the other is checked against it.
struct KnownPeer {
    KeyKind kind = KeyKind::kClient;
    Identity identity;
    Permissions rights;
    Instant expires_at;  // 0: never

    friend bool operator==(const KnownPeer&, const KnownPeer&) = default;
};
/// Errors: INVALID (a permission that is none).
Result<KnownPeer> known_peer(const KeyAccess& access);

class KeyBook {
  public:
    /// Null where the fingerprint is not known, or its time was over at `now`.
    std::shared_ptr<const KnownPeer> find(const std::string& fingerprint, Instant now) const;

    void put(const std::string& fingerprint, KnownPeer peer);
    /// Only where nothing is known of it yet.
    void learn(const std::string& fingerprint, KnownPeer peer);
    void forget(const std::string& fingerprint);

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const KnownPeer>, std::less<>> keys_;
};

}  // namespace zq::edge
