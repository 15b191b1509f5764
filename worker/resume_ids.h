// Sessions that earlier attempts of a task left with their agent, so that the next attempt on this
// worker can go on in them: one small file per task in the state folder. A session lives on the
// machine of the agent, so no other worker is told.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/base/ids.h"

namespace zq::worker {

class ResumeIds {
  public:
    /// The folder is made when something is remembered.
    explicit ResumeIds(std::string folder) : folder_(std::move(folder)) {}

    /// The session of the task's last attempt that named one; empty: none.
    std::string of(const TaskId& task) const;
    /// Keeps `session` where it can stand as one word of a command line, and nothing else: letters,
    /// digits, `.`, `_` and `-`, not starting with a dash, 128 bytes at most.
    void remember(const TaskId& task, const std::string& session) const;
    void forget(const TaskId& task) const;
    /// Forgets those of tasks that have not run here for 30 days.
    void prune() const;

  private:
    std::string file_of(const TaskId& task) const { return folder_ + "/" + task.text; }

    std::string folder_;
};

/// True for what may be remembered.
bool is_session_id(const std::string& text);

}  // namespace zq::worker
