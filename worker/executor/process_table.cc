#include "worker/executor/process_table.h"

#include <charconv>

#include "common/platform/files.h"

namespace zq::worker {
namespace {

constexpr std::uint64_t kEnvironmentBytes = 4ULL << 20;

std::optional<pid_t> as_pid(const std::string& name) {
    pid_t pid = 0;
    const char* end = name.data() + name.size();
    auto [stop, error] = std::from_chars(name.data(), end, pid);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return pid;
}

}  // namespace

std::optional<ProcessInfo> find_process(pid_t pid) {
    auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
    if (!text) return std::nullopt;
    // The second field is the name in parentheses, and may itself hold anything: proc(5).
    const auto close = text->rfind(')');
    if (close == std::string::npos) return std::nullopt;
    ProcessInfo info;
    info.pid = pid;
    int parent = 0;
    int group = 0;
    unsigned long long start = 0;
    const int got =
        std::sscanf(text->c_str() + close + 1,
                    " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d"
                    " %*d %llu",
                    &info.state, &parent, &group, &start);
    if (got != 4) return std::nullopt;
    info.parent = parent;
    info.group = group;
    info.start = start;
    return info;
}

std::vector<ProcessInfo> list_processes() {
    std::vector<ProcessInfo> all;
    auto names = list_folder("/proc");
    if (!names) return all;
    for (const std::string& name : *names) {
        auto pid = as_pid(name);
        if (!pid) continue;
        if (auto info = find_process(*pid)) all.push_back(*info);
    }
    return all;
}

bool has_environment(pid_t pid, std::string_view entry) {
    auto text = read_file("/proc/" + std::to_string(pid) + "/environ", kEnvironmentBytes);
    if (!text) return false;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const auto end = rest.find('\0');
        if (rest.substr(0, end) == entry) return true;
        if (end == std::string_view::npos) return false;
        rest.remove_prefix(end + 1);
    }
    return false;
}

std::string boot_id() {
    auto text = read_file("/proc/sys/kernel/random/boot_id");
    if (!text) return {};
    while (!text->empty() && text->back() == '\n') text->pop_back();
    return *text;
}

std::vector<ProcessInfo> children_of(pid_t pid) {
    std::vector<ProcessInfo> children;
    for (const ProcessInfo& info : list_processes()) {
        if (info.parent == pid) children.push_back(info);
    }
    return children;
}

}  // namespace zq::worker
