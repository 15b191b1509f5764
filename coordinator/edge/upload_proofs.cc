#include "coordinator/edge/upload_proofs.h"

namespace zq::edge {

std::uint64_t UploadProofs::begin(const Identity& identity, const Digest& digest,
                                  std::uint64_t size) {
    const Key key{identity, digest};
    auto at = proofs_.find(key);
    if (at != proofs_.end() && at->second.size == size) return at->second.offset;
    forget(identity, digest);
    recent_.push_front(key);
    Proof& proof = proofs_[key];
    proof.size = size;
    proof.place = recent_.begin();
    if (proofs_.size() > most_) {
        const Key oldest = recent_.back();
        forget(oldest.first, oldest.second);
    }
    return 0;
}

Result<UploadProofs::Progress> UploadProofs::take(const Identity& identity, const Digest& digest,
                                                  std::uint64_t offset, std::string_view bytes) {
    auto at = proofs_.find({identity, digest});
    if (at == proofs_.end()) {
        return fail(ErrorCode::NOT_FOUND, "no upload of " + to_hex(digest) + " is under way");
    }
    Proof& proof = at->second;
    recent_.splice(recent_.begin(), recent_, proof.place);
    if (offset != proof.offset) return Progress{proof.offset, proof.size, false};
    if (bytes.size() > proof.size - proof.offset) {
        return fail(ErrorCode::TOO_LARGE,
                    "more bytes than the " + std::to_string(proof.size) + " that were announced");
    }
    proof.hash.update(bytes);
    proof.offset += bytes.size();
    if (proof.offset < proof.size) return Progress{proof.offset, proof.size, false};
    const bool same = proof.hash.finish() == digest;
    const std::uint64_t size = proof.size;
    forget(identity, digest);
    if (same) return Progress{size, size, true};
    return fail(ErrorCode::DIGEST_MISMATCH, "the bytes are another content's");
}

bool UploadProofs::forget(const Identity& identity, const Digest& digest) {
    auto at = proofs_.find({identity, digest});
    if (at == proofs_.end()) return false;
    recent_.erase(at->second.place);
    proofs_.erase(at);
    return true;
}

}  // namespace zq::edge
