// Files as the project needs them: whole or not at all, private, locked; and what is said when the
// machine refuses.
#include "common/platform/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "common/platform/digest.h"

namespace zq {
namespace {

class Files : public testing::Test {
  protected:
    void SetUp() override {
        std::string form = (std::filesystem::temp_directory_path() / "zq-files-XXXXXX").string();
        ASSERT_NE(::mkdtemp(form.data()), nullptr);
        folder_ = form;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::string path(const std::string& name) const { return folder_ + "/" + name; }

    std::string folder_;
};

TEST_F(Files, AreWrittenWithTheModeAskedForWhateverTheUmask) {
    const mode_t before = ::umask(0777);
    EXPECT_TRUE(write_file(path("key"), "secret", 0600, Durability::kSynced));
    ::umask(before);
    struct stat info {};
    ASSERT_EQ(::stat(path("key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_EQ(read_file(path("key")), "secret");
}

TEST_F(Files, AreNeverSeenHalfWritten) {
    const std::string first(1 << 20, 'a');
    const std::string second(1 << 20, 'b');
    ASSERT_TRUE(write_file(path("f"), first, 0600, Durability::kNone));
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (int i = 0; i < 40; ++i) {
            EXPECT_TRUE(
                write_file(path("f"), i % 2 != 0 ? first : second, 0600, Durability::kNone));
        }
        done = true;
    });
    while (!done) {
        auto seen = read_file(path("f"));
        ASSERT_TRUE(seen);
        EXPECT_TRUE(*seen == first || *seen == second);
    }
    writer.join();
    EXPECT_EQ(list_folder(folder_), std::vector<std::string>{"f"}) << "no temporary file stays";
}

TEST_F(Files, SayWhatIsWrong) {
    EXPECT_EQ(read_file(path("none")).error().code, ErrorCode::NOT_FOUND);
    EXPECT_EQ(list_folder(path("none")).error().code, ErrorCode::NOT_FOUND);
    EXPECT_EQ(read_file(folder_).error().code, ErrorCode::IO);
    ASSERT_TRUE(write_file(path("f"), "12345", 0600, Durability::kNone));
    EXPECT_TRUE(read_file(path("f"), 5));
    auto large = read_file(path("f"), 4);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, ErrorCode::TOO_LARGE);
    EXPECT_NE(large.error().message.find(path("f")), std::string::npos)
        << "the message names the file";
    EXPECT_FALSE(write_file(path("none/f"), "x", 0600, Durability::kNone));
    EXPECT_EQ(make_folders(path("f/below"), 0700).error().code, ErrorCode::IO);
}

TEST_F(Files, MakeFoldersThatAreMissingAndKeepThoseThatAreThere) {
    EXPECT_TRUE(make_folders(path("a/b/c"), 0700));
    EXPECT_TRUE(make_folders(path("a/b/c"), 0700));
    struct stat info {};
    ASSERT_EQ(::stat(path("a/b").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
    ASSERT_TRUE(write_file(path("a/z"), "", 0600, Durability::kNone));
    EXPECT_EQ(list_folder(path("a")), (std::vector<std::string>{"b", "z"}));
}

TEST_F(Files, LockOutOtherProcessesUntilTheHandleCloses) {
    auto held = lock_file(path("lock"));
    ASSERT_TRUE(held);
    auto try_in_child = [&] {
        const pid_t child = ::fork();
        if (child == 0) {
            auto lock = lock_file(path("lock"));
            ::_exit(lock ? 0 : 1 + static_cast<int>(lock.error().code));
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return WEXITSTATUS(status);
    };
    EXPECT_EQ(try_in_child(), 1 + static_cast<int>(ErrorCode::CONFLICT));
    *held = FileHandle();
    EXPECT_EQ(try_in_child(), 0);
}

TEST_F(Files, LockOutASecondHandleOfTheSameProcessToo) {
    auto held = lock_file(path("lock"));
    ASSERT_TRUE(held);
    auto second = lock_file(path("lock"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::CONFLICT);
    EXPECT_NE(second.error().message.find(path("lock")), std::string::npos);
}

TEST_F(Files, HaveTheDigestOfTheirBytesInWhateverPiecesTheyAreRead) {
    EXPECT_EQ(to_hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const std::string content = random_bytes(300'001);
    ASSERT_TRUE(write_file(path("f"), content, 0600, Durability::kNone));
    auto digest = sha256_file(path("f"));
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->digest, sha256(content));
    EXPECT_EQ(digest->size, content.size());
    Sha256 pieces;
    for (std::size_t at = 0; at < content.size(); at += 7'777) {
        pieces.update(std::string_view(content).substr(at, 7'777));
    }
    EXPECT_EQ(pieces.finish(), digest->digest);
    EXPECT_EQ(sha256_file(path("none")).error().code, ErrorCode::NOT_FOUND);
}

}  // namespace
}  // namespace zq
