// Whether the kernel killed for want of memory: the counts that control groups keep of it. A
// version 2 group says so in `memory.events`, a version 1 group in `memory.oom_control`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zq::worker {

class OomCount {
  public:
    /// The files that may hold a count of `oom_kill`; those that are not there are passed over.
    explicit OomCount(std::vector<std::string> files);
    /// Of an attempt: its own group's where it has one (`cgroup`: its path, or empty), else that of
    /// the group this process runs in.
    static OomCount of_attempt(const std::string& cgroup);

    /// True if something was killed since this was made.
    bool has_grown() const { return total() > before_; }

  private:
    std::uint64_t total() const;

    std::vector<std::string> files_;
    std::uint64_t before_ = 0;
};

}  // namespace zq::worker
