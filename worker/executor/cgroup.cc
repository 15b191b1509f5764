#include "worker/executor/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "common/platform/files.h"

namespace zq::worker {
namespace {

bool put(const std::string& path, std::string_view word) {
    FileHandle file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return file.is_open() &&
           ::write(file.fd(), word.data(), word.size()) == static_cast<ssize_t>(word.size());
}

/// Where the v2 hierarchy is mounted; empty: nowhere.
std::string mount_point() {
    auto text = read_file("/proc/self/mountinfo");
    if (!text) return {};
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        if (line.find(" - cgroup2 ") == std::string::npos) continue;
        std::istringstream words(line);
        std::string word;
        for (int i = 0; i < 5; ++i) words >> word;
        return word;
    }
    return {};
}

/// This process's place in the v2 hierarchy, such as `/user.slice`; empty: none.
std::string own_place() {
    auto text = read_file("/proc/self/cgroup");
    if (!text) return {};
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("0::")) return line.substr(3);
    }
    return {};
}

}  // namespace

std::optional<Cgroup> Cgroup::make(const std::string& name) {
    const std::string mount = mount_point();
    const std::string place = own_place();
    if (mount.empty() || place.empty()) return std::nullopt;
    Cgroup group(mount + (place == "/" ? "" : place) + "/" + name);
    if (::mkdir(group.path_.c_str(), 0755) != 0) return std::nullopt;
    const bool usable = ::access((group.path_ + "/cgroup.freeze").c_str(), W_OK) == 0 &&
                        ::access((group.path_ + "/cgroup.kill").c_str(), W_OK) == 0 &&
                        ::access(group.procs_file().c_str(), W_OK) == 0;
    if (usable) return group;
    group.remove();
    return std::nullopt;
}

bool Cgroup::freeze() const {
    return put(path_ + "/cgroup.freeze", "1");
}
bool Cgroup::thaw() const {
    return put(path_ + "/cgroup.freeze", "0");
}
bool Cgroup::kill() const {
    return put(path_ + "/cgroup.kill", "1");
}

std::vector<pid_t> Cgroup::members() const {
    std::vector<pid_t> pids;
    auto text = read_file(procs_file());
    if (!text) return pids;
    std::istringstream words(*text);
    for (pid_t pid = 0; words >> pid;) pids.push_back(pid);
    return pids;
}

bool Cgroup::remove() const {
    return ::rmdir(path_.c_str()) == 0 || errno == ENOENT;
}

}  // namespace zq::worker
