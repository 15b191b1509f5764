// Whether a data folder says the truth: `zq-coordinator --check`. It walks everything, so it takes
// as long as the journal is; it changes nothing, and needs the folder to itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"

namespace zq::store {

enum class VerifyDepth : std::uint8_t {
    kPresence,  // artifacts are there with their size
    kContents,  // and their bytes have their digest
};

struct VerifyReport {
    std::uint64_t events = 0;
    std::uint64_t tasks = 0;
    std::uint64_t attempts = 0;
    std::uint64_t contents = 0;
    Seq last_seq = 0;
    Digest head;   // of the hash chain, at the last event that could be followed
    Digest state;  // state_hash after all events
    int format = 0;
    std::vector<std::string> problems;  // sentences; at most kProblems
};
inline constexpr std::size_t kProblems = 100;

/// Checks the database (its own integrity, the hash chain with every body, the projections against
/// a replay of all events) and the artifacts. What is found wrong is in the report. Errors:
/// NOT_FOUND (no journal there), CONFLICT (in use), UNSUPPORTED_VERSION, IO (it could not be read).
Result<VerifyReport> verify(const std::string& folder, VerifyDepth depth);

}  // namespace zq::store
