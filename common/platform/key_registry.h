// The keys a coordinator knows: a folder with one small file per key, so that a change needs no
// restart and a backup is a copy. `zq init` and `zq invite` write it; the coordinator reads what
// changes in it, and writes it when an invitation is redeemed, a key takes another's place, or an
// admin says so.
//
//     KEYS/server.key            the coordinator's own pair (keys.h), 0600
//     KEYS/known/FINGERPRINT.toml   one known public key: public_key, name, kind, role, expires_at,
//                                   permissions and, of an invitation, uses
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/access.h"
#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/platform/keys.h"

namespace zq {

struct KnownKey {
    std::string public_key;  // Z85
    std::string name;        // a valid name
    KeyKind kind = KeyKind::kClient;
    RoleName role;           // of a worker, or of an invitation for one; else empty
    Instant expires_at;      // 0: never
    Identity invited_by;     // who made its invitation; empty: nobody
    Permissions rights;      // of an invitation: those of the keys that it makes
    std::uint32_t uses = 1;  // of an invitation: how many keys it makes
    Identity identity;       // of the key that it took the place of; empty: its own
};

/// `NAME@FINGERPRINT`, as events carry it. A key that took another's place keeps that one's.
Result<Identity> identity_of(const KnownKey& key);
/// What the journal says of a key. Errors: INVALID (not a key).
Result<KeyAccess> access_of(const KnownKey& key);

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
    /// The key of this fingerprint, 16 hex digits.
    Result<std::optional<KnownKey>> read(const std::string& fingerprint) const;
    /// Writes a key that is known anew. Errors: NOT_FOUND, IO.
    Result<void> update(const KnownKey& key);
    Result<std::vector<KnownKey>> list() const;

    /// Redeems an invitation for a new key, in a way that a crash in between leaves either the
    /// invitation or the new key. Errors: DENIED (no such invitation, or expired at `now`),
    /// CONFLICT.
    Result<KnownKey> redeem(const std::string& invitation_public, const std::string& new_public,
                            const std::string& name, Instant now);
    /// Makes a new key known in the place of an old one, which stays known until `until`. Said
    /// again it does nothing. Errors: NOT_FOUND (the old one), CONFLICT (the new one is another's).
    Result<KnownKey> rotate(const std::string& old_fingerprint, const std::string& new_public,
                            Instant until);

    /// Where the keys' files are.
    std::string known_folder() const { return folder_ + "/known"; }

  private:
    std::string folder_;
};

}  // namespace zq
