#include "worker/workspace/git_worktree.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "common/platform/files.h"
#include "worker/executor/tool.h"

namespace zq::worker {
namespace {

namespace fs = std::filesystem;

struct Record {
    std::string repository;
    std::string branch;
    std::string base;
};

/// Hooks and watchers of the repository would run outside of the attempt: none are started.
std::vector<std::string> git(const std::string& folder, std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", folder, "-c", "core.hooksPath=/dev/null", "-c",
                                 "core.fsmonitor=false", "-c", "gc.auto=0"});
    return words;
}

Result<std::string> run_git(const std::string& folder, std::vector<std::string> words) {
    return run_tool({git(folder, std::move(words)), {}});
}

/// A branch may not hold what a task's id may: `..`, a dot at its end, `.lock`.
std::string branch_of(const Workspace& workspace) {
    std::string name = fs::path(workspace.folder).filename().string();
    std::replace(name.begin(), name.end(), '.', '-');
    return "zq/" + name;
}

Result<Record> read_record(const Workspace& workspace) {
    auto text = read_file(workspace.worktree_record(), 64 * 1024);
    if (!text) return Failure(text.error());
    Record record;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string key = line.substr(0, equals);
        if (key == "repository") record.repository = line.substr(equals + 1);
        if (key == "branch") record.branch = line.substr(equals + 1);
        if (key == "base") record.base = line.substr(equals + 1);
    }
    return record;
}

bool has_own_patch(const Workspace& workspace) {
    std::error_code error;
    fs::directory_iterator it(workspace.out_folder(), error);
    return !error && std::any_of(fs::begin(it), fs::end(it), [](const fs::directory_entry& entry) {
        const std::string name = entry.path().filename().string();
        return name == "patch" || name.starts_with("patch.");
    });
}

}  // namespace

Result<void> check_repository(const std::string& repository) {
    auto head = run_git(repository, {"rev-parse", "--verify", "--quiet", "HEAD^{commit}"});
    if (head) return {};
    if (head.error().code == ErrorCode::NOT_FOUND) return Failure(head.error());
    return fail(ErrorCode::INVALID, "not a git repository with a commit: " + repository);
}

Result<void> add_worktree(const std::string& repository, const Workspace& workspace) {
    auto base = run_git(repository, {"rev-parse", "--verify", "HEAD^{commit}"});
    if (!base) return Failure(base.error());
    const Record record{repository, branch_of(workspace), *base};
    const std::string folder = fs::path(workspace.worktree_record()).parent_path().string();
    if (auto ok = make_folders(folder, 0700); !ok) return ok;
    const std::string text = "repository=" + record.repository + "\nbranch=" + record.branch +
                             "\nbase=" + record.base + "\n";
    // Before the tree is made: a start after a kill must find it.
    auto ok = write_file(workspace.worktree_record(), text, 0600, Durability::kNone);
    if (!ok) return ok;
    auto added = run_git(repository, {"worktree", "add", "--quiet", "-b", record.branch,
                                      workspace.worktree_folder(), record.base});
    if (!added) return Failure(added.error());
    return {};
}

Result<void> write_patch(const Workspace& workspace) {
    auto record = read_record(workspace);
    if (!record || has_own_patch(workspace)) return {};
    const std::string tree = workspace.worktree_folder();
    if (auto added = run_git(tree, {"add", "--all"}); !added) return Failure(added.error());
    const std::string patch = workspace.out_folder() + "/patch.diff";
    auto diff = run_tool({git(tree, {"diff", "--cached", "--binary", "--no-color", "--no-ext-diff",
                                     "--no-textconv", record->base}),
                          patch});
    if (!diff) return Failure(diff.error());
    std::error_code error;
    if (fs::file_size(patch, error) == 0 && !error) ::unlink(patch.c_str());
    return {};
}

Result<void> remove_worktree(const Workspace& workspace) {
    auto record = read_record(workspace);
    if (!record) return {};
    const std::string tree = workspace.worktree_folder();
    std::error_code error;
    if (fs::exists(tree, error)) {
        // Twice: a tree that the agent locked is removed all the same.
        auto removed =
            run_git(record->repository, {"worktree", "remove", "--force", "--force", tree});
        if (!removed) fs::remove_all(tree, error);
    }
    (void)run_git(record->repository, {"worktree", "prune"});
    // Deleted only while it still stands where it began: what was committed is never lost.
    (void)run_git(record->repository,
                  {"update-ref", "-d", "refs/heads/" + record->branch, record->base});
    ::unlink(workspace.worktree_record().c_str());
    if (fs::exists(tree, error)) return fail(ErrorCode::IO, "cannot remove " + tree);
    return {};
}

}  // namespace zq::worker
