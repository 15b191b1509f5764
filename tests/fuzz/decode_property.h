// What must hold for whatever bytes a peer sends: the property that both the fuzzer and the plain
// program check.
#pragma once

#include <cstdint>
#include <string_view>

namespace zq::fuzz {

/// Takes any bytes as a message: the first one picks the type (or none that exists), the rest is
/// the map frame, for CHUNK followed by a body. Stops the process (ZQ_CHECK) where the decoder
/// breaks a promise: it refuses with a code that a peer's bytes can earn, names the field of every
/// INVALID, and what it takes, it writes back so that it reads as the same message.
void check_decode(std::string_view bytes);

/// Number of values of the first byte that pick different types.
std::size_t type_count();

}  // namespace zq::fuzz
