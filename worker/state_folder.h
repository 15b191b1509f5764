// Who a worker is, on disk: a folder that one process at a time holds locked, with an id made at
// random when it was made and an incarnation that grows at each start.
//
//     STATE/lock  STATE/state_id  STATE/incarnation  STATE/outbox/  STATE/attempts/  STATE/marks/
//     STATE/worktrees/ (git_worktree.h)  STATE/sessions/ (resume_ids.h)
#pragma once

#include <string>

#include "common/base/ids.h"
#include "common/platform/files.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

struct StateFolder {
    std::string path;  // absolute
    WorkerName name;
    StateId state_id;
    std::uint64_t incarnation = 0;
    FileHandle lock;

    std::string outbox() const { return path + "/outbox"; }
    std::string attempts() const { return path + "/attempts"; }
    std::string worktrees() const { return path + "/worktrees"; }
    std::string sessions() const { return path + "/sessions"; }
    /// One file per attempt that may have processes (family.h).
    std::string marks() const { return path + "/marks"; }
};

/// Locks a folder, made if missing, and counts its incarnation up (durably).
///   name and folder: as given. name alone: $XDG_STATE_HOME/zq/NAME (else ~/.local/state/zq/NAME).
///   folder alone: the name is HOST-ROLE and the start of the state id.
///   neither: HOST-ROLE-N for the first N whose folder nobody holds.
/// Errors: CONFLICT (held by another process), IO.
Result<StateFolder> open_state_folder(const std::string& folder, const std::string& name,
                                      const std::string& role);

/// Kills every process that earlier incarnations left, and removes the folders of attempts without
/// a report in the outbox (`reported`: folder names) unless they are kept or hold evidence. Gives
/// how many attempts had something left. Errors: IO when something would not die.
Result<std::size_t> clear_leftovers(const StateFolder& state,
                                    const std::vector<std::string>& reported, Keep keep);

}  // namespace zq::worker
