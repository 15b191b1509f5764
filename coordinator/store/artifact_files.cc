#include "coordinator/store/artifact_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "common/platform/files.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

Result<void> link_or_copy(const fs::path& from, const fs::path& to) {
    std::error_code failed;
    fs::create_hard_link(from, to, failed);
    if (!failed) return {};
    fs::copy_file(from, to, failed);
    if (failed) {
        return fail(
            failed == std::errc::no_space_on_device ? ErrorCode::STORAGE_FULL : ErrorCode::IO,
            "cannot copy " + from.string() + ": " + failed.message());
    }
    const FileHandle file(::open(to.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.is_open() && ::fsync(file.fd()) == 0) return {};
    return fail(ErrorCode::IO, "cannot sync " + to.string());
}

}  // namespace

Result<std::uint64_t> take_artifacts(Database& database, const std::string& from,
                                     const std::string& to) {
    auto rows = database.prepare("SELECT digest FROM contents WHERE inlined = 0");
    if (!rows) return Failure(rows.error());
    std::uint64_t taken = 0;
    std::set<std::string> folders;
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) break;
        auto digest = rows->digest_at(0);
        if (!digest) return Failure(digest.error());
        const std::string hex = to_hex(*digest);
        const std::string place = "/" + hex.substr(0, 2) + "/" + hex;
        std::error_code none;
        if (!fs::exists(from + place, none)) continue;
        const std::string folder = to + "/" + hex.substr(0, 2);
        if (folders.insert(folder).second) {
            if (auto ok = make_folders(folder, 0700); !ok) return Failure(ok.error());
        }
        if (auto ok = link_or_copy(from + place, to + place); !ok) return Failure(ok.error());
        ++taken;
    }
    for (const std::string& folder : folders) {
        if (auto ok = sync_folder(folder); !ok) return Failure(ok.error());
    }
    if (!folders.empty()) {
        if (auto ok = sync_folder(to); !ok) return Failure(ok.error());
    }
    return taken;
}

}  // namespace zq::store
