// The keys a coordinator knows: a folder with one small file per key, so that a change needs no
// restart and a backup is a copy. `zq init` and `zq invite` write it, the coordinator reads it at
// every handshake and writes it when an invitation is redeemed.
//
//     KEYS/server.key            the coordinator's own pair (keys.h), 0600
//     KEYS/known/FINGERPRINT.toml   one known public key: public_key, name, kind, role, expires_at
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/platform/keys.h"

namespace zq {

enum class KeyKind : std::uint8_t {
    kAdmin,
    kClient,
    kWorker,
    kInvitation,  // may only JOIN, once, until it expires
};
std::string_view to_string(KeyKind kind);
bool from_text(std::string_view text, KeyKind& out);

struct KnownKey {
    std::string public_key;  // Z85
    std::string name;        // a valid name
    KeyKind kind = KeyKind::kClient;
    RoleName role;           // of a worker, or of an invitation for one; else empty
    Instant expires_at;      // of an invitation; 0: never
    std::string invited_by;  // identity
};

/// `NAME@FINGERPRINT`, as events carry it.
Result<Identity> identity_of(const KnownKey& key);

class KeyRegistry {
  public:
    /// `folder` is DATA/keys; it need not be there yet (then nothing is known).
    explicit KeyRegistry(std::string folder);

    /// Errors: NOT_FOUND (no server key: `zq init` makes it), and read_key_file's.
    Result<KeyPair> server_keys() const;
    /// Makes the folder and the server's pair where they are missing; gives the pair.
    Result<KeyPair> ensure_server_keys();

    /// Errors: CONFLICT (the key is known already), IO.
    Result<void> add(const KnownKey& key);
    /// Errors: NOT_FOUND, IO.
    Result<void> remove(const std::string& public_key);
    Result<std::optional<KnownKey>> find(const std::string& public_key) const;
    Result<std::vector<KnownKey>> list() const;

    /// Redeems an invitation for a new key, in a way that a crash in between leaves either the
    /// invitation or the new key. Errors: DENIED (no such invitation, or expired at `now`),
    /// CONFLICT.
    Result<KnownKey> redeem(const std::string& invitation_public, const std::string& new_public,
                            const std::string& name, Instant now);

  private:
    std::string folder_;
};

}  // namespace zq
