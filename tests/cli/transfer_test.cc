// The transfer of contents against an artifacts socket that goes silent in the middle.
#include "common/client/transfer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>

#include "common/platform/digest.h"
#include "common/platform/files.h"
#include "tests/cli/fake_server.h"

namespace zq {
namespace {

using test::FakeServer;
using test::say;

std::string content_of(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint32_t x = 1;
    for (char& c : bytes) {
        x = x * 1664525 + 1013904223;
        c = static_cast<char>(x >> 24);
    }
    return bytes;
}

/// The coordinator's side, for one content: takes CHUNKs in order, gives CHUNKs of what it has.
/// Goes silent for `silences` messages after `cut_after` of them.
struct Store {
    std::string received;
    std::string held;
    Digest told;  // what it says the digest of `held` is
    int cut_after = -1;
    int silences = 0;
    int seen = 0;
    std::uint32_t credit = 3;
    int busy = 0;

    bool is_silent() {
        ++seen;
        if (cut_after < 0 || seen <= cut_after || silences == 0) return false;
        --silences;
        return true;
    }

    std::vector<wire::Message> answer(const wire::Message& request) {
        if (is_silent()) return {};
        if (busy > 0) {
            --busy;
            return say(wire::ErrorReply{ErrorCode::BUSY, "busy", {}, millis(20), {}});
        }
        if (const auto* put = std::get_if<wire::Put>(&request.body)) {
            return say(wire::Pull{put->digest, received.size(), credit});
        }
        if (const auto* chunk = std::get_if<wire::Chunk>(&request.body))
            return take(*chunk, request);
        return give(std::get<wire::Fetch>(request.body));
    }

    std::vector<wire::Message> take(const wire::Chunk& chunk, const wire::Message& request) {
        if (chunk.offset == received.size()) received += request.payload;
        if (received.size() < chunk.size) {
            return say(wire::Pull{chunk.digest, received.size(), credit});
        }
        if (sha256(received) == chunk.digest) return say(wire::Stored{chunk.digest, chunk.size});
        return say(wire::ErrorReply{ErrorCode::DIGEST_MISMATCH, "other bytes", {}, {}, {}});
    }

    std::vector<wire::Message> give(const wire::Fetch& fetch) const {
        if (fetch.offset > held.size()) {
            return say(wire::ErrorReply{ErrorCode::INVALID, "offset", {}, {}, {}});
        }
        auto reply = say(wire::Chunk{told, fetch.offset, held.size()});
        reply[0].payload = held.substr(fetch.offset, fetch.length);
        return reply;
    }
};

class TransferTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = testing::TempDir() + "zq-transfer-" + to_hex(random_u64());
        std::filesystem::create_directory(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return folder_ + "/" + name; }

    std::string write(const std::string& bytes) {
        const std::string file = path("content");
        EXPECT_TRUE(write_file(file, bytes, 0600, Durability::kNone));
        return file;
    }

    std::unique_ptr<Transfer> transfer() {
        if (!server_) {
            server_.emplace(context_, [this](const wire::Message& m) {
                std::lock_guard lock(mutex_);
                return store_.answer(m);
            });
        }
        TransferOptions options;
        options.endpoint = server_->endpoint();
        options.silence = millis(150);
        options.give_up = give_up_;
        options.stop = stop_;
        return std::move(*Transfer::open(context_, options));
    }

    Result<void> put(const std::string& bytes) {
        return transfer()->put_file({sha256(bytes), bytes.size(), {}, {}}, write(bytes));
    }

    /// What the server has got, and what it gives from now on.
    std::string received() {
        std::lock_guard lock(mutex_);
        return store_.received;
    }
    void hold(const std::string& content) {
        std::lock_guard lock(mutex_);
        store_.held = content;
        store_.told = sha256(content);
    }

    std::string folder_;
    SocketContext context_;
    std::mutex mutex_;  // of store_, once the server runs
    Store store_;
    Millis give_up_ = seconds(10);
    std::function<bool()> stop_;
    std::optional<FakeServer> server_;
};

TEST_F(TransferTest, PutsAFileInChunksWithinTheCredit) {
    const std::string bytes = content_of(5 * limits::kChunkBytes + 17);
    ASSERT_TRUE(put(bytes));
    EXPECT_EQ(received(), bytes);
    for (const wire::Message& request : server_->requests()) {
        EXPECT_LE(request.payload.size(), limits::kChunkBytes);
    }
}

TEST_F(TransferTest, PutsAnEmptyFile) {
    ASSERT_TRUE(put(""));
    EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(TransferTest, ResumesAPutWhereTheLinkBroke) {
    const std::string bytes = content_of(12 * limits::kChunkBytes);
    store_.cut_after = 6;
    store_.silences = 4;
    ASSERT_TRUE(put(bytes));
    EXPECT_EQ(received(), bytes);
    // What had arrived before the cut was not sent again from the beginning.
    std::size_t first_chunks = 0;
    for (const wire::Message& request : server_->requests()) {
        const auto* chunk = std::get_if<wire::Chunk>(&request.body);
        first_chunks += chunk != nullptr && chunk->offset == 0 ? 1 : 0;
    }
    EXPECT_EQ(first_chunks, 1U);
}

TEST_F(TransferTest, RefusesToSendAFileThatBecameShorter) {
    const std::string bytes = content_of(3 * limits::kChunkBytes);
    const std::string file = write(bytes);
    std::filesystem::resize_file(file, limits::kChunkBytes);
    auto ok = transfer()->put_file({sha256(bytes), bytes.size(), {}, {}}, file);
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, ErrorCode::DIGEST_MISMATCH);
}

TEST_F(TransferTest, WaitsABusyCoordinatorOut) {
    store_.busy = 3;
    EXPECT_TRUE(put(content_of(100)));
}

TEST_F(TransferTest, EndsWhenItIsToldToStop) {
    store_.cut_after = 0;
    store_.silences = 1'000;
    stop_ = [n = 0]() mutable { return ++n > 2; };
    auto ok = put(content_of(100));
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, ErrorCode::SHUTTING_DOWN);
}

TEST_F(TransferTest, GivesUpWithoutProgress) {
    store_.cut_after = 0;
    store_.silences = 1'000;
    give_up_ = millis(400);
    auto ok = put(content_of(100));
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, ErrorCode::UNREACHABLE);
}

TEST_F(TransferTest, FetchesAFileAndResumesWhereTheLinkBroke) {
    store_.held = content_of(20 * limits::kChunkBytes + 5);
    store_.told = sha256(store_.held);
    store_.cut_after = 7;
    store_.silences = 8;
    ASSERT_TRUE(transfer()->fetch_file({TaskId("t"), 1, "out", 0}, store_.told, path("got")));
    EXPECT_EQ(*read_file(path("got")), store_.held);
    std::size_t first_chunks = 0;
    for (const wire::Message& request : server_->requests()) {
        first_chunks += std::get<wire::Fetch>(request.body).offset == 0 ? 1 : 0;
    }
    EXPECT_EQ(first_chunks, 1U);
}

TEST_F(TransferTest, FetchesAnEmptyFile) {
    store_.told = sha256("");
    ASSERT_TRUE(transfer()->fetch_file({TaskId("t"), 0, "in", 0}, Digest{}, path("got")));
    EXPECT_EQ(*read_file(path("got")), "");
}

TEST_F(TransferTest, LeavesNoFileWhereTheBytesAreNotTheAnnouncedOnes) {
    store_.held = content_of(2 * limits::kChunkBytes);
    store_.told = sha256("something else");
    auto ok = transfer()->fetch_file({TaskId("t"), 1, "out", 0}, store_.told, path("got"));
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, ErrorCode::DIGEST_MISMATCH);
    EXPECT_EQ(list_folder(folder_)->size(), 0U);
}

TEST_F(TransferTest, RefusesContentOfAnotherDigestThanExpected) {
    store_.held = "abc";
    store_.told = sha256("abc");
    auto ok = transfer()->fetch_file({TaskId("t"), 1, "out", 0}, sha256("xyz"), path("got"));
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, ErrorCode::DIGEST_MISMATCH);
}

TEST_F(TransferTest, StopsWhereTheSinkFails) {
    store_.held = content_of(4 * limits::kChunkBytes);
    store_.told = sha256(store_.held);
    auto ok = transfer()->fetch(
        {TaskId("t"), 1, "out", 0}, store_.told,
        [](std::string_view) -> Result<void> { return fail(ErrorCode::STORAGE_FULL, "no space"); });
    ASSERT_FALSE(ok);
    EXPECT_EQ(ok.error().code, ErrorCode::STORAGE_FULL);
}

TEST_F(TransferTest, OneTransferCarriesSeveralContents) {
    const std::string first = content_of(2 * limits::kChunkBytes);
    auto one = transfer();
    ASSERT_TRUE(one->put_file({sha256(first), first.size(), {}, {}}, write(first)));
    hold(content_of(3 * limits::kChunkBytes));
    for (const char* name : {"a", "b"}) {
        ASSERT_TRUE(one->fetch_file({TaskId("t"), 1, name, 0}, store_.told, path(name)));
        EXPECT_EQ(*read_file(path(name)), store_.held);
    }
}

}  // namespace
}  // namespace zq
