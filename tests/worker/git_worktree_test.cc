// Working trees of a real repository.
#include "worker/workspace/git_worktree.h"

#include "tests/worker/folder_rig.h"
#include "worker/executor/tool.h"
#include "worker/state_folder.h"

namespace zq::worker {
namespace {

class Worktree : public ::testing::Test {
  protected:
    void SetUp() override {
        git(folder.path(), {"init", "-q", "-b", "main", repository});
        git(repository, {"config", "user.email", "a@example.com"});
        git(repository, {"config", "user.name", "a"});
        folder.write("repo/kept.txt", "one\ntwo\n");
        folder.write("repo/.gitignore", "*.o\n");
        git(repository, {"add", "."});
        git(repository, {"commit", "-q", "-m", "first"});
        ASSERT_TRUE(make_workspace(workspace).has_value());
    }
    std::string git(const std::string& where, std::vector<std::string> words) {
        words.insert(words.begin(), {"git", "-C", where});
        auto done = run_tool({std::move(words), {}});
        EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message);
        return done.value_or("");
    }
    std::string branches() { return git(repository, {"for-each-ref", "--format=%(refname)"}); }
    std::string trees() { return git(repository, {"worktree", "list", "--porcelain"}); }
    void write(const std::string& name, const std::string& text) {
        folder.write("state/attempts/t-a..lock.1.0000000300000001/work/" + name, text);
    }
    std::string patch() { return read_file(workspace.out_folder() + "/patch.diff").value_or(""); }

    FolderRig folder;
    std::string repository = folder.file("repo");
    // A task's id may hold what a branch's name may not.
    Workspace workspace{folder.file("state/attempts/t-a..lock.1.0000000300000001")};
};

TEST_F(Worktree, ThePatchHoldsWhatWasCommittedChangedAndAddedButNotWhatIsIgnored) {
    ASSERT_TRUE(add_worktree(repository, workspace).has_value());
    const std::string tree = workspace.worktree_folder();
    write("committed.txt", "c\n");
    git(tree, {"add", "."});
    git(tree, {"commit", "-q", "-m", "more"});
    write("kept.txt", "one\nthree\n");
    write("new.txt", "n\n");
    write("built.o", "binary");
    ASSERT_TRUE(write_patch(workspace).has_value());
    EXPECT_NE(patch().find("+three"), std::string::npos);
    EXPECT_NE(patch().find("new.txt"), std::string::npos);
    EXPECT_NE(patch().find("committed.txt"), std::string::npos);
    EXPECT_EQ(patch().find("built.o"), std::string::npos);
    // It is whole: applied to the repository it gives the same files.
    git(repository, {"apply", workspace.out_folder() + "/patch.diff"});
    EXPECT_EQ(folder.read("repo/kept.txt"), "one\nthree\n");
    EXPECT_EQ(folder.read("repo/committed.txt"), "c\n");
}

TEST_F(Worktree, IsRemovedWithItsFolderAndItsBranchWhereNothingWasCommitted) {
    const std::string before = branches();
    ASSERT_TRUE(add_worktree(repository, workspace).has_value());
    EXPECT_NE(branches(), before);
    write("new.txt", "n\n");
    ASSERT_TRUE(remove_workspace(workspace).has_value());
    EXPECT_EQ(branches(), before);
    EXPECT_EQ(trees().find("attempts"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(workspace.folder));
}

TEST_F(Worktree, ABranchWithCommitsStays) {
    ASSERT_TRUE(add_worktree(repository, workspace).has_value());
    write("new.txt", "n\n");
    git(workspace.worktree_folder(), {"add", "."});
    git(workspace.worktree_folder(), {"commit", "-q", "-m", "work"});
    ASSERT_TRUE(remove_workspace(workspace).has_value());
    EXPECT_NE(branches().find("refs/heads/zq/"), std::string::npos);
}

TEST_F(Worktree, OfADeadIncarnationIsPrunedAlsoWhenTheCommandRemovedItsOwnFolder) {
    const std::string before = branches();
    ASSERT_TRUE(add_worktree(repository, workspace).has_value());
    std::filesystem::remove_all(workspace.folder);
    auto state = open_state_folder(folder.file("state"), "w", "role");
    ASSERT_TRUE(state.has_value());
    ASSERT_TRUE(clear_leftovers(*state, {}, Keep::kUntilSettled).has_value());
    EXPECT_EQ(branches(), before);
    EXPECT_EQ(trees().find("attempts"), std::string::npos);
    EXPECT_TRUE(list_folder(state->worktrees()).value().empty());
}

TEST_F(Worktree, APatchOfTheCommandsOwnIsNotOverwrittenAndNoDifferenceIsNoPatch) {
    ASSERT_TRUE(add_worktree(repository, workspace).has_value());
    ASSERT_TRUE(write_patch(workspace).has_value());
    EXPECT_FALSE(std::filesystem::exists(workspace.out_folder() + "/patch.diff"));
    write("new.txt", "n\n");
    std::ofstream(workspace.out_folder() + "/patch") << "mine\n";
    ASSERT_TRUE(write_patch(workspace).has_value());
    EXPECT_FALSE(std::filesystem::exists(workspace.out_folder() + "/patch.diff"));
}

TEST_F(Worktree, AnAttemptWithoutOneHasNoPatchAndNothingToRemove) {
    EXPECT_TRUE(write_patch(workspace).has_value());
    EXPECT_TRUE(remove_workspace(workspace).has_value());
}

TEST_F(Worktree, AFolderThatIsNoRepositoryIsRefused) {
    EXPECT_TRUE(check_repository(repository).has_value());
    EXPECT_EQ(check_repository(folder.path()).error().code, ErrorCode::INVALID);
}

TEST(Tool, GivesWhatItPrintedOrWhyItFailed) {
    EXPECT_EQ(run_tool({{"sh", "-c", "echo hi"}, {}}).value(), "hi");
    EXPECT_NE(run_tool({{"sh", "-c", "echo no >&2; exit 3"}, {}}).error().message.find("no"),
              std::string::npos);
    EXPECT_EQ(run_tool({{"/no/such/tool"}, {}}).error().code, ErrorCode::NOT_FOUND);
    EXPECT_FALSE(run_tool({{"sleep", "60"}, {}, millis(50)}).has_value());
}

}  // namespace
}  // namespace zq::worker
