// Answers that are remembered, so that a repeated request gets the same one: the bound on them.
#pragma once

#include <optional>

#include "coordinator/core/decide_parts.h"

namespace zq::core {

/// The answer to this request, if it was given before. Null for requests without a client instance.
const RequestRecord* find_record(const Call& call);

/// Why one more answer cannot be remembered; nullopt if it can.
std::optional<Error> request_bound(const Call& call);

}  // namespace zq::core
