// Content in a tree of folders. Whole content of digest abcdef… is FOLDER/ab/abcdef…; an upload
// grows in FOLDER/incoming/abcdef… until it is whole, so that its length is the offset at which it
// goes on, after a restart too. Paths are made from a digest's bytes, never from a peer's text.
#pragma once

#include <array>
#include <map>

#include "common/base/limits.h"
#include "common/platform/digest.h"
#include "common/platform/files.h"
#include "coordinator/store/artifact_store.h"

namespace zq::store {

struct FolderArtifactOptions {
    std::string folder;
    std::size_t most_uploads = 256;  // open at once
    std::size_t most_of_one = 64;    // of them, of one owner: the others find a place
    Millis idle = minutes(1);        // after it an upload gives its place to another one
    Millis leftover = hours(24);     // after it an upload that nobody goes on with is removed
    std::uint64_t keep_free = 32ULL << 20;  // of the disk, for the journal: no upload may go below
};

class FolderArtifactStore : public ArtifactStore {
  public:
    /// Makes the folders and removes old leftovers. Errors: IO, STORAGE_FULL.
    static Result<std::unique_ptr<FolderArtifactStore>> open(FolderArtifactOptions options);
    /// A store to read from; makes and removes nothing, and takes no uploads before it is opened.
    static std::unique_ptr<FolderArtifactStore> at(const std::string& folder);

    Result<std::uint64_t> begin(const Digest& digest, std::uint64_t size,
                                const std::string& owner = {}) override;
    Result<std::uint64_t> append(const Digest& digest, std::uint64_t offset,
                                 std::string_view bytes) override;
    Result<std::string> read(const Digest& digest, std::uint64_t offset,
                             std::size_t length) override;
    Result<std::uint64_t> size(const Digest& digest) override;
    Result<void> remove(const std::vector<Digest>& digests) override;
    Result<void> verify(const Digest& digest) override;
    bool has_part(const Digest& digest) const override;
    /// STORAGE_FULL if these bytes would leave less than keep_free.
    Result<void> check_room(std::uint64_t wanted) const override;

  private:
    struct Upload {
        FileHandle file;
        Sha256 hash;
        std::uint64_t offset = 0;
        std::uint64_t size = 0;  // as announced last
        Millis used{};           // boottime
        std::string owner;       // who announced it last
    };

    explicit FolderArtifactStore(FolderArtifactOptions options);

    std::string path_of(const Digest& digest) const;
    std::string incoming_path(const Digest& digest) const;
    Result<Upload*> open_upload(const Digest& digest, std::uint64_t size, const std::string& owner);
    Result<Upload> resume(const Digest& digest, std::uint64_t size);
    Result<void> make_room(const std::string& owner);
    void drop(const Digest& digest);
    Result<void> write(Upload& upload, std::string_view bytes);
    Result<std::uint64_t> finish(const Digest& digest);
    Result<void> place(const Digest& digest, const Upload& upload);
    Result<void> sync_place(const Digest& digest);
    void remove_leftovers();

    FolderArtifactOptions options_;
    std::map<Digest, Upload> uploads_;
    Millis swept_{};                  // boottime
    std::array<bool, 256> synced_{};  // folders whose names are durable, by their first byte
};

}  // namespace zq::store
