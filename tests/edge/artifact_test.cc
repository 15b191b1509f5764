// The artifacts conversation without sockets: uploads chunk by chunk, STORED only when the loop
// says so, reads by place.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/platform/digest.h"
#include "coordinator/artifact_desk.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/memory_journal.h"

namespace zq::coordinator {
namespace {

struct LastAnswer : edge::Sender {
    std::optional<wire::Message> last;
    SendStatus send(std::size_t, const Frames& frames) override {
        auto message = wire::decode(edge::split_frames(frames).message);
        EXPECT_TRUE(message);
        last = std::move(*message);
        return SendStatus::kSent;
    }
};

class ArtifactTest : public testing::Test {
  protected:
    ArtifactTest() : reader_(store::open_memory_reader(disk_)) {
        folder_ = testing::TempDir() + "artifacts-" + std::to_string(random_u64());
        open();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    /// As a start of the coordinator does it.
    void open() {
        desk_.reset();
        store_.reset();
        store::FolderArtifactOptions options;
        options.folder = folder_;
        store_ = std::move(*store::FolderArtifactStore::open(options));
        desk_ = std::make_unique<ArtifactDesk>(ArtifactParts{sender_,
                                                             *store_,
                                                             *reader_,
                                                             *reader_,
                                                             requests_,
                                                             counters_,
                                                             {edge::Trust::kLocal},
                                                             keys_,
                                                             shown_,
                                                             {"test", 1},
                                                             1});
    }
    wire::Body ask(wire::Body body, std::string payload = {}) {
        sender_.last.reset();
        Received received;
        received.frames = {"peer"};
        for (std::string& frame : wire::encode({{5, {}, 0, 0, 0, ""}, std::move(body), payload})) {
            received.frames.push_back(std::move(frame));
        }
        desk_->handle(0, std::move(received), Instant{1});
        return sender_.last ? sender_.last->body : wire::Body(wire::Goodbye{});
    }
    template <class T>
    T expect(const wire::Body& body) {
        EXPECT_TRUE(std::holds_alternative<T>(body)) << "got " << wire::type_of(body);
        return std::holds_alternative<T>(body) ? std::get<T>(body) : T{};
    }
    ErrorCode code(const wire::Body& body) { return expect<wire::ErrorReply>(body).code; }

    store::MemoryDisk disk_;
    std::unique_ptr<store::Reader> reader_;
    std::string folder_;
    std::unique_ptr<store::FolderArtifactStore> store_;
    LastAnswer sender_;
    Mailbox<StoreRequest> requests_;
    edge::Counters counters_;
    edge::KeyBook keys_;
    edge::Possession shown_;
    std::unique_ptr<ArtifactDesk> desk_;
    const std::string text_ = "the first half,the other half";
    const Digest digest_ = sha256(text_);
};

TEST_F(ArtifactTest, AnUploadResumesAfterARestartAndIsStoredWhenItsEventIs) {
    EXPECT_EQ(expect<wire::Pull>(ask(wire::Put{digest_, text_.size(), {}, {}})).offset, 0U);
    const auto first =
        expect<wire::Pull>(ask(wire::Chunk{digest_, 0, text_.size()}, text_.substr(0, 15)));
    EXPECT_EQ(first.offset, 15U);
    open();
    EXPECT_EQ(code(ask(wire::Chunk{digest_, 15, text_.size()}, text_.substr(15))),
              ErrorCode::NOT_FOUND);
    EXPECT_EQ(expect<wire::Pull>(ask(wire::Put{digest_, text_.size(), {}, {}})).offset, 15U);
    // A chunk at another place is dropped, and told where to go on.
    EXPECT_EQ(expect<wire::Pull>(ask(wire::Chunk{digest_, 0, text_.size()}, "x")).offset, 15U);
    ask(wire::Chunk{digest_, 15, text_.size()}, text_.substr(15));
    EXPECT_FALSE(sender_.last);
    auto requests = requests_.take();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].digest, digest_);
    EXPECT_EQ(requests[0].identity, kLocalIdentity);
    desk_->handle(StoreResult{requests[0].ticket, std::nullopt});
    ASSERT_TRUE(sender_.last);
    EXPECT_EQ(expect<wire::Stored>(sender_.last->body).size, text_.size());
    EXPECT_EQ(sender_.last->header.id, 5U);
}

TEST_F(ArtifactTest, SmallContentThatComesWholeIsTheJournals) {
    EXPECT_EQ(expect<wire::Pull>(ask(wire::Put{digest_, text_.size(), {}, {}})).offset, 0U);
    ask(wire::Chunk{digest_, 0, text_.size()}, text_);
    EXPECT_FALSE(sender_.last) << "it is stored when its event is";
    auto requests = requests_.take();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].data, text_);
    EXPECT_EQ(requests[0].size, text_.size());
    EXPECT_EQ(store_->size(digest_).error().code, ErrorCode::NOT_FOUND) << "no file";
    EXPECT_FALSE(store_->has_part(digest_));
    desk_->handle(StoreResult{requests[0].ticket, std::nullopt});
    EXPECT_EQ(expect<wire::Stored>(sender_.last->body).digest, digest_);

    ask(wire::Put{sha256(""), 0, {}, {}});
    requests = requests_.take();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].data, "");

    // In pieces, it gets a file.
    ask(wire::Put{digest_, text_.size(), {}, {}});
    ask(wire::Chunk{digest_, 0, text_.size()}, text_.substr(0, 9));
    ask(wire::Chunk{digest_, 9, text_.size()}, text_.substr(9));
    requests = requests_.take();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_FALSE(requests[0].data);
    EXPECT_EQ(store_->size(digest_).value(), text_.size());

    const std::string large(limits::kInlineBytes + 1, 'x');
    ask(wire::Put{sha256(large), large.size(), {}, {}});
    ask(wire::Chunk{sha256(large), 0, large.size()}, large);
    requests = requests_.take();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_FALSE(requests[0].data);
    EXPECT_EQ(store_->size(sha256(large)).value(), large.size());
}

TEST_F(ArtifactTest, SmallContentsThatWaitForTheirEventsTakeBoundedMemory) {
    const std::string bytes(limits::kInlineBytes, 'x');
    std::size_t taken = 0;
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        const std::string each = std::to_string(i) + bytes.substr(std::to_string(i).size());
        ask(wire::Put{sha256(each), each.size(), {}, {}});
        const auto answer = ask(wire::Chunk{sha256(each), 0, each.size()}, each);
        if (sender_.last) {
            EXPECT_EQ(code(answer), ErrorCode::BUSY);
            break;
        }
        ++taken;
    }
    EXPECT_EQ(taken, (16UL << 20) / limits::kInlineBytes);
    for (const StoreRequest& request : requests_.take()) {
        desk_->handle(StoreResult{request.ticket, std::nullopt});
    }
    ask(wire::Put{digest_, text_.size(), {}, {}});
    ask(wire::Chunk{digest_, 0, text_.size()}, text_);
    EXPECT_FALSE(sender_.last) << "there is room again";
}

TEST_F(ArtifactTest, ContentIsTakenBehindItsPutAlone) {
    EXPECT_EQ(code(ask(wire::Chunk{digest_, 0, text_.size()}, text_)), ErrorCode::NOT_FOUND);
    EXPECT_EQ(code(ask(wire::Chunk{digest_, 0, text_.size()}, text_.substr(0, 9))),
              ErrorCode::NOT_FOUND);
    EXPECT_TRUE(requests_.take().empty());
}

TEST_F(ArtifactTest, BytesWithAnotherDigestAreDropped) {
    ask(wire::Put{digest_, text_.size(), {}, {}});
    const std::string other(text_.size(), 'x');
    EXPECT_EQ(code(ask(wire::Chunk{digest_, 0, text_.size()}, other)), ErrorCode::DIGEST_MISMATCH);
    EXPECT_EQ(expect<wire::Pull>(ask(wire::Put{digest_, text_.size(), {}, {}})).offset, 0U);
    EXPECT_EQ(code(ask(wire::Chunk{digest_, 0, text_.size()}, text_ + "x")), ErrorCode::TOO_LARGE);
    EXPECT_TRUE(requests_.take().empty());
    EXPECT_EQ(counters_.refused(ErrorCode::DIGEST_MISMATCH), 1U);
}

TEST_F(ArtifactTest, ContentThatIsRecordedIsSkippedAndInlineContentIsReadLikeAnyOther) {
    core::Attempt attempt;
    attempt.task = {kDefaultNamespace, TaskId("t")};
    attempt.attempt = 2;
    attempt.artifacts = {{"out/result.md", digest_, text_.size(), "", ""}};
    disk_.attempts[{attempt.task, 2}] = attempt;
    disk_.contents[digest_] = {{digest_, text_.size(), true}, text_};
    EXPECT_EQ(expect<wire::Stored>(ask(wire::Put{digest_, text_.size(), {}, {}})).digest, digest_);
    EXPECT_EQ(code(ask(wire::Put{digest_, 3, {}, {}})), ErrorCode::DIGEST_MISMATCH);
    const wire::Fetch fetch{TaskId("t"), 2, "out/result.md", 4, 5};
    EXPECT_EQ(expect<wire::Chunk>(ask(fetch)).size, text_.size());
    EXPECT_EQ(sender_.last->payload, "first");
    wire::Fetch end = fetch;
    end.offset = text_.size();
    ask(end);
    EXPECT_EQ(sender_.last->payload, "");
    end.offset = text_.size() + 1;
    EXPECT_EQ(code(ask(end)), ErrorCode::INVALID);
    EXPECT_EQ(code(ask(wire::Fetch{TaskId("t"), 2, "result.md", 0, 5})), ErrorCode::NOT_FOUND);
    EXPECT_EQ(code(ask(wire::Fetch{TaskId("t"), 3, "out/result.md", 0, 5})), ErrorCode::NOT_FOUND);
    EXPECT_EQ(code(ask(wire::Fetch{TaskId("u"), 0, "context", 0, 5})), ErrorCode::NOT_FOUND);
}

TEST_F(ArtifactTest, ACheckpointIsReadByItsNumberAttemptAndName) {
    core::Task task;
    task.key = {kDefaultNamespace, TaskId("t")};
    task.checkpoints = {{3, 1, {}, {"state", digest_, text_.size(), "", ""}}};
    disk_.tasks[task.key] = task;
    disk_.contents[digest_] = {{digest_, text_.size(), true}, text_};
    const wire::Fetch fetch{TaskId("t"), 1, "state", 4, 5, 3};
    EXPECT_EQ(expect<wire::Chunk>(ask(fetch)).digest, digest_);
    EXPECT_EQ(sender_.last->payload, "first");
    wire::Fetch other = fetch;
    other.checkpoint = 2;
    EXPECT_EQ(code(ask(other)), ErrorCode::NOT_FOUND);
    other = fetch;
    other.attempt = 2;
    EXPECT_EQ(code(ask(other)), ErrorCode::NOT_FOUND);
    other = fetch;
    other.name = "plan";
    EXPECT_EQ(code(ask(other)), ErrorCode::NOT_FOUND);
    other = fetch;
    other.checkpoint = 0;
    EXPECT_EQ(code(ask(other)), ErrorCode::NOT_FOUND) << "it is no artifact of that attempt";
}

}  // namespace
}  // namespace zq::coordinator
