// Whether a data folder says the truth: `zq journal verify`, `zq-coordinator --check`. It walks
// everything, so it takes as long as the journal is; it changes nothing, and needs the folder to
// itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/store/artifact_store.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

enum class VerifyDepth : std::uint8_t {
    kPresence,  // artifacts are there with their size
    kContents,  // and their bytes have their digest
};

struct VerifyReport {
    JournalId journal = 0;
    std::uint64_t events = 0;
    std::uint64_t tasks = 0;
    std::uint64_t attempts = 0;
    std::uint64_t contents = 0;
    std::uint64_t anchors = 0;
    Seq base_seq = 0;  // events up to it were dropped; what stayed of them is checked too
    Seq last_seq = 0;
    Digest head;   // of the hash chain, at the last event that could be followed
    Digest state;  // state_hash after all events
    int format = 0;
    std::vector<std::string> problems;  // sentences; at most kProblems
};
inline constexpr std::size_t kProblems = 100;

/// Checks the database (its own integrity, its schema, the hash chain with every body, every
/// anchor, the projections against a replay from the base or from nothing) and the artifacts. What
/// is found wrong is in the report. Errors: NOT_FOUND (no journal there), CONFLICT (in use),
/// UNSUPPORTED_VERSION, IO (it could not be read). `head`: of the chain at some time, kept
/// elsewhere: where no event has it, the journal was cut or written anew since.
Result<VerifyReport> verify(const std::string& folder, VerifyDepth depth,
                            const std::optional<Digest>& head = std::nullopt);

/// The same on an open database.
struct CheckParts {
    Database& database;
    int format = 0;
    ArtifactStore& artifacts;
    VerifyDepth depth = VerifyDepth::kContents;
    std::optional<Digest> head = {};  // that the chain must have had
};
VerifyReport check_journal(const CheckParts& parts);

}  // namespace zq::store
