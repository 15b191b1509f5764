// The records of the projections as bytes, and one hash over everything durable. Fields are named
// in record_fields.h.
#pragma once

#include <string>
#include <string_view>

#include "coordinator/core/state.h"

namespace zq::store {

std::string encode_task(const core::Task& task);
std::string encode_attempt(const core::Attempt& attempt);

/// Errors: pack::decode's.
Result<core::Task> decode_task(std::string_view bytes);
Result<core::Attempt> decode_attempt(std::string_view bytes);

/// SHA-256 over the durable part in one canonical order: two states with the same hash go on alike.
/// The volatile part and the indexes are not in it.
Digest state_hash(const core::State& state);

}  // namespace zq::store
