// What `init`, `invite` and `dev` share: flags about the data folder, and making it.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/server_folder.h"

namespace zq::cli {

/// --data, ZQ_DATA, ./zq-data.
std::string data_folder_of(const Arguments& args);
/// --bind, --artifacts-bind, --advertise. Errors: usage.
Expected<SettingsChange> read_settings_change(const Arguments& args);
/// Makes the folder, and the user's profile where there is none or where it is an older one of this
/// folder.
Expected<ServerFolder> init_data_folder(const std::string& data, const SettingsChange& change);
/// The command that starts the coordinator.
std::string start_line(const ServerSettings& settings);

}  // namespace zq::cli
