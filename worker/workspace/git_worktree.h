// A working tree of a git repository for one attempt, on a branch of its own: made before the
// command runs, read as a patch when it has ended, removed with the attempt's folder. What is
// needed to remove it stands beside the attempts, so that a later start can too:
//
//     STATE/worktrees/TASK.ATTEMPT.TOKEN:  repository=…  branch=…  base=…
//
// Waits for git; for threads that may.
#pragma once

#include <string>

#include "common/base/error.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// Errors: NOT_FOUND (no git), INVALID (not a repository, or one without a commit).
Result<void> check_repository(const std::string& repository);

/// Makes `workspace.worktree_folder()` from the repository's HEAD, on the branch
/// `zq/TASK-ATTEMPT-TOKEN`. Errors: IO.
Result<void> add_worktree(const std::string& repository, const Workspace& workspace);

/// Writes everything that differs from where the branch began (committed, staged, changed or new;
/// but what is ignored) to `out/patch.diff`, in git's binary form. Nothing is written where nothing
/// differs, where the command wrote a `patch` or `patch.*` itself, or where the attempt has no
/// working tree. Errors: IO.
Result<void> write_patch(const Workspace& workspace);

/// Removes the attempt's working tree, if it has one, and its branch where nothing was committed to
/// it. What is gone already is no error. Errors: IO.
Result<void> remove_worktree(const Workspace& workspace);

}  // namespace zq::worker
