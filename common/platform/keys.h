// CURVE keys and their files. A secret key lives in a file of mode 0600, and nowhere else: never in
// a flag, the environment, a message or a log.
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.h"

namespace zq {

/// Overwrites a text that held a secret, whatever the compiler thinks of it, and empties it.
void wipe(std::string& text);

/// Z85, 40 characters each. A copy that ends leaves nothing of the secret in memory.
struct KeyPair {
    std::string public_key;
    std::string secret_key;

    ~KeyPair() { wipe(secret_key); }
};

KeyPair make_key_pair();

/// Writes both keys (text, one `name = "value"` line each), mode 0600, synced. Errors: IO.
Result<void> write_key_file(const std::string& path, const KeyPair& keys);
/// Errors: NOT_FOUND, INVALID (not such a file), DENIED (readable by others: says chmod).
Result<KeyPair> read_key_file(const std::string& path);

/// First 16 hex digits of the SHA-256 of the 32 key bytes. Errors: INVALID (not a Z85 key).
Result<std::string> key_fingerprint(const std::string& public_key);
/// A key's 32 raw bytes in Z85; empty for any other size.
std::string z85_of(std::string_view raw);
/// The public key of a secret one. Errors: INVALID.
Result<std::string> public_of(const std::string& secret_key);

/// One key as 64 hex digits, for command lines (Z85 has characters that shells read), and back.
/// Errors: INVALID.
Result<std::string> key_to_hex(const std::string& z85);
Result<std::string> key_from_hex(const std::string& hex, const std::string& field);

}  // namespace zq
