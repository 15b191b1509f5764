// Content by digest: whole, immutable, verified. Knows nothing of tasks or permissions. One thread
// uses it. Body: a folder tree (folder_artifact_store.h); one on S3 would fit behind this too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"

namespace zq::store {

class ArtifactStore {
  public:
    virtual ~ArtifactStore() = default;

    /// Begins or resumes an upload of a peer (`owner`, as its caller tells peers apart). Gives the
    /// offset from which bytes are wanted: `size` if the content is there whole. Errors: TOO_LARGE,
    /// BUSY (too many uploads at once, of this peer or in all), IO, STORAGE_FULL.
    virtual Result<std::uint64_t> begin(const Digest& digest, std::uint64_t size,
                                        const std::string& owner = {}) = 0;

    /// True if it is there, or the beginning of an upload of it.
    virtual bool has_part(const Digest& digest) const = 0;

    /// Appends bytes to an upload at its current offset; gives the new offset. A chunk at another
    /// offset changes nothing and gives the offset that is wanted. When the last byte is in, the
    /// digest is checked and the content made durable before this returns (then the result is
    /// `size`). Errors: DIGEST_MISMATCH (the upload is dropped), NOT_FOUND (no such upload),
    /// TOO_LARGE (more than announced), IO, STORAGE_FULL.
    virtual Result<std::uint64_t> append(const Digest& digest, std::uint64_t offset,
                                         std::string_view bytes) = 0;

    /// Whether so many bytes more, here or in the journal, leave the disk what the journal needs.
    /// Errors: STORAGE_FULL, IO.
    virtual Result<void> check_room(std::uint64_t bytes) const = 0;

    /// Reads up to `length` bytes from `offset`; fewer only at the end. Errors: NOT_FOUND, IO.
    virtual Result<std::string> read(const Digest& digest, std::uint64_t offset,
                                     std::size_t length) = 0;

    /// Size of content that is there whole. Errors: NOT_FOUND.
    virtual Result<std::uint64_t> size(const Digest& digest) = 0;

    /// Removes whole contents, durably; what is not there is left out. Errors: IO.
    virtual Result<void> remove(const std::vector<Digest>& digests) = 0;

    /// Reads it all and compares. Errors: NOT_FOUND, DIGEST_MISMATCH, IO.
    virtual Result<void> verify(const Digest& digest) = 0;
};

}  // namespace zq::store
