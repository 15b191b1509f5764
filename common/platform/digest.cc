#include "common/platform/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "common/base/check.h"
#include "common/platform/files.h"

namespace zq {

namespace {

/// Looked up once: EVP_sha256() would look through the library's providers for each digest.
const EVP_MD* algorithm() {
    static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    ZQ_CHECK(found != nullptr);
    return found;
}

}  // namespace

struct Sha256::Body {
    EVP_MD_CTX* context = nullptr;

    Body() : context(EVP_MD_CTX_new()) {
        ZQ_CHECK(context != nullptr);
        ZQ_CHECK(EVP_DigestInit_ex2(context, algorithm(), nullptr) == 1);
    }
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;
    ~Body() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : body_(std::make_unique<Body>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
    ZQ_CHECK(EVP_DigestUpdate(body_->context, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
    Digest digest;
    unsigned size = 0;
    ZQ_CHECK(EVP_DigestFinal_ex(body_->context, digest.bytes.data(), &size) == 1);
    ZQ_CHECK(size == digest.bytes.size());
    return digest;
}

Digest sha256(std::string_view bytes) {
    Digest digest;
    unsigned size = 0;
    ZQ_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.bytes.data(), &size, algorithm(),
                        nullptr) == 1);
    return digest;
}

Result<FileDigest> sha256_file(const std::string& path) {
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        return fail(errno == ENOENT ? ErrorCode::NOT_FOUND : ErrorCode::IO,
                    "cannot open " + path + ": " + std::strerror(errno));
    }
    std::vector<char> buffer(256 * 1024);
    Sha256 hash;
    FileDigest result;
    while (true) {
        ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            return fail(ErrorCode::IO, "cannot read " + path + ": " + std::strerror(errno));
        }
        if (got == 0) break;
        hash.update({buffer.data(), static_cast<std::size_t>(got)});
        result.size += static_cast<std::uint64_t>(got);
    }
    result.digest = hash.finish();
    return result;
}

}  // namespace zq
