#include "coordinator/store/folder_artifact_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "common/platform/clock.h"
#include "coordinator/store/storage_reserve.h"

namespace zq::store {
namespace {

constexpr Millis kSweepEvery = hours(1);
constexpr mode_t kContentMode = 0400;

Failure os_error(const std::string& what, const std::string& path) {
    const int error = errno;
    ErrorCode code = ErrorCode::IO;
    if (error == ENOENT) code = ErrorCode::NOT_FOUND;
    if (error == ENOSPC || error == EDQUOT) code = ErrorCode::STORAGE_FULL;
    return fail(code, what + " " + path + ": " + std::strerror(error));
}

Failure not_stored(const Digest& digest) {
    return fail(ErrorCode::NOT_FOUND, "no content " + to_hex(digest) + " is stored");
}

/// Feeds what an earlier run wrote to the hash. Gives its length.
Result<std::uint64_t> rehash(int fd, Sha256& hash, const std::string& path) {
    std::string buffer(256 * 1024, '\0');
    std::uint64_t offset = 0;
    while (true) {
        const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("cannot read", path);
        if (got == 0) return offset;
        hash.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
        offset += static_cast<std::uint64_t>(got);
    }
}

}  // namespace

FolderArtifactStore::FolderArtifactStore(FolderArtifactOptions options)
    : options_(std::move(options)) {}

Result<std::unique_ptr<FolderArtifactStore>> FolderArtifactStore::open(
    FolderArtifactOptions options) {
    std::unique_ptr<FolderArtifactStore> store(new FolderArtifactStore(std::move(options)));
    const std::string& folder = store->options_.folder;
    if (auto ok = make_folders(folder + "/incoming", 0700, Durability::kSynced); !ok) {
        return Failure(ok.error());
    }
    store->remove_leftovers();
    return store;
}

std::unique_ptr<FolderArtifactStore> FolderArtifactStore::at(const std::string& folder) {
    FolderArtifactOptions options;
    options.folder = folder;
    return std::unique_ptr<FolderArtifactStore>(new FolderArtifactStore(std::move(options)));
}

std::string FolderArtifactStore::path_of(const Digest& digest) const {
    const std::string hex = to_hex(digest);
    return options_.folder + "/" + hex.substr(0, 2) + "/" + hex;
}

std::string FolderArtifactStore::incoming_path(const Digest& digest) const {
    return options_.folder + "/incoming/" + to_hex(digest);
}

Result<std::uint64_t> FolderArtifactStore::begin(const Digest& digest, std::uint64_t size,
                                                 const std::string& owner) {
    if (size > limits::kArtifactBytes) {
        return fail(ErrorCode::TOO_LARGE,
                    "an artifact has at most " + std::to_string(limits::kArtifactBytes) + " bytes");
    }
    if (auto stored = this->size(digest)) {
        if (*stored != size) {
            return fail(ErrorCode::DIGEST_MISMATCH, "content of this digest has another size");
        }
        // An earlier process may have ended between the rename and the folder's sync.
        if (auto ok = sync_place(digest); !ok) return Failure(ok.error());
        return size;
    }
    if (boottime() - swept_ > kSweepEvery) remove_leftovers();
    auto upload = open_upload(digest, size, owner);
    if (!upload) return Failure(upload.error());
    if ((*upload)->offset == size) return finish(digest);
    if (auto ok = check_room(size - (*upload)->offset); !ok) {
        if ((*upload)->offset == 0) drop(digest);
        return Failure(ok.error());
    }
    return (*upload)->offset;
}

bool FolderArtifactStore::has_part(const Digest& digest) const {
    return uploads_.contains(digest) || ::access(incoming_path(digest).c_str(), F_OK) == 0 ||
           ::access(path_of(digest).c_str(), F_OK) == 0;
}

Result<void> FolderArtifactStore::check_room(std::uint64_t wanted) const {
    auto room = free_bytes(options_.folder);
    if (!room) return Failure(room.error());
    if (*room >= options_.keep_free && *room - options_.keep_free >= wanted) return {};
    return fail(ErrorCode::STORAGE_FULL, "the coordinator's disk has no room for this artifact");
}

/// The upload as it stands, opened where it is not. The size that was announced last holds.
Result<FolderArtifactStore::Upload*> FolderArtifactStore::open_upload(const Digest& digest,
                                                                      std::uint64_t size,
                                                                      const std::string& owner) {
    auto at = uploads_.find(digest);
    if (at == uploads_.end()) {
        if (auto ok = make_room(owner); !ok) return Failure(ok.error());
        auto upload = resume(digest, size);
        if (!upload) return Failure(upload.error());
        at = uploads_.emplace(digest, std::move(*upload)).first;
    }
    Upload& upload = at->second;
    if (upload.offset > size) {
        // What is there belongs to another announcement; it can't be the start of this content.
        if (::ftruncate(upload.file.fd(), 0) != 0) {
            return os_error("cannot empty", incoming_path(digest));
        }
        upload.offset = 0;
        upload.hash = Sha256();
    }
    upload.size = size;
    upload.used = boottime();
    upload.owner = owner;
    return &upload;
}

Result<FolderArtifactStore::Upload> FolderArtifactStore::resume(const Digest& digest,
                                                                std::uint64_t size) {
    const std::string path = incoming_path(digest);
    Upload upload;
    upload.file = FileHandle(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!upload.file.is_open() && errno == EACCES && ::chmod(path.c_str(), 0600) == 0) {
        upload.file = FileHandle(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    }
    if (!upload.file.is_open()) return os_error("cannot make", path);
    upload.size = size;
    auto offset = rehash(upload.file.fd(), upload.hash, path);
    if (!offset) return Failure(offset.error());
    // What was hashed must be what the last sync makes durable.
    if (*offset > 0) {
        if (auto ok = rewrite_file(path); !ok) return Failure(ok.error());
    }
    upload.offset = *offset;
    return upload;
}

/// A place for one more upload: an idle one gives way, and can be resumed later; one of the same
/// owner, where that one has its share.
Result<void> FolderArtifactStore::make_room(const std::string& owner) {
    const auto is_own = [&](const auto& each) { return each.second.owner == owner; };
    const auto own = std::count_if(uploads_.begin(), uploads_.end(), is_own);
    const bool has_share = static_cast<std::size_t>(own) >= options_.most_of_one;
    if (!has_share && uploads_.size() < options_.most_uploads) return {};
    auto oldest = uploads_.end();
    for (auto at = uploads_.begin(); at != uploads_.end(); ++at) {
        if (has_share && !is_own(*at)) continue;
        if (oldest == uploads_.end() || at->second.used < oldest->second.used) oldest = at;
    }
    if (boottime() - oldest->second.used < options_.idle) {
        Failure busy = fail(ErrorCode::BUSY, has_share ? "too many uploads of this peer at once"
                                                       : "too many uploads at once");
        busy.value().retry_after = seconds(1);
        return busy;
    }
    uploads_.erase(oldest);
    return {};
}

Result<std::uint64_t> FolderArtifactStore::append(const Digest& digest, std::uint64_t offset,
                                                  std::string_view bytes) {
    auto at = uploads_.find(digest);
    if (at == uploads_.end()) {
        // The last chunk may come again when its answer was lost, to a later process too: the one
        // before may have ended between the rename and the folder's sync.
        if (auto stored = size(digest)) {
            if (auto ok = sync_place(digest); !ok) return Failure(ok.error());
            return stored;
        }
        return fail(ErrorCode::NOT_FOUND, "no upload of " + to_hex(digest) + " is under way");
    }
    Upload& upload = at->second;
    upload.used = boottime();
    if (offset != upload.offset) return upload.offset;
    if (bytes.size() > upload.size - upload.offset) {
        return fail(ErrorCode::TOO_LARGE,
                    "more bytes than the " + std::to_string(upload.size) + " that were announced");
    }
    // Asked again for each chunk: uploads at the same time share the room they were promised.
    if (auto ok = check_room(bytes.size()); !ok) return Failure(ok.error());
    if (auto ok = write(upload, bytes); !ok) {
        if (ok.error().code == ErrorCode::STORAGE_FULL) {
            drop(digest);  // its bytes are room for the journal
        } else {
            uploads_.erase(at);  // resumed by the file's length
        }
        return Failure(ok.error());
    }
    if (upload.offset == upload.size) return finish(digest);
    return upload.offset;
}

void FolderArtifactStore::drop(const Digest& digest) {
    uploads_.erase(digest);
    ::unlink(incoming_path(digest).c_str());
}

Result<void> FolderArtifactStore::write(Upload& upload, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(upload.file.fd(), bytes.data(), bytes.size(),
                                     static_cast<off_t>(upload.offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_error("cannot write to", options_.folder);
        const auto count = static_cast<std::size_t>(put);
        upload.hash.update(bytes.substr(0, count));
        upload.offset += count;
        bytes.remove_prefix(count);
    }
    return {};
}

/// Every byte is in: checks it, makes it durable, and gives it its place.
Result<std::uint64_t> FolderArtifactStore::finish(const Digest& digest) {
    auto node = uploads_.extract(digest);
    Upload& upload = node.mapped();
    const std::string from = incoming_path(digest);
    if (upload.hash.finish() != digest) {
        ::unlink(from.c_str());
        return fail(ErrorCode::DIGEST_MISMATCH, "the bytes are not those of " + to_hex(digest));
    }
    if (auto ok = place(digest, upload); !ok) {
        // After a failed sync nothing says which bytes are on disk: it is to be sent again.
        ::unlink(from.c_str());
        ::unlink(path_of(digest).c_str());
        return Failure(ok.error());
    }
    return upload.size;
}

Result<void> FolderArtifactStore::place(const Digest& digest, const Upload& upload) {
    const std::string to = path_of(digest);
    const std::string folder = to.substr(0, to.rfind('/'));
    if (::fsync(upload.file.fd()) != 0) return os_error("cannot sync", to);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return os_error("cannot make", folder);
    if (::rename(incoming_path(digest).c_str(), to.c_str()) != 0) {
        return os_error("cannot rename to", to);
    }
    // Under its final name only: an interrupted upload must open for writing again.
    if (::fchmod(upload.file.fd(), kContentMode) != 0)
        return os_error("cannot set the mode of", to);
    synced_[digest.bytes[0]] = false;
    return sync_place(digest);
}

/// Makes the names of the digest's folder durable, and its own.
Result<void> FolderArtifactStore::sync_place(const Digest& digest) {
    bool& synced = synced_[digest.bytes[0]];
    if (synced) return {};
    const std::string path = path_of(digest);
    if (auto ok = sync_folder(path.substr(0, path.rfind('/'))); !ok) return ok;
    if (auto ok = sync_folder(options_.folder); !ok) return ok;
    synced = true;
    return {};
}

Result<std::string> FolderArtifactStore::read(const Digest& digest, std::uint64_t offset,
                                              std::size_t length) {
    const std::string path = path_of(digest);
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open() && errno == ENOENT) return not_stored(digest);
    if (!file.is_open()) return os_error("cannot open", path);
    if (offset > limits::kArtifactBytes) return std::string{};
    std::string bytes(length, '\0');
    std::size_t have = 0;
    while (have < length) {
        const ssize_t got = ::pread(file.fd(), bytes.data() + have, length - have,
                                    static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("cannot read", path);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
}

Result<std::uint64_t> FolderArtifactStore::size(const Digest& digest) {
    struct stat info {};
    const std::string path = path_of(digest);
    if (::stat(path.c_str(), &info) == 0) return static_cast<std::uint64_t>(info.st_size);
    if (errno == ENOENT) return not_stored(digest);
    return os_error("cannot look at", path);
}

Result<void> FolderArtifactStore::remove(const std::vector<Digest>& digests) {
    std::set<std::string> folders;
    for (const Digest& digest : digests) {
        const std::string path = path_of(digest);
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
            return os_error("cannot remove", path);
        }
        // One that is gone already may have gone with a process that never synced it.
        folders.insert(path.substr(0, path.rfind('/')));
    }
    for (const std::string& folder : folders) {
        if (::access(folder.c_str(), F_OK) != 0) continue;
        if (auto ok = sync_folder(folder); !ok) return ok;
    }
    return {};
}

Result<void> FolderArtifactStore::verify(const Digest& digest) {
    auto found = sha256_file(path_of(digest));
    if (!found) return Failure(found.error());
    if (found->digest == digest) return {};
    return fail(ErrorCode::DIGEST_MISMATCH, "the stored bytes are not those of " + to_hex(digest));
}

void FolderArtifactStore::remove_leftovers() {
    swept_ = boottime();
    const std::string folder = options_.folder + "/incoming";
    auto names = list_folder(folder);
    if (!names) return;
    for (const std::string& name : *names) {
        auto digest = parse_digest(name);
        if (digest && uploads_.contains(*digest)) continue;
        std::string path = folder;
        path += "/" + name;
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) continue;
        const Instant changed{static_cast<std::int64_t>(info.st_mtime) * 1000};
        if (wall_time() - changed > options_.leftover) ::unlink(path.c_str());
    }
}

}  // namespace zq::store
