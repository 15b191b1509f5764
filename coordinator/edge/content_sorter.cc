#include "coordinator/edge/content_sorter.h"

#include <algorithm>

#include "common/base/secret_scan.h"

namespace zq::edge {
namespace {

Result<void> check_size(const ArtifactRef& ref, std::uint64_t size) {
    if (ref.size == size) return {};
    return fail(ErrorCode::INVALID,
                "the content of artifact " + ref.name + " has " + std::to_string(size) + " bytes",
                "size");
}

}  // namespace

Result<void> ContentSorter::sort(ArtifactRef& ref, std::string* data) {
    const auto same = std::find_if(recorded.begin(), recorded.end(),
                                   [&](const auto& r) { return r.digest == ref.digest; });
    ref.secrets.clear();  // not the sender's to say
    if (same != recorded.end()) {
        ref.secrets = same->secrets;
        return check_size(ref, same->size);
    }
    auto stored = facts.stored(ref.digest);
    if (!stored) return Failure(stored.error());
    if (may_refer(origin, ref.digest, data != nullptr) && *stored) {
        ref.secrets = std::move((*stored)->secrets);
        return check_size(ref, (*stored)->size);
    }
    if (data == nullptr) {
        auto& missing = incoming.command.facts.missing;
        if (std::find(missing.begin(), missing.end(), ref.digest) == missing.end()) {
            missing.push_back(ref.digest);
        }
        return {};
    }
    if (!is_binary(*data)) ref.secrets = secret_kinds(*data);
    recorded.push_back(ref);
    incoming.contents.push_back({ref.digest, std::move(*data)});
    return {};
}

bool may_refer(const Origin& origin, const Digest& digest, bool sent) {
    if (origin.shown == nullptr) return true;
    if (sent) origin.shown->add(origin.identity, digest);
    return origin.shown->has(origin.identity, digest);
}

Result<void> check_policy(const ArtifactRef& ref, const Origin& origin, const std::string& field) {
    if (ref.secrets.empty() || origin.artifact_secrets == ArtifactSecrets::kFlag) return {};
    return fail(ErrorCode::SECRET_FOUND,
                "what looks like a " + kinds_text(ref.secrets) + " stands in the artifact " +
                    redacted_name(ref.name, limits::kArtifactNameBytes) +
                    ", and this coordinator refuses such artifacts",
                field);
}

}  // namespace zq::edge
