// Artifacts on their way from one data folder to another: linked where the disk is the same, copied
// where it is not.
#pragma once

#include <atomic>

#include "coordinator/store/sqlite.h"

namespace zq::store {

enum class Proof : std::uint8_t {
    kNone,    // what is missing is left out: verify names it
    kDigest,  // each content is there, with the bytes of its digest
};

struct TakenArtifacts {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
};

/// Brings every content that the database names and does not hold itself from one artifacts folder
/// to another, durably. Ends soon after `stop` becomes true. Errors: NOT_FOUND and DIGEST_MISMATCH
/// (with kDigest), SHUTTING_DOWN (`stop`), IO, STORAGE_FULL.
Result<TakenArtifacts> take_artifacts(Database& database, const std::string& from,
                                      const std::string& to, Proof proof,
                                      const std::atomic<bool>* stop = nullptr);

}  // namespace zq::store
