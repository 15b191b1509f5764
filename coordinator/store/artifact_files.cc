#include "coordinator/store/artifact_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "common/platform/digest.h"
#include "common/platform/files.h"

namespace zq::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = 256 * 1024;

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

bool is_stopped(const std::atomic<bool>* stop) {
    return stop != nullptr && stop->load();
}

/// Reads a file to its end and compares; a long one too ends soon after `stop`.
Result<void> check_digest(const std::string& path, const Digest& digest,
                          const std::atomic<bool>* stop) {
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return fail(ErrorCode::IO, "cannot open " + path);
    std::string buffer(kReadBytes, '\0');
    Sha256 hash;
    while (!is_stopped(stop)) {
        const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            return fail(ErrorCode::IO, "cannot read " + path + ": " + std::strerror(errno));
        }
        if (got > 0) {
            hash.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
            continue;
        }
        if (hash.finish() == digest) return {};
        return fail(ErrorCode::DIGEST_MISMATCH,
                    "the artifact store's bytes of " + to_hex(digest) + " are not those it names");
    }
    return fail(ErrorCode::SHUTTING_DOWN, "stopped");
}

/// One run over all contents.
class Taking {
  public:
    Taking(std::string from, std::string to, Proof proof, const std::atomic<bool>* stop)
        : from_(std::move(from)), to_(std::move(to)), proof_(proof), stop_(stop) {}

    Result<void> take(const Digest& digest) {
        if (is_stopped(stop_)) return fail(ErrorCode::SHUTTING_DOWN, "stopped");
        const std::string hex = to_hex(digest);
        const std::string place = "/" + hex.substr(0, 2) + "/" + hex;
        std::error_code none;
        if (!fs::exists(from_ + place, none)) {
            if (proof_ == Proof::kNone) return {};
            return fail(ErrorCode::NOT_FOUND, "the artifact store has lost " + hex);
        }
        const std::string folder = to_ + "/" + hex.substr(0, 2);
        if (folders_.insert(folder).second) {
            if (auto ok = make_folders(folder, 0700); !ok) return ok;
        }
        if (auto ok = link_or_copy(from_ + place, to_ + place); !ok) return ok;
        // What was written is what is read: a copy's own faults are found too.
        if (proof_ == Proof::kDigest) {
            if (auto ok = check_digest(to_ + place, digest, stop_); !ok) return ok;
        }
        ++taken_.count;
        taken_.bytes += fs::file_size(to_ + place, none);
        return {};
    }

    /// The new names last.
    Result<TakenArtifacts> finish() {
        for (const std::string& folder : folders_) {
            if (auto ok = sync_folder(folder); !ok) return Failure(ok.error());
        }
        if (!folders_.empty()) {
            if (auto ok = sync_folder(to_); !ok) return Failure(ok.error());
        }
        return taken_;
    }

  private:
    std::string from_;
    std::string to_;
    Proof proof_;
    const std::atomic<bool>* stop_;
    std::set<std::string> folders_;
    TakenArtifacts taken_;
};

}  // namespace

Result<TakenArtifacts> take_artifacts(Database& database, const std::string& from,
                                      const std::string& to, Proof proof,
                                      const std::atomic<bool>* stop) {
    auto rows = database.prepare("SELECT digest FROM contents WHERE inlined = 0");
    if (!rows) return Failure(rows.error());
    Taking taking(from, to, proof, stop);
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return taking.finish();
        auto digest = rows->digest_at(0);
        if (!digest) return Failure(digest.error());
        if (auto ok = taking.take(*digest); !ok) return Failure(ok.error());
    }
}

}  // namespace zq::store
