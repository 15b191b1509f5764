// Every bound and spelling of every request, checked before anything is looked up or decided. Pure.
// The error names the field as it stands on the wire.
#pragma once

#include "common/wire/codec.h"

namespace zq::edge {

/// Errors: INVALID, TOO_LARGE, DIGEST_MISMATCH (of content that travels inside), each with its
/// field.
Result<void> check_fields(const wire::Message& message);

}  // namespace zq::edge
