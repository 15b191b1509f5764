// What /proc says of the processes of this machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zq::worker {

struct ProcessInfo {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    char state = '?';
    std::uint64_t start = 0;  // clock ticks since boot: with the pid, names a process for ever

    bool is_dead() const { return state == 'Z' || state == 'X'; }
    bool is_stopped() const { return state == 'T'; }
};

std::optional<ProcessInfo> find_process(pid_t pid);
/// Every process that can be seen.
std::vector<ProcessInfo> list_processes();
/// True if the process's environment, as it was at its start, holds `entry` (`NAME=value`).
bool has_environment(pid_t pid, std::string_view entry);
/// Random, new at every start of the machine.
std::string boot_id();
/// Names of processes whose parent is `pid`, dead ones that wait to be reaped included.
std::vector<ProcessInfo> children_of(pid_t pid);

}  // namespace zq::worker
