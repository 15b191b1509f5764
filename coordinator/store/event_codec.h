// Events to the journal's bytes and back: their kinds' numbers, their bodies, their place in the
// hash chain, and a view of their fields for people. Storage itself is elsewhere.
//
// The chain. Every event is stored as a header and a body, and hashed as
//
//     hash = SHA-256(hash of the event before || header || SHA-256(body))
//
// where the first event follows 32 zero bytes. The body stands in it by its digest alone, so that a
// body can be erased without breaking the chain. The header's bytes (integers big-endian):
//
//     0       8       16     20    22       24    25          25+n     27+n         27+n+m   29+n+m
//     +-------+-------+------+-----+--------+-----+-----------+--------+------------+--------+-----------+
//     | seq 8 | at 8  |epoch4|kind2|version2| n 1 | namespace | m 2    | task id    | k 2    |
//     identity  |
//     +-------+-------+------+-----+--------+-----+-----------+--------+------------+--------+-----------+
//
// `at` is in milliseconds since 1970; n, m and k are the lengths of the texts after them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "coordinator/core/event.h"

namespace zq::store {

/// Version of the body format that is written. All versions up to it are read.
inline constexpr std::uint16_t kBodyVersion = 1;

/// The number of a body's kind on disk: its place in the variant.
std::uint16_t kind_number(const core::EventBody& body);

/// The kinds that bring a task's envelope, a bit (1 << kind_number) each.
std::uint64_t envelope_kinds();

/// MessagePack of a body's fields (record_fields.h).
std::string encode_body(const core::EventBody& body);

/// Errors: UNSUPPORTED_VERSION (kind or version of a later program), and pack::decode's.
Result<core::EventBody> decode_body(std::uint16_t kind, std::uint16_t version,
                                    std::string_view bytes);

/// The header's bytes, as drawn above. The body's own bytes are not looked at.
std::string header_bytes(const core::Event& event, std::uint16_t kind, std::uint16_t version);

/// The event of a header and a body, as they were written. Errors: IO (it is no header), and those
/// of decode_body.
Result<core::Event> decode_event(std::string_view header, std::string_view body);

/// The next link of the chain.
Digest chain_hash(const Digest& before, std::string_view header, const Digest& body_digest);

/// What readers are shown of an event, as words and numbers. Lease tokens are never among it.
std::map<std::string, std::string> fields_of(const core::EventBody& body);

}  // namespace zq::store
