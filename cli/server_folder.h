// A coordinator's data folder as `zq init`, `zq invite` and `zq dev` see it: its settings, its
// keys, and the admin's profile for this machine. What is in the journal is none of this file's
// business.
//
//     DATA/coordinator.toml   settings
//     DATA/keys/              the server's key and the known ones (key_registry.h)
//     DATA/admin.key          this machine's key pair, an admin's
//     DATA/admin.toml         the profile that goes with it
#pragma once

#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "common/client/profile.h"

namespace zq::cli {

struct ServerSettings {
    std::string data;  // absolute
    std::vector<std::string> binds = {"tcp://127.0.0.1:5570"};
    std::vector<std::string> artifacts_binds = {"tcp://127.0.0.1:5571"};
    std::string advertise;
};

/// What was done by ensure_server_folder, or would be.
struct ServerFolder {
    ServerSettings settings;
    std::vector<std::string> steps;  // for people; empty: everything was there
    Profile profile;                 // of this machine
    std::string admin_profile;       // the file that holds it
};

/// Wanted changes; empty lists and texts leave what is there.
struct SettingsChange {
    std::vector<std::string> binds;
    std::vector<std::string> artifacts_binds;
    std::string advertise;
    bool is_empty() const { return binds.empty() && artifacts_binds.empty() && advertise.empty(); }
};

/// The settings of DATA/coordinator.toml; defaults where it has none. Errors: NOT_FOUND, INVALID.
Expected<ServerSettings> read_settings(const std::string& data);

/// Makes what is missing, changes what is asked for. Doing it twice is the same as once.
Expected<ServerFolder> ensure_server_folder(const std::string& data, const SettingsChange& change);
/// The same without writing.
Expected<ServerFolder> plan_server_folder(const std::string& data, const SettingsChange& change);

/// How this machine reaches a coordinator with these settings.
Profile own_profile(const ServerSettings& settings, const std::string& server_public);

/// True for addresses that only this machine reaches: they need no keys.
bool is_local(const std::string& endpoint);
/// True for `tcp://0.0.0.0:…`, `tcp://*:…`, `tcp://[::]:…`.
bool is_wildcard(const std::string& endpoint);
/// Errors: usage, for what is no tcp://HOST:PORT or ipc://PATH.
Expected<void> check_bind(const std::string& endpoint, const std::string& flag);

}  // namespace zq::cli
