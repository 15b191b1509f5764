// Secrets that a task names and its worker has: how they are found, read and laid, and that they
// are taken out of everything an attempt leaves.
#include "worker/task_secrets.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/worker/folder_rig.h"
#include "worker/scrub.h"

namespace zq::worker {
namespace {

namespace fs = std::filesystem;

class TaskSecrets : public ::testing::Test {
  protected:
    TaskSecrets() {
        box.write("secrets/db", "s3cret-of-db\n");
        ::chmod(box.file("secrets").c_str(), 0700);
        ::chmod(box.file("secrets/db").c_str(), 0600);
    }
    std::string refused(const std::string& name) const {
        auto read = read_secrets(box.file("secrets"), {name});
        if (read) return "read";
        EXPECT_EQ(read.error().message.find(box.path()), std::string::npos);
        return read.error().message;
    }
    static TaskSpec task(const std::string& instructions, const std::string& payload = "") {
        TaskSpec spec;
        spec.instructions = instructions;
        spec.payload = payload;
        return spec;
    }

    FolderRig box;
    const std::vector<SecretValue> values = {{"db", "s3cret-of-db"}, {"api", "k-1234567890"}};
};

TEST_F(TaskSecrets, AreNamedInInstructionsAndPayload) {
    const auto names =
        named_secrets(task("Use secret://db. And secret://db, or (secret://api-key).",
                           "{\"key\":\"secret://other\"}"));
    EXPECT_EQ(names, (std::vector<std::string>{"db", "api-key", "other"}));
    EXPECT_TRUE(named_secrets(task("no secret:// here, nor secrets://x.")).size() <= 1);
    EXPECT_TRUE(named_secrets(task("plain words")).empty());
}

TEST_F(TaskSecrets, AreReadFromFilesThatAreClosedToOthers) {
    const auto read = read_secrets(box.file("secrets"), {"db"});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->at(0).value, "s3cret-of-db\n");
    EXPECT_EQ(hidden_values(*read).at(0).value, "s3cret-of-db");
    ::chmod(box.file("secrets/db").c_str(), 0640);
    EXPECT_NE(refused("db").find("secret://db"), std::string::npos);
    EXPECT_NE(refused("db").find("open to other users"), std::string::npos);
    EXPECT_NE(refused("none").find("no secret of this name"), std::string::npos);
    EXPECT_NE(read_secrets("", {"db"}).error().message.find("has no secrets"), std::string::npos);
}

TEST_F(TaskSecrets, AreNeitherLinksNorPathsNorTooShort) {
    box.write("outside", "something else\n");
    ::chmod(box.file("outside").c_str(), 0600);
    fs::create_symlink(box.file("outside"), box.file("secrets/link"));
    EXPECT_NE(refused("link").find("is a link"), std::string::npos);
    EXPECT_NE(refused("../outside").find("not a valid name"), std::string::npos);
    EXPECT_NE(refused("..").find("not a valid name"), std::string::npos);
    fs::create_directory(box.file("secrets/folder"));
    EXPECT_NE(refused("folder").find("cannot be read"), std::string::npos);
    box.write("secrets/short", "abc");
    ::chmod(box.file("secrets/short").c_str(), 0600);
    EXPECT_NE(refused("short").find("4 bytes"), std::string::npos);
    ::mkfifo(box.file("secrets/pipe").c_str(), 0600);
    EXPECT_NE(refused("pipe").find("cannot be read"), std::string::npos);
}

TEST_F(TaskSecrets, NeedAFolderThatIsClosedToOthers) {
    EXPECT_TRUE(check_secrets_folder(box.file("secrets")));
    ::chmod(box.file("secrets").c_str(), 0755);
    EXPECT_FALSE(check_secrets_folder(box.file("secrets")));
    EXPECT_EQ(check_secrets_folder(box.file("none")).error().code, ErrorCode::NOT_FOUND);
}

TEST_F(TaskSecrets, AreLaidClosedAndScrubbedFromAllThatIsLeft) {
    const Workspace workspace{box.file("state/attempts/t.1.1")};
    ASSERT_TRUE(make_workspace(workspace));
    const auto read = read_secrets(box.file("secrets"), {"db"});
    ASSERT_TRUE(lay_secrets(workspace, *read));
    struct stat info {};
    ASSERT_EQ(::stat(workspace.secret_file("db").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(laid_secrets(workspace).at(0).value, "s3cret-of-db\n");
    box.write("state/attempts/t.1.1/out/sub/result.md", "the password is s3cret-of-db!\n");
    box.write("state/attempts/t.1.1/out/fine.md", "nothing");
    box.write("state/attempts/t.1.1/output", "summary=s3cret-of-db\n");
    box.write("state/attempts/t.1.1/closed", "s3cret-of-db");
    ::chmod(box.file("state/attempts/t.1.1/closed").c_str(), 0000);
    box.write("outside", "s3cret-of-db");
    fs::create_symlink(box.file("outside"), box.file("state/attempts/t.1.1/out/link"));
    scrub_workspace(hidden_values(laid_secrets(workspace)), workspace);
    EXPECT_FALSE(fs::exists(workspace.secrets_folder()));
    EXPECT_EQ(box.read("state/attempts/t.1.1/out/sub/result.md"),
              "the password is [redacted:db]!\n");
    EXPECT_EQ(box.read("state/attempts/t.1.1/out/fine.md"), "nothing");
    EXPECT_EQ(box.read("state/attempts/t.1.1/output"), "summary=[redacted:db]\n");
    EXPECT_EQ(box.read("state/attempts/t.1.1/closed").find("s3cret"), std::string::npos);
    EXPECT_EQ(box.read("outside"), "s3cret-of-db");
}

TEST_F(TaskSecrets, AreFoundAcrossThePiecesOfALargeFile) {
    std::string text(3U << 20, 'x');
    text.replace((1U << 20) - 5, 12, "s3cret-of-db");
    text.replace((2U << 20) - 1, 12, "k-1234567890");
    box.write("large/file", text + "s3cret-of-db");
    EXPECT_FALSE(value_in_file(values, box.file("large/file")).empty());
    scrub_folder(values, box.file("large"));
    const std::string left = box.read("large/file");
    EXPECT_TRUE(value_in(values, left).empty());
    EXPECT_TRUE(left.ends_with("x[redacted:db]"));
    EXPECT_EQ(left.size(), text.size() - 24 + 13 + 14 + 13);
}

TEST_F(TaskSecrets, AreHiddenInEveryTextOfAMessage) {
    wire::Release release;
    release.report.summary = "with s3cret-of-db";
    release.report.output = {{"note", "k-1234567890"}};
    release.reason = "k-1234567890 and s3cret-of-db";
    release.question = NewQuestion{"q", "is s3cret-of-db right?", {"s3cret-of-db"}, {}};
    wire::Body body = release;
    hide(values, body);
    const auto& hidden = std::get<wire::Release>(body);
    EXPECT_EQ(hidden.report.summary, "with [redacted:db]");
    EXPECT_EQ(hidden.report.output.at("note"), "[redacted:api]");
    EXPECT_EQ(hidden.reason, "[redacted:api] and [redacted:db]");
    EXPECT_EQ(hidden.question->text, "is [redacted:db] right?");
    EXPECT_EQ(hidden.question->choices.at(0), "[redacted:db]");
}

TEST_F(TaskSecrets, OfSeveralLinesAreHiddenLineByLineToo) {
    const auto all = hidden_values({{"key", "begin\nabcdefghijklmnop\nend\n"}});
    EXPECT_EQ(value_in(all, "just abcdefghijklmnop"), "key");
    EXPECT_EQ(value_in(all, "begin or end"), "");
}

}  // namespace
}  // namespace zq::worker
