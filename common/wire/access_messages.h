// Keys: what they may do, who changes it, and how one takes another's place (protocol.md, "Keys").
// Structs and field names only; bytes are codec.h's.
#pragma once

#include "common/wire/envelope.h"

namespace zq::wire {

/// Asks which keys are known. Whoever is no admin is told of its own key alone.
struct Access {
    static constexpr std::string_view kType = "ACCESS";
    std::string key;  // an identity, a name, or the beginning of a fingerprint; empty: all
    friend bool operator==(const Access&, const Access&) = default;
};
template <class V, Of<Access> T>
void describe(V& v, T& m) {
    v.optional("key", m.key);
}

struct AccessRow {
    std::string fingerprint;  // of the key in use; an identity has that of its first
    std::string name;
    RoleName role;  // a worker was invited for
    KeyAccess access;
    std::uint32_t uses = 0;  // of an invitation: how many keys it makes
    friend bool operator==(const AccessRow&, const AccessRow&) = default;
};
template <class V, Of<AccessRow> T>
void describe(V& v, T& m) {
    v("fingerprint", m.fingerprint);
    v("name", m.name);
    v.optional("to", m.role);
    v("access", m.access);
    v.optional("uses", m.uses);
}

struct AccessRows {
    static constexpr std::string_view kType = "ACCESS_ROWS";
    std::vector<AccessRow> rows;  // by name
    bool more = false;
    friend bool operator==(const AccessRows&, const AccessRows&) = default;
};
template <class V, Of<AccessRows> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v.optional("more", m.more);
}

/// Changes what one key may do, or makes it unknown. Said again it changes nothing. Answered by
/// ACCESS_ROWS with the key as it is now; without rows where it is not known any more.
struct SetAccess {
    static constexpr std::string_view kType = "SET_ACCESS";
    std::string key;  // as in ACCESS; exactly one must be meant
    std::vector<std::string> grant;
    std::vector<std::string> revoke;  // of what stands in its list
    bool remove = false;
    std::string reason;
    friend bool operator==(const SetAccess&, const SetAccess&) = default;
};
template <class V, Of<SetAccess> T>
void describe(V& v, T& m) {
    v("key", m.key);
    v.optional("grant", m.grant);
    v.optional("revoke", m.revoke);
    v.optional("remove", m.remove);
    v.optional("reason", m.reason);
}

/// Makes a new key known in the place of the sender's, with its identity and its permissions; the
/// sender's is known for `grace` more. Answered by JOINED. Said again it changes nothing.
struct Rotate {
    static constexpr std::string_view kType = "ROTATE";
    std::string public_key;  // Z85
    Millis grace{};
    friend bool operator==(const Rotate&, const Rotate&) = default;
};
template <class V, Of<Rotate> T>
void describe(V& v, T& m) {
    v("public_key", m.public_key);
    v.optional("grace_ms", m.grace);
}

}  // namespace zq::wire
