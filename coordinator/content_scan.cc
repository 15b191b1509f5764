#include "coordinator/content_scan.h"

#include <set>

#include "common/base/limits.h"
#include "common/base/secret_formats.h"
#include "common/base/secret_scan.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kWindow = 1U << 20;
constexpr std::size_t kContext = 128;  // before a window: what a word before a value needs

}  // namespace

Result<std::vector<std::string>> scan_content(store::ArtifactStore& store, const Digest& digest) {
    std::set<std::string> kinds;
    for (std::uint64_t at = 0; at < limits::kScannedBytes; at += kWindow) {
        // What begins in the window is seen whole; so is what stands before its first byte.
        const std::uint64_t begin = at < kContext ? 0 : at - kContext;
        const std::size_t before = at - begin;
        auto bytes = store.read(digest, begin, before + kWindow + kSecretBytes);
        if (!bytes) return Failure(bytes.error());
        if (bytes->size() <= before) break;
        if (at == 0 && is_binary(*bytes)) break;
        const std::string_view text(*bytes);
        for (auto found = find_secret(text, before); found; found = find_secret(text, found->end)) {
            if (found->begin >= before + kWindow) break;
            kinds.emplace(found->kind);
        }
    }
    return std::vector<std::string>(kinds.begin(), kinds.end());
}

}  // namespace zq::coordinator
