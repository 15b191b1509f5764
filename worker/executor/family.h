// Every process of one attempt: its main process and all that came from it, found by process group,
// by descent, by a tag in their environment, and by control group where there is one. The mark is
// what a later incarnation needs to find them again; it is on disk before the first of them runs.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/time.h"

namespace zq::worker {

struct FamilyMark {
    std::string tag;     // value of ZQ_ATTEMPT_TAG: 32 hex digits
    std::string boot;    // boot id of the machine it was made on
    std::string cgroup;  // path, or empty
    pid_t main = 0;      // 0: not started yet
    std::uint64_t start = 0;
    /// Descendants that were seen, by pid, with their start times; in memory only. One of them that
    /// leaves its group, loses its parent and cleans its environment is still known.
    std::map<pid_t, std::uint64_t> known = {};

    friend bool operator==(const FamilyMark&, const FamilyMark&) = default;
};

inline constexpr const char* kTagVariable = "ZQ_ATTEMPT_TAG";

/// `key=value` lines.
std::string to_text(const FamilyMark& mark);
Result<FamilyMark> parse_family_mark(const std::string& text);

/// Every living process of the family; never this process itself.
std::vector<pid_t> living(const FamilyMark& mark);

/// Enters the descendants that can be seen now into `mark.known`.
void remember_descendants(FamilyMark& mark);
/// SIGKILL to every live child of this process outside its own group. For when no family is left
/// that they could belong to: they are orphans that no look ever saw.
void kill_strays();

/// Stops, and lets go on, every process of the family: by its control group where there is one, the
/// others by signals, until no new one is found.
void freeze(const FamilyMark& mark);
void thaw(const FamilyMark& mark);
/// Sends SIGKILL to every process of the family; gives how many were still alive.
std::size_t kill_once(const FamilyMark& mark);

/// Kills a family that an earlier incarnation left behind, and waits until it is gone. False if
/// something still lives after `patience`.
bool kill_leftovers(const FamilyMark& mark, Millis patience);

/// Reaps dead orphans that came to this process as their subreaper. Never touches `mains`, nor
/// children in this process's own group (those are somebody else's to wait for).
void reap_orphans(const std::vector<pid_t>& mains);

}  // namespace zq::worker
