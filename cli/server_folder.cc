#include "cli/server_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "common/platform/config.h"
#include "common/platform/files.h"
#include "common/platform/key_registry.h"

namespace zq::cli {
namespace {

constexpr const char* kAdminName = "admin";

std::string absolute(const std::string& path) {
    std::error_code error;
    auto full = std::filesystem::absolute(path, error).lexically_normal();
    std::string text = error ? path : full.string();
    if (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

bool exists(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

std::string settings_path(const std::string& data) {
    return data + "/coordinator.toml";
}
std::string admin_key_path(const std::string& data) {
    return data + "/admin.key";
}
std::string admin_profile_path(const std::string& data) {
    return data + "/admin.toml";
}

std::string host_of(const std::string& endpoint) {
    const auto colon = endpoint.rfind(':');
    return colon > 6 ? endpoint.substr(6, colon - 6) : std::string{};
}

std::string port_of(const std::string& endpoint) {
    return endpoint.substr(endpoint.rfind(':') + 1);
}

std::string toml_list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + to_toml(text);
    return out + "]";
}

/// The settings' lines, with those of an older file that are not ours to change.
std::string settings_text(const ServerSettings& settings, const std::string& kept) {
    std::string text =
        "# Settings of this coordinator, written by `zq init`. `zq-coordinator --help` lists "
        "all.\n";
    text += "bind = " + toml_list(settings.binds) + "\n";
    text += "artifacts_bind = " + toml_list(settings.artifacts_binds) + "\n";
    text += "advertise = " + to_toml(settings.advertise) + "\n";
    return text + kept;
}

/// The lines of an older file whose keys `zq init` does not write.
Expected<std::string> kept_lines(const std::string& data) {
    std::string kept;
    const std::string path = settings_path(data);
    if (!exists(path)) return kept;
    auto file = ConfigFile::read(path);
    if (!file) return problem(file.error());
    for (const char* key : {"lease", "heartbeat", "log_level"}) {
        auto value = file->text(key);
        if (!value) return problem(value.error());
        if (*value) kept += std::string(key) + " = " + to_toml(**value) + "\n";
    }
    auto open_tasks = file->integer("max_open_tasks");
    if (!open_tasks) return problem(open_tasks.error());
    if (*open_tasks) kept += "max_open_tasks = " + std::to_string(**open_tasks) + "\n";
    auto insecure = file->boolean("insecure");
    if (!insecure) return problem(insecure.error());
    if (*insecure) kept += std::string("insecure = ") + (**insecure ? "true" : "false") + "\n";
    return kept;
}

Expected<ServerSettings> changed_settings(const std::string& data, const SettingsChange& change) {
    ServerSettings settings;
    settings.data = absolute(data);
    if (exists(settings_path(data))) {
        auto there = read_settings(data);
        if (!there) return there;
        settings = std::move(*there);
    }
    if (!change.binds.empty()) settings.binds = change.binds;
    if (!change.artifacts_binds.empty()) settings.artifacts_binds = change.artifacts_binds;
    if (!change.advertise.empty()) settings.advertise = change.advertise;
    return settings;
}

Expected<KeyPair> ensure_admin(const std::string& data, KeyRegistry& registry,
                               std::vector<std::string>& steps) {
    const std::string path = admin_key_path(data);
    if (!exists(path)) {
        if (auto ok = write_key_file(path, make_key_pair()); !ok) return problem(ok.error());
        steps.push_back("made the admin's key " + path);
    }
    auto keys = read_key_file(path);
    if (!keys) return problem(keys.error());
    auto known = registry.find(keys->public_key);
    if (!known) return problem(known.error());
    if (!*known) {
        KnownKey admin;
        admin.public_key = keys->public_key;
        admin.name = kAdminName;
        admin.kind = KeyKind::kAdmin;
        admin.rights = Permissions::all();
        auto ok = registry.add(admin);
        if (!ok) return problem(ok.error());
    }
    return *keys;
}

Expected<void> write_settings(const ServerSettings& settings, const SettingsChange& change,
                              std::vector<std::string>& steps) {
    const std::string path = settings_path(settings.data);
    if (exists(path) && change.is_empty()) return {};
    auto kept = kept_lines(settings.data);
    if (!kept) return tl::unexpected(kept.error());
    const std::string text = settings_text(settings, *kept);
    if (auto old = read_file(path); old && *old == text) return {};
    if (auto ok = write_file(path, text, 0644, Durability::kSynced); !ok)
        return problem(ok.error());
    steps.push_back("wrote the settings " + path);
    return {};
}

/// DATA/admin.toml, for ZQ_CONFIG.
Expected<void> write_admin_profile(const ServerFolder& folder) {
    std::string text = "endpoints = " + toml_list(folder.profile.endpoints) + "\n";
    if (!folder.profile.server_public.empty()) {
        text += "server_public_key = " + to_toml(folder.profile.server_public) + "\n";
        text += "key_file = " + to_toml(folder.profile.key_file) + "\n";
    }
    auto ok = write_file(folder.admin_profile, text, 0600, Durability::kSynced);
    if (!ok) return problem(ok.error());
    return {};
}

}  // namespace

bool is_local(const std::string& endpoint) {
    if (endpoint.rfind("ipc://", 0) == 0) return true;
    const std::string host = host_of(endpoint);
    return host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0;
}

bool is_wildcard(const std::string& endpoint) {
    const std::string host = host_of(endpoint);
    return host == "0.0.0.0" || host == "*" || host == "[::]";
}

Expected<void> check_bind(const std::string& endpoint, const std::string& flag) {
    if (endpoint.rfind("ipc://", 0) == 0 && endpoint.size() > 6) return {};
    const std::string port = port_of(endpoint);
    const bool numeric =
        !port.empty() && port.size() <= 5 &&
        std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (endpoint.rfind("tcp://", 0) == 0 && !host_of(endpoint).empty() && numeric) return {};
    return usage(flag + " takes tcp://ADDRESS:PORT or ipc://PATH, not '" + endpoint + "'");
}

Expected<ServerSettings> read_settings(const std::string& data) {
    auto file = ConfigFile::read(settings_path(data));
    if (!file) return problem(file.error(), "run `zq init --data " + data + "` first");
    ServerSettings settings;
    settings.data = absolute(data);
    auto binds = file->texts("bind");
    auto artifacts_binds = file->texts("artifacts_bind");
    auto advertise = file->text("advertise");
    if (!binds) return problem(binds.error());
    if (!artifacts_binds) return problem(artifacts_binds.error());
    if (!advertise) return problem(advertise.error());
    settings.binds = binds->value_or(settings.binds);
    settings.artifacts_binds = artifacts_binds->value_or(settings.artifacts_binds);
    settings.advertise = advertise->value_or("");
    return settings;
}

Profile own_profile(const ServerSettings& settings, const std::string& server_public) {
    const auto local = std::find_if(settings.binds.begin(), settings.binds.end(), is_local);
    if (local != settings.binds.end()) return {{*local}, {}, {}};
    Profile profile{{}, server_public, admin_key_path(settings.data)};
    for (const std::string& bind : settings.binds) {
        profile.endpoints.push_back(is_wildcard(bind) ? "tcp://127.0.0.1:" + port_of(bind) : bind);
    }
    return profile;
}

Expected<ServerFolder> ensure_server_folder(const std::string& data, const SettingsChange& change) {
    auto settings = changed_settings(data, change);
    if (!settings) return tl::unexpected(settings.error());
    ServerFolder folder{std::move(*settings), {}, {}, {}};
    const std::string& path = folder.settings.data;
    if (!exists(path)) folder.steps.push_back("made the data folder " + path);
    if (auto ok = make_folders(path, 0700); !ok) return problem(ok.error());
    KeyRegistry registry(path + "/keys");
    if (!exists(path + "/keys/server.key")) folder.steps.push_back("made the server's key");
    auto server = registry.ensure_server_keys();
    if (!server) return problem(server.error());
    if (auto ok = ensure_admin(path, registry, folder.steps); !ok)
        return tl::unexpected(ok.error());
    auto written = write_settings(folder.settings, change, folder.steps);
    if (!written) return tl::unexpected(written.error());
    folder.profile = own_profile(folder.settings, server->public_key);
    folder.admin_profile = admin_profile_path(path);
    if (auto ok = write_admin_profile(folder); !ok) return tl::unexpected(ok.error());
    return folder;
}

Expected<ServerFolder> plan_server_folder(const std::string& data, const SettingsChange& change) {
    auto settings = changed_settings(data, change);
    if (!settings) return tl::unexpected(settings.error());
    ServerFolder folder{std::move(*settings), {}, {}, {}};
    const std::string& path = folder.settings.data;
    if (!exists(path)) folder.steps.push_back("make the data folder " + path);
    if (!exists(path + "/keys/server.key")) folder.steps.push_back("make the server's key");
    if (!exists(admin_key_path(path))) folder.steps.push_back("make the admin's key");
    if (!exists(settings_path(path)) || !change.is_empty()) {
        folder.steps.push_back("write the settings " + settings_path(path));
    }
    return folder;
}

}  // namespace zq::cli
