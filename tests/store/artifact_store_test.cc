// Contents on disk: whole or not there, resumable, never under another's digest.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <filesystem>

#include "common/platform/digest.h"
#include "coordinator/store/folder_artifact_store.h"
#include "tests/store/journal_bench.h"

namespace zq::store {
namespace {

class Artifacts : public testing::Test {
  protected:
    Artifacts() { reopen(); }

    void reopen() {
        store.reset();
        store = FolderArtifactStore::open({.folder = folder.path(), .most_uploads = 2}).value();
    }
    std::string incoming(const Digest& digest) const {
        return folder.path() + "/incoming/" + to_hex(digest);
    }

    TemporaryFolder folder;
    std::unique_ptr<FolderArtifactStore> store;
};

TEST_F(Artifacts, ContentComesBackAsItWasPut) {
    for (std::size_t size : {0U, 1U, 1'000U, 300'000U}) {
        std::string data(size, '\0');
        for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 31 % 251);
        const Digest digest = sha256(data);
        EXPECT_EQ(store->size(digest).error().code, ErrorCode::NOT_FOUND);
        std::uint64_t offset = store->begin(digest, size).value();
        EXPECT_EQ(offset, 0U);
        while (offset < size) {
            EXPECT_EQ(store->read(digest, 0, 10).error().code, ErrorCode::NOT_FOUND);
            offset = store->append(digest, offset, data.substr(offset, 70'000)).value();
        }
        EXPECT_EQ(store->size(digest).value(), size);
        EXPECT_EQ(store->read(digest, 0, size + 10).value(), data);
        EXPECT_EQ(store->read(digest, size / 2, 100).value(), data.substr(size / 2, 100));
        EXPECT_EQ(store->read(digest, size + 5, 100).value(), "");
        EXPECT_TRUE(store->verify(digest).has_value());
        EXPECT_EQ(store->begin(digest, size).value(), size) << "put again: it is there";
    }
    EXPECT_TRUE(list_folder(folder.path() + "/incoming").value().empty());
}

TEST_F(Artifacts, AnUploadGoesOnAfterARestartWhereItsBytesEnd) {
    const std::string data = "0123456789abcdef";
    const Digest digest = sha256(data);
    ASSERT_EQ(store->begin(digest, data.size()).value(), 0U);
    ASSERT_EQ(store->append(digest, 0, data.substr(0, 7)).value(), 7U);
    reopen();
    EXPECT_EQ(store->append(digest, 7, data.substr(7)).error().code, ErrorCode::NOT_FOUND);
    EXPECT_EQ(store->begin(digest, data.size()).value(), 7U);
    EXPECT_EQ(store->append(digest, 7, data.substr(7)).value(), data.size());
    EXPECT_EQ(store->read(digest, 0, 100).value(), data);
}

TEST_F(Artifacts, AnUploadThatWasWholeWhenTheProcessEndedIsFinishedByItsNextAnnouncement) {
    const std::string data = "whole";
    const Digest digest = sha256(data);
    ASSERT_TRUE(write_file(incoming(digest), data, 0600, Durability::kNone).has_value());
    EXPECT_EQ(store->begin(digest, data.size()).value(), data.size());
    EXPECT_EQ(store->read(digest, 0, 100).value(), data);
}

TEST_F(Artifacts, AChunkAtAnotherOffsetChangesNothingAndIsToldTheRightOne) {
    const std::string data = "0123456789";
    const Digest digest = sha256(data);
    ASSERT_TRUE(store->begin(digest, 10).has_value());
    EXPECT_EQ(store->append(digest, 3, "xxx").value(), 0U);
    EXPECT_EQ(store->append(digest, 0, "01234").value(), 5U);
    EXPECT_EQ(store->append(digest, 0, "01234").value(), 5U);
    EXPECT_EQ(store->append(digest, 7, "789").value(), 5U);
    EXPECT_EQ(store->append(digest, 5, "56789").value(), 10U);
    EXPECT_EQ(store->append(digest, 5, "56789").value(), 10U) << "its answer was lost";
    EXPECT_EQ(store->read(digest, 0, 100).value(), data);
}

TEST_F(Artifacts, BytesOfAnotherDigestAreDropped) {
    const Digest digest = sha256("right");
    ASSERT_TRUE(store->begin(digest, 5).has_value());
    EXPECT_EQ(store->append(digest, 0, "wrong").error().code, ErrorCode::DIGEST_MISMATCH);
    EXPECT_EQ(store->size(digest).error().code, ErrorCode::NOT_FOUND);
    EXPECT_FALSE(std::filesystem::exists(incoming(digest)));
    EXPECT_EQ(store->begin(digest, 5).value(), 0U) << "it may start anew";
    EXPECT_EQ(store->append(digest, 0, "right").value(), 5U);
    EXPECT_EQ(store->begin(sha256("x"), 0).error().code, ErrorCode::DIGEST_MISMATCH)
        << "only one content has no bytes";
}

TEST_F(Artifacts, MoreThanAnnouncedOrAllowedIsRefused) {
    const Digest digest = sha256("0123");
    EXPECT_EQ(store->begin(digest, limits::kArtifactBytes + 1).error().code, ErrorCode::TOO_LARGE);
    EXPECT_EQ(store->begin(digest, limits::kArtifactBytes).error().code, ErrorCode::STORAGE_FULL);
    EXPECT_FALSE(std::filesystem::exists(incoming(digest)));
    ASSERT_TRUE(store->begin(digest, 4).has_value());
    EXPECT_EQ(store->append(digest, 0, "01234").error().code, ErrorCode::TOO_LARGE);
    EXPECT_EQ(store->append(digest, 0, "0123").value(), 4U);
}

TEST_F(Artifacts, NoPeerTakesEveryPlace) {
    store.reset();
    store = FolderArtifactStore::open({.folder = folder.path(), .most_uploads = 256}).value();
    for (int i = 0; i < 64; ++i) {
        ASSERT_TRUE(store->begin(sha256("hoard " + std::to_string(i)), 10, "hoarder").has_value());
    }
    const auto refused = store->begin(sha256("one more"), 10, "hoarder");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::BUSY);
    EXPECT_TRUE(store->begin(sha256("hoard 3"), 10, "hoarder").has_value()) << "it goes on";
    EXPECT_TRUE(store->begin(sha256("another's"), 10, "somebody else").has_value());
}

TEST_F(Artifacts, TheSizeAnnouncedLastHolds) {
    const std::string data = "0123456789";
    const Digest digest = sha256(data);
    ASSERT_EQ(store->begin(digest, 50).value(), 0U);
    ASSERT_EQ(store->append(digest, 0, data).value(), 10U);
    EXPECT_EQ(store->begin(digest, 10).value(), 10U);
    EXPECT_EQ(store->read(digest, 0, 100).value(), data);
    EXPECT_EQ(store->begin(digest, 11).error().code, ErrorCode::DIGEST_MISMATCH);

    const Digest other = sha256("abc");
    ASSERT_EQ(store->begin(other, 50).value(), 0U);
    ASSERT_EQ(store->append(other, 0, "zzzzz").value(), 5U);
    EXPECT_EQ(store->begin(other, 3).value(), 0U) << "longer than the content: not its start";
    EXPECT_EQ(store->append(other, 0, "abc").value(), 3U);
}

TEST_F(Artifacts, OpenUploadsAreBoundedAndIdleOnesGiveWay) {
    for (const char* data : {"one", "two"}) ASSERT_TRUE(store->begin(sha256(data), 3).has_value());
    auto busy = store->begin(sha256("three"), 5);
    EXPECT_EQ(busy.error().code, ErrorCode::BUSY);
    EXPECT_GT(busy.error().retry_after.count, 0);
    store =
        FolderArtifactStore::open({.folder = folder.path(), .most_uploads = 2, .idle = millis(0)})
            .value();
    for (const char* data : {"one", "two"}) ASSERT_TRUE(store->begin(sha256(data), 3).has_value());
    ASSERT_EQ(store->append(sha256("two"), 0, "t").value(), 1U);
    EXPECT_EQ(store->begin(sha256("three"), 5).value(), 0U);
    EXPECT_EQ(store->begin(sha256("four"), 4).value(), 0U);
    EXPECT_EQ(store->begin(sha256("two"), 3).value(), 1U) << "it goes on where it was";
}

TEST_F(Artifacts, LeftoversOfLongAgoAreRemovedAndFreshOnesKept) {
    const Digest old = sha256("old");
    const Digest fresh = sha256("fresh");
    for (const Digest& digest : {old, fresh}) {
        ASSERT_TRUE(write_file(incoming(digest), "x", 0600, Durability::kNone).has_value());
    }
    const timeval day_and_more{::time(nullptr) - 25 * 3600, 0};
    const timeval times[2] = {day_and_more, day_and_more};
    ASSERT_EQ(::utimes(incoming(old).c_str(), times), 0);
    reopen();
    EXPECT_FALSE(std::filesystem::exists(incoming(old)));
    EXPECT_TRUE(std::filesystem::exists(incoming(fresh)));
}

TEST_F(Artifacts, ChangedBytesOnDiskAreFoundByVerify) {
    const Digest digest = sha256("content");
    ASSERT_TRUE(store->begin(digest, 7).has_value());
    ASSERT_TRUE(store->append(digest, 0, "content").has_value());
    const std::string hex = to_hex(digest);
    const std::string path = folder.path() + "/" + hex.substr(0, 2) + "/" + hex;
    ASSERT_TRUE(write_file(path, "cOntent", 0600, Durability::kNone).has_value());
    EXPECT_EQ(store->verify(digest).error().code, ErrorCode::DIGEST_MISMATCH);
    EXPECT_EQ(store->verify(sha256("no")).error().code, ErrorCode::NOT_FOUND);
}

}  // namespace
}  // namespace zq::store
