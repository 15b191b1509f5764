#include "worker/executor/family.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <thread>

#include "common/platform/clock.h"
#include "worker/executor/cgroup.h"
#include "worker/executor/process_table.h"

namespace zq::worker {
namespace {

constexpr int kFreezeRounds = 20;

bool same_boot(const FamilyMark& mark) {
    return mark.boot.empty() || mark.boot == boot_id();
}

/// The processes that show by themselves that they belong: group, tag, control group.
std::set<pid_t> roots(const FamilyMark& mark, const std::vector<ProcessInfo>& all) {
    std::set<pid_t> found;
    const auto main = std::find_if(all.begin(), all.end(),
                                   [&](const ProcessInfo& p) { return p.pid == mark.main; });
    // A pid is used again, a pid with its start time is not.
    const bool main_is_ours = main != all.end() && main->start == mark.start;
    if (main_is_ours) found.insert(mark.main);
    if (!mark.cgroup.empty()) {
        for (pid_t pid : Cgroup(mark.cgroup).members()) found.insert(pid);
    }
    const std::string entry = std::string(kTagVariable) + "=" + mark.tag;
    for (const ProcessInfo& p : all) {
        if (p.is_dead() || p.start < mark.start) continue;
        const auto known = mark.known.find(p.pid);
        if (known != mark.known.end() && known->second == p.start) found.insert(p.pid);
        if ((main_is_ours && p.group == mark.main) || has_environment(p.pid, entry)) {
            found.insert(p.pid);
        }
    }
    return found;
}

void add_descendants(std::set<pid_t>& found, const std::vector<ProcessInfo>& all) {
    for (bool grew = true; grew;) {
        grew = false;
        for (const ProcessInfo& p : all) {
            if (found.contains(p.parent)) grew = found.insert(p.pid).second || grew;
        }
    }
}

}  // namespace

std::string to_text(const FamilyMark& mark) {
    return "tag=" + mark.tag + "\nboot=" + mark.boot + "\ncgroup=" + mark.cgroup +
           "\nmain=" + std::to_string(mark.main) + "\nstart=" + std::to_string(mark.start) + "\n";
}

Result<FamilyMark> parse_family_mark(const std::string& text) {
    FamilyMark mark;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string key = line.substr(0, equals);
        const std::string value = line.substr(equals + 1);
        const char* end = value.data() + value.size();
        if (key == "tag") mark.tag = value;
        if (key == "boot") mark.boot = value;
        if (key == "cgroup") mark.cgroup = value;
        if (key == "main") std::from_chars(value.data(), end, mark.main);
        if (key == "start") std::from_chars(value.data(), end, mark.start);
    }
    // A negative number would name a process group to whoever signals it.
    if (mark.tag.size() != 32 || mark.main < 0) {
        return fail(ErrorCode::INVALID, "not the mark of an attempt");
    }
    return mark;
}

std::vector<pid_t> living(const FamilyMark& mark) {
    if (!same_boot(mark)) return {};
    const auto all = list_processes();
    std::set<pid_t> found = roots(mark, all);
    add_descendants(found, all);
    found.erase(::getpid());
    std::vector<pid_t> alive;
    for (const ProcessInfo& p : all) {
        if (found.contains(p.pid) && !p.is_dead()) alive.push_back(p.pid);
    }
    return alive;
}

namespace {

/// Who has to be stopped by a signal: those in the control group never notice that they are frozen.
std::vector<pid_t> outside_group(const FamilyMark& mark) {
    std::vector<pid_t> pids = living(mark);
    if (mark.cgroup.empty()) return pids;
    const std::vector<pid_t> inside = Cgroup(mark.cgroup).members();
    std::erase_if(pids, [&](pid_t pid) {
        return std::find(inside.begin(), inside.end(), pid) != inside.end();
    });
    return pids;
}

}  // namespace

void freeze(const FamilyMark& mark) {
    const bool grouped = !mark.cgroup.empty() && Cgroup(mark.cgroup).freeze();
    if (!grouped && mark.main > 0) ::kill(-mark.main, SIGSTOP);
    // One that forked before it was stopped left a child: look again until all are.
    std::set<pid_t> stopped;
    for (int round = 0; round < kFreezeRounds; ++round) {
        bool grew = false;
        for (pid_t pid : outside_group(mark)) {
            if (!stopped.insert(pid).second) continue;
            ::kill(pid, SIGSTOP);
            grew = true;
        }
        if (!grew) return;
    }
}

void thaw(const FamilyMark& mark) {
    for (pid_t pid : outside_group(mark)) ::kill(pid, SIGCONT);
    if (!mark.cgroup.empty()) (void)Cgroup(mark.cgroup).thaw();
}

std::size_t kill_once(const FamilyMark& mark) {
    if (!mark.cgroup.empty() && same_boot(mark)) (void)Cgroup(mark.cgroup).kill();
    const std::vector<pid_t> alive = living(mark);
    for (pid_t pid : alive) ::kill(pid, SIGKILL);
    return alive.size();
}

bool kill_leftovers(const FamilyMark& mark, Millis patience) {
    const Millis until = boottime() + patience;
    while (kill_once(mark) > 0) {
        if (boottime() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (!mark.cgroup.empty()) {
        while (!Cgroup(mark.cgroup).remove() && boottime() < until) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    return true;
}

void remember_descendants(FamilyMark& mark) {
    const auto all = list_processes();
    std::set<pid_t> found;
    for (const ProcessInfo& p : all) {
        const auto known = mark.known.find(p.pid);
        const bool is_known = known != mark.known.end() && known->second == p.start;
        if (is_known || (p.pid == mark.main && p.start == mark.start)) found.insert(p.pid);
    }
    add_descendants(found, all);
    mark.known.clear();
    for (const ProcessInfo& p : all) {
        if (found.contains(p.pid) && !p.is_dead()) mark.known.emplace(p.pid, p.start);
    }
}

void kill_strays() {
    const pid_t own_group = ::getpgrp();
    for (const ProcessInfo& child : children_of(::getpid())) {
        if (!child.is_dead() && child.group != own_group) ::kill(child.pid, SIGKILL);
    }
}

void reap_orphans(const std::vector<pid_t>& mains) {
    const pid_t own_group = ::getpgrp();
    for (const ProcessInfo& child : children_of(::getpid())) {
        if (!child.is_dead() || child.group == own_group) continue;
        if (std::find(mains.begin(), mains.end(), child.pid) != mains.end()) continue;
        ::waitpid(child.pid, nullptr, WNOHANG);
    }
}

}  // namespace zq::worker
