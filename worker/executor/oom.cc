#include "worker/executor/oom.h"

#include <unistd.h>

#include <sstream>

#include "common/platform/files.h"

namespace zq::worker {
namespace {

/// Folders in which this process's memory group may show itself: below the mount point by its full
/// name, and the mount point itself (in a container that is the group).
std::vector<std::string> own_memory_groups() {
    std::vector<std::string> folders;
    auto groups = read_file("/proc/self/cgroup");
    auto mounts = read_file("/proc/self/mountinfo");
    if (!groups || !mounts) return folders;
    std::istringstream lines(*groups);
    for (std::string line; std::getline(lines, line);) {
        // `0::/user.slice` (version 2) or `4:memory:/user.slice` (version 1): cgroups(7).
        const bool version2 = line.starts_with("0::");
        const auto memory = line.find(":memory:");
        if (!version2 && memory == std::string::npos) continue;
        const std::string place = line.substr(version2 ? 3 : memory + 8);
        std::istringstream rows(*mounts);
        for (std::string row; std::getline(rows, row);) {
            const bool fits =
                version2 ? row.find(" - cgroup2 ") != std::string::npos
                         : row.find(" - cgroup ") != std::string::npos && row.ends_with("memory");
            if (!fits) continue;
            std::istringstream words(row);
            std::string mount;
            for (int i = 0; i < 5; ++i) words >> mount;
            folders.push_back(mount + (place == "/" ? "" : place));
            if (place != "/") folders.push_back(mount);
        }
    }
    return folders;
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), R_OK) == 0;
}

}  // namespace

OomCount::OomCount(std::vector<std::string> files) : files_(std::move(files)) {
    before_ = total();
}

OomCount OomCount::of_attempt(const std::string& cgroup) {
    if (!cgroup.empty() && exists(cgroup + "/memory.events")) {
        return OomCount({cgroup + "/memory.events"});
    }
    // A group counts for those below it too: the first that is there says enough.
    for (const std::string& folder : own_memory_groups()) {
        for (const char* name : {"/memory.events", "/memory.oom_control"}) {
            if (exists(folder + name)) return OomCount({folder + name});
        }
    }
    return OomCount({});
}

std::uint64_t OomCount::total() const {
    std::uint64_t sum = 0;
    for (const std::string& file : files_) {
        auto text = read_file(file, 4096);
        if (!text) continue;
        std::istringstream words(*text);
        for (std::string word; words >> word;) {
            std::uint64_t count = 0;
            if (word == "oom_kill" && words >> count) sum += count;
        }
    }
    return sum;
}

}  // namespace zq::worker
