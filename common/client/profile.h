// How this machine reaches its coordinator: address, the coordinator's public key, the file with
// our own. Written by `zq join` (and `zq init`, for its own machine); read by `zq` and `zq-worker`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/platform/socket.h"

namespace zq {

struct Profile {
    std::vector<std::string>
        endpoints;              // control sockets, such as tcp://10.0.0.1:5570; tried in order
    std::string server_public;  // Z85; empty: no encryption (loopback, ipc, insecure)
    std::string key_file;       // absolute; empty without server_public
};

/// The user's own file: `$ZQ_CONFIG`, else `$XDG_CONFIG_HOME/zq/config.toml`, else
/// `~/.config/zq/config.toml`.
std::string profile_path();

/// What flags (each may be empty) over `ZQ_CONNECT` over the user's file say; with none of them
/// tcp://127.0.0.1:5570 without keys. A key from the file is used only for the address the file
/// names. Errors: INVALID (bad file, unknown key, with file and line), NOT_FOUND (a named file is
/// missing).
Result<Profile> load_profile(const std::string& connect_flag);

/// What the user's file says; nullopt where there is none. Errors: INVALID, IO.
Result<std::optional<Profile>> read_user_profile();

/// Writes the user's file (0600), keeping nothing of an older one. Errors: IO.
Result<void> save_profile(const Profile& profile);

/// Reads the key file and gives what a socket needs; nullopt where the profile has no keys. Errors:
/// as read_key_file.
Result<std::optional<CurveKeys>> curve_of(const Profile& profile);

}  // namespace zq
