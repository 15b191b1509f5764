// `zq doctor`: what its checks find. A finding says one thing, how bad it is, and what to do about
// it. The judgements here are pure: others ask the coordinator (doctor.cc) and this machine
// (doctor_machine.cc) for the facts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/wire/codec.h"

namespace zq::cli {

enum class Health : std::uint8_t {
    kOk,
    kWarn,  // it works, and will not for ever
    kFail,  // it does not work: exit code 20
};
std::string_view to_string(Health health);

struct Finding {
    std::string_view check;
    Health health = Health::kOk;
    std::string found;
    std::string fix;  // one line; empty with kOk
};
using Findings = std::vector<Finding>;

/// A round trip that the coordinator's clock was read in.
struct ClockReading {
    Instant sent;  // our wall clock
    Instant theirs;
    Millis took{};
};
Finding judge_clock(const ClockReading& reading);

/// Versions as programs name themselves (`zq-worker 0.1.0`), against this program's.
Findings judge_versions(std::string_view own, const std::string& coordinator,
                        const std::vector<wire::WorkerRow>& workers);
/// Roles with tasks that nobody takes, or nobody may.
Findings judge_roles(const std::vector<wire::RoleRow>& roles);
Findings judge_workers(const std::vector<wire::WorkerRow>& workers);
/// Leases of which more than half is over without a word of their holder; and those held by hand
/// that end within a minute.
Findings judge_leases(const std::vector<wire::LeaseRow>& leases,
                      const std::vector<wire::WorkerRow>& workers, Instant now);
Finding judge_storage(const wire::StatusReply& status);
/// Of the last hour.
Finding judge_dead_letters(const wire::StatsRow& all);
/// Of the coordinator: what it may have open, against what it serves.
Finding judge_open_files(const wire::StatusReply& status);

/// Free and total bytes of the disk that holds a folder.
struct DiskRoom {
    std::uint64_t free = 0;
    std::uint64_t total = 0;
};
Finding judge_disk(const std::string& folder, DiskRoom room);
/// Microseconds that writing 4 KiB to the disk and syncing it took, each time; sorted here.
Finding judge_syncs(std::vector<std::int64_t> micros);

/// The profile, its keys, and how they go with the coordinator's folder (`data`; empty: it is not
/// looked at).
Findings check_keys(const std::string& connect, const std::string& data);
/// Room and speed of the disk under a coordinator's data folder.
Findings check_data_folder(const std::string& data);

}  // namespace zq::cli
