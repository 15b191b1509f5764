// Uploads by peers that may not read everything: each sends all bytes itself, whoever sent or
// stored the same content before. So nobody comes to content by its digest alone, and nobody learns
// that it is there. Used by the artifacts thread alone.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <utility>

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/platform/digest.h"

namespace zq::edge {

class UploadProofs {
  public:
    explicit UploadProofs(std::size_t most = 1'024) : most_(most) {}

    /// Begins or resumes; gives the offset from which bytes are wanted.
    std::uint64_t begin(const Identity& identity, const Digest& digest, std::uint64_t size);
    struct Progress {
        std::uint64_t offset = 0;  // from which bytes are wanted
        std::uint64_t size = 0;    // as it was announced
        bool complete = false;     // all are there, and they are what the digest says
    };
    /// Takes bytes that begin at `offset`. Nothing is taken where they do not begin where they
    /// should. Errors: NOT_FOUND (it was not begun, or was forgotten),
    /// TOO_LARGE, DIGEST_MISMATCH (all are there, and are another content's).
    Result<Progress> take(const Identity& identity, const Digest& digest, std::uint64_t offset,
                          std::string_view bytes);
    /// True if it was begun.
    bool forget(const Identity& identity, const Digest& digest);

  private:
    using Key = std::pair<Identity, Digest>;
    struct Proof {
        std::uint64_t size = 0;
        std::uint64_t offset = 0;
        Sha256 hash;
        std::list<Key>::iterator place;
    };

    std::size_t most_;
    std::map<Key, Proof> proofs_;
    std::list<Key> recent_;  // the last used first
};

}  // namespace zq::edge
