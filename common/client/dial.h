// Why a coordinator is silent, as far as this machine can tell: the sentence that ends an
// UNREACHABLE error. Says nothing to the coordinator.
#pragma once

#include <string>

namespace zq {

/// Tries a plain TCP connection to `endpoint` (at most a second) and gives what that shows, with
/// what to do next. `has_keys`: whether the silent conversation was encrypted.
std::string explain_silence(const std::string& endpoint, bool has_keys);

}  // namespace zq
