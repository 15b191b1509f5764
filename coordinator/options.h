// What the coordinator is told at its start: flags over environment over file, all checked, with
// the place of every mistake. Knows nothing of what is done with it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/limits.h"
#include "coordinator/core/policy.h"
#include "coordinator/edge/in.h"

namespace zq::coordinator {

enum class Mode : std::uint8_t { kServe, kCheck, kVersion, kHelp };

struct Options {
    Mode mode = Mode::kServe;
    std::string help;    // with Mode::kHelp: the text
    std::string config;  // the file that was read; empty: none
    std::string data = "./zq-data";
    std::vector<std::string> binds = {"tcp://127.0.0.1:5570"};
    std::vector<std::string> artifacts_binds = {"tcp://127.0.0.1:5571"};
    std::string advertise;
    Millis lease = limits::kLeaseDefault;
    Millis heartbeat = limits::kHeartbeatDefault;
    std::size_t max_open_tasks = limits::kOpenTasks;
    std::vector<std::string> payload_schemas;  // ROLE=FILE, ROLE/TYPE=FILE
    Millis unreferenced = hours(24);
    core::Retention retention;
    std::map<RoleName, core::Retention> role_retention;
    std::uint64_t max_open_bytes = 0;     // 0: any number
    std::size_t max_open_per_client = 0;  // 0: any number
    Millis age_step = limits::kAgeStep;
    std::map<RoleName, Limits> role_limits;
    std::map<std::string, Limits> key_limits;
    std::map<RoleName, ApprovalRule> role_approvals;
    std::map<std::string, ApprovalRule> type_approvals;
    std::string log_level = "info";
    bool insecure = false;
    edge::ArtifactSecrets artifact_secrets = edge::ArtifactSecrets::kFlag;

    std::string keys_folder() const { return data + "/keys"; }
};

/// Looks up an environment variable; empty if it is not set.
using Environment = std::function<std::string(const std::string& name)>;

/// Errors: INVALID (an unknown flag or key, a bad value, each with its place), NOT_FOUND (--config
/// names no file), IO. A missing file is an error only where --config named it.
Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const Environment& environment);

/// True for endpoints that only this machine reaches: ipc, and tcp on a loopback address.
bool is_local_endpoint(const std::string& endpoint);

/// Refuses endpoints that other machines reach where there are no keys. Errors: DENIED, with what
/// to do.
enum class ServerKeys : std::uint8_t { kMissing, kPresent };
Result<void> check_exposure(const Options& options, ServerKeys keys);

}  // namespace zq::coordinator
