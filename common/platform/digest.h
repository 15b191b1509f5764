// SHA-256, by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/ids.h"

namespace zq {

/// The SHA-256 of some bytes.
Digest sha256(std::string_view bytes);

/// The same over bytes that come piece by piece.
class Sha256 {
  public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();
    void update(std::string_view bytes);
    /// Ends it; afterwards only the destructor.
    Digest finish();

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

struct FileDigest {
    Digest digest;
    std::uint64_t size = 0;
};
/// Reads a whole file in pieces. Errors: IO, NOT_FOUND.
Result<FileDigest> sha256_file(const std::string& path);

}  // namespace zq
