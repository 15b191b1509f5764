#include "worker/workspace/workspace.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/platform/files.h"
#include "worker/workspace/git_worktree.h"

namespace zq::worker {
namespace fs = std::filesystem;

std::string Workspace::mark_file() const {
    const fs::path path(folder);
    return (path.parent_path().parent_path() / "marks" / path.filename()).string();
}

std::string Workspace::worktree_record() const {
    const fs::path path(folder);
    return (path.parent_path().parent_path() / "worktrees" / path.filename()).string();
}

std::string Workspace::artifact_file(const std::string& name) const {
    if (name == "stdout.log") return stdout_file();
    if (name == "stderr.log") return stderr_file();
    std::string own = out_folder() + "/" + name;
    std::error_code error;
    if (fs::is_regular_file(fs::symlink_status(own, error))) return own;
    if (name == "verify.log") return verify_file();
    return stdout_file();  // the result that was taken from it
}

std::string attempt_folder_name(const wire::HeldLease& held) {
    return held.task.text + "." + std::to_string(held.attempt) + "." + to_hex(held.lease.number);
}

Result<void> make_workspace(const Workspace& workspace) {
    const std::string marks = fs::path(workspace.mark_file()).parent_path().string();
    for (const std::string& folder : {marks, workspace.folder, workspace.context_folder(),
                                      workspace.checkpoint_folder(), workspace.out_folder()}) {
        if (auto ok = make_folders(folder, 0700); !ok) return ok;
    }
    return write_file(workspace.output_file(), "", 0600, Durability::kNone);
}

Result<void> remove_workspace(const Workspace& workspace) {
    ::unlink(workspace.mark_file().c_str());
    if (auto ok = remove_worktree(workspace); !ok) return ok;
    std::error_code error;
    fs::remove_all(workspace.folder, error);
    if (!error) return {};
    // A task may have taken the write bit from folders of its own.
    fs::recursive_directory_iterator it(workspace.folder, error);
    for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (fs::is_directory(fs::symlink_status(it->path(), ignored))) {
            ::chmod(it->path().c_str(), 0700);
        }
    }
    fs::remove_all(workspace.folder, error);
    if (error)
        return fail(ErrorCode::IO, "cannot remove " + workspace.folder + ": " + error.message());
    return {};
}

}  // namespace zq::worker
