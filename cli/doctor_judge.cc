// What the figures of a coordinator and a disk mean. Bounds stand here, each with its reason.
#include <algorithm>
#include <cstdlib>
#include <map>

#include "cli/doctor.h"
#include "cli/text.h"

namespace zq::cli {
namespace {

// Leases run on clocks that measure durations, so a wrong wall clock hurts what names a time:
// --at, deadlines, invitations, and the order in which people read logs.
constexpr Millis kClockWarn = seconds(2);
constexpr Millis kClockFail = seconds(60);  // as far as the coordinator itself trusts a clock
constexpr Millis kByHandSoon = minutes(1);
constexpr std::uint64_t kDiskFail = 64ULL << 20;  // below it submits are refused
constexpr std::uint64_t kDiskWarn = 1ULL << 30;
constexpr std::int64_t kSyncWarn = 10'000;   // microseconds: 100 commits a second at most
constexpr std::int64_t kSyncFail = 250'000;  // each answer waits for one
constexpr std::uint64_t kFilesWarn = 4096;
constexpr std::uint64_t kFilesOfSession = 2;  // its connection, and one to the artifacts socket
constexpr std::uint64_t kFilesOfOwn = 64;
constexpr std::size_t kNamed = 5;  // of many alike

std::string plural(std::uint64_t n, const std::string& noun) {
    return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string millis_text(std::int64_t micros) {
    const std::int64_t tenths = (micros + 50) / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

std::string version_of(const std::string& program) {
    return program.substr(program.rfind(' ') + 1);
}

/// The first few, and how many more.
std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
        text += (i == 0 ? "" : ", ") + names[i];
    }
    if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
    return text;
}

std::uint64_t counter(const wire::StatusReply& status, const std::string& name) {
    auto at = status.counters.find(name);
    return at == status.counters.end() ? 0 : std::strtoull(at->second.c_str(), nullptr, 10);
}

}  // namespace

std::string_view to_string(Health health) {
    switch (health) {
        case Health::kOk:
            return "ok";
        case Health::kWarn:
            return "warn";
        case Health::kFail:
            return "fail";
    }
    return "fail";
}

Finding judge_clock(const ClockReading& reading) {
    // It was read somewhere between the two ends of the round trip.
    const Millis half{reading.took.count / 2};
    const Millis off = reading.theirs - (reading.sent + half);
    const Millis sure{std::max<std::int64_t>(0, std::abs(off.count) - half.count)};
    if (sure <= kClockWarn) {
        return {"clock",
                Health::kOk,
                "within " + human_duration(Millis{sure.count + reading.took.count}) +
                    " of the coordinator's",
                {}};
    }
    return {"clock", sure > kClockFail ? Health::kFail : Health::kWarn,
            "the coordinator's clock is " + human_duration(sure) +
                (off.count > 0 ? " ahead of" : " behind") + " this machine's",
            "set both by NTP: `timedatectl set-ntp true`"};
}

Findings judge_versions(std::string_view own, const std::string& coordinator,
                        const std::vector<wire::WorkerRow>& workers) {
    Findings findings;
    const std::string serving = version_of(coordinator);
    if (serving != own) {
        findings.push_back({"versions", Health::kWarn,
                            "this zq is " + std::string(own) + ", the coordinator " + serving,
                            "install the same version here as there: the older one does not know "
                            "what the newer one says"});
    }
    std::vector<std::string> others;
    for (const wire::WorkerRow& row : workers) {
        // What is no program of ours counts its versions by itself.
        const bool ours = row.program.rfind("zq-worker ", 0) == 0;
        if (!ours || version_of(row.program) == serving) continue;
        others.push_back(row.worker.text + " (" + version_of(row.program) + ")");
    }
    if (!others.empty()) {
        findings.push_back(
            {"versions", Health::kWarn,
             "workers of another version than the coordinator's " + serving + ": " + listed(others),
             "`zq worker drain NAME`, then start it with the coordinator's version"});
    }
    if (findings.empty()) {
        findings.push_back({"versions", Health::kOk, "all are " + serving, {}});
    }
    return findings;
}

Findings judge_roles(const std::vector<wire::RoleRow>& roles) {
    Findings findings;
    for (const wire::RoleRow& row : roles) {
        const std::string& role = row.role.text;
        if (row.queued > 0 && row.workers == 0) {
            findings.push_back({"roles", Health::kWarn,
                                "role " + role + " has " + plural(row.queued, "queued task") +
                                    " and no worker, the oldest since " +
                                    human_duration(row.oldest),
                                "start one: zq-worker --role " + role + " -- COMMAND"});
        }
        if (row.paused && row.queued > 0) {
            findings.push_back(
                {"roles", Health::kWarn,
                 "role " + role + " is paused with " + plural(row.queued, "queued task"),
                 "zq role resume " + role});
        }
        if (row.closed) {
            findings.push_back({"roles", Health::kWarn,
                                "role " + role + " drains: submits to it are refused",
                                "zq role resume " + role});
        }
    }
    if (!findings.empty()) return findings;
    return {{"roles",
             Health::kOk,
             plural(roles.size(), "role") + ", and no task waits in vain for a worker",
             {}}};
}

Findings judge_workers(const std::vector<wire::WorkerRow>& workers) {
    Findings findings;
    for (const wire::WorkerRow& row : workers) {
        if (!row.paused && !row.draining) continue;
        findings.push_back({"workers", Health::kWarn,
                            "worker " + row.worker.text + (row.draining ? " drains" : " is paused"),
                            "zq worker resume " + row.worker.text});
    }
    if (findings.empty() && workers.empty()) {
        findings.push_back({"workers", Health::kWarn, "no worker is connected",
                            "start one: zq-worker --role ROLE -- COMMAND"});
    } else if (findings.empty()) {
        findings.push_back(
            {"workers", Health::kOk, plural(workers.size(), "worker") + " connected", {}});
    }
    return findings;
}

Findings judge_leases(const std::vector<wire::LeaseRow>& leases,
                      const std::vector<wire::WorkerRow>& workers, Instant now) {
    std::map<std::string, Instant> heard;
    for (const wire::WorkerRow& row : workers) heard[row.worker.text] = row.heard_at;
    Findings findings;
    for (const wire::LeaseRow& row : leases) {
        const Millis left = std::max(row.deadline - now, Millis{});
        const std::string ends = "the lease of " + row.task.text + " ends in " +
                                 human_duration(left) + ": " + row.worker.text;
        if (row.by_hand) {
            if (left >= kByHandSoon) continue;
            findings.push_back({"leases", Health::kWarn, ends + " holds it by hand",
                                "zq heartbeat " + row.task.text + ", or zq release it"});
            continue;
        }
        auto at = heard.find(row.worker.text);
        if (at != heard.end() && now - at->second <= left) continue;
        const std::string silent = at == heard.end()
                                       ? " is not connected"
                                       : " is silent for " + human_duration(now - at->second);
        findings.push_back({"leases", Health::kWarn, ends + silent,
                            "look after that worker: when the lease ends the task runs elsewhere"});
    }
    if (!findings.empty()) return findings;
    return {{"leases",
             Health::kOk,
             plural(leases.size(), "lease") + (leases.empty() ? "" : ", each renewed in time"),
             {}}};
}

Finding judge_storage(const wire::StatusReply& status) {
    if (!status.storage_full) {
        return {"storage", Health::kOk, "the coordinator takes submits", {}};
    }
    return {"storage", Health::kFail,
            "the coordinator's disk is nearly full: submits are refused (STORAGE_FULL)",
            "free space there; `zq gc --dry-run` says what zq itself could let go"};
}

Finding judge_dead_letters(const wire::StatsRow& all) {
    const std::string dead = plural(all.dlq, "dead letter");
    if (all.dlq_growth <= 0)
        return {"dead letters", Health::kOk, dead + ", no more than before", {}};
    return {"dead letters", Health::kWarn,
            dead + ", " + std::to_string(all.dlq_growth) + " more than an hour ago",
            "`zq dlq` lists them, `zq dlq show ID` says why, `zq dlq replay ID` tries again"};
}

Finding judge_open_files(const wire::StatusReply& status) {
    const std::uint64_t limit = counter(status, "open_file_limit");
    if (limit == 0)
        return {"open files", Health::kOk, "the coordinator does not say its limit", {}};
    const std::uint64_t used = kFilesOfOwn + kFilesOfSession * counter(status, "sessions");
    const std::string found = "the coordinator may have " + std::to_string(limit) +
                              " open, and needs some " + std::to_string(used) + " now";
    const char* fix = "LimitNOFILE=65536 in its unit, or `ulimit -Hn 65536` before its start";
    if (used >= limit) return {"open files", Health::kFail, found, fix};
    const bool narrow = limit < kFilesWarn || used > limit / 5 * 4;
    return {"open files", narrow ? Health::kWarn : Health::kOk, found, narrow ? fix : ""};
}

Finding judge_disk(const std::string& folder, DiskRoom room) {
    const std::string found =
        human_size(room.free) + " free of " + human_size(room.total) + " for " + folder;
    const char* fix = "free space, move the folder, or bound what is kept ([retention])";
    if (room.free < kDiskFail) return {"disk", Health::kFail, found, fix};
    if (room.free < kDiskWarn) return {"disk", Health::kWarn, found, fix};
    return {"disk", Health::kOk, found, {}};
}

Finding judge_syncs(std::vector<std::int64_t> micros) {
    if (micros.empty()) return {"fsync", Health::kFail, "nothing could be written", "see `disk`"};
    std::sort(micros.begin(), micros.end());
    const std::int64_t p50 = micros[micros.size() / 2];
    const std::int64_t p99 = micros[(micros.size() * 99) / 100];
    const std::string found = "p50 " + millis_text(p50) + ", p99 " + millis_text(p99) + " of " +
                              std::to_string(micros.size()) + " syncs of 4 KiB";
    const char* fix = "every answer waits for a sync: use a local SSD, or one with less to do";
    if (p50 > kSyncFail) return {"fsync", Health::kFail, found, fix};
    if (p50 > kSyncWarn) return {"fsync", Health::kWarn, found, fix};
    return {"fsync", Health::kOk, found, {}};
}

}  // namespace zq::cli
