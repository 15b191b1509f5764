// A control group (v2) per attempt, where this process may make one: it holds every descendant,
// also those that left the process group, and freezes and kills them as one. Everything works
// without.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace zq::worker {

class Cgroup {
  public:
    /// Makes a group below this process's own; nullopt where that is not allowed or not v2.
    static std::optional<Cgroup> make(const std::string& name);
    /// An existing one, as `path()` named it.
    explicit Cgroup(std::string path) : path_(std::move(path)) {}

    const std::string& path() const { return path_; }
    /// A process that writes `0` there moves itself into the group.
    std::string procs_file() const { return path_ + "/cgroup.procs"; }
    bool freeze() const;
    bool thaw() const;
    /// Kills everything in it, frozen or not.
    bool kill() const;
    std::vector<pid_t> members() const;
    /// Removes the empty group; false while something is in it.
    bool remove() const;

  private:
    std::string path_;
};

}  // namespace zq::worker
