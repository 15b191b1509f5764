// What a process of ours may use and give away: descriptors, core dumps, modes of new files. Each
// program says at its start what it is; what it starts gets back what was there before.
#pragma once

#include <cstdint>
#include <string>

namespace zq {

/// The limits that this process was started with.
class ProcessLimits {
  public:
    /// Raises the soft limit on descriptors to the hard one (65,536 where that has no end), and
    /// sees to it that no memory of this process, where keys lie, is written to a core file or
    /// shown to another process of its user: no core dumps, and not dumpable.
    static ProcessLimits take();

    /// `ulimit` words for /bin/sh that bring back the limits the process was started with; empty
    /// where nothing was changed.
    const std::string& restoring_words() const { return restoring_words_; }

  private:
    std::string restoring_words_;
};

/// Neither core dumps nor other processes of the user show this process's memory. What it starts is
/// not affected.
void hide_memory();

/// New files and sockets are for this user alone, whatever the environment says.
void keep_files_private();

/// The soft limit on open files.
std::uint64_t open_file_limit();

/// True for root.
bool runs_as_root();

}  // namespace zq
