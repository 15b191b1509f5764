#include "common/client/profile.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "common/platform/config.h"
#include "common/platform/files.h"
#include "common/platform/keys.h"

namespace zq {
namespace {

constexpr std::string_view kDefaultEndpoint = "tcp://127.0.0.1:5570";
const std::string kEndpoints = "endpoints";
const std::string kServerKey = "server_public_key";
const std::string kKeyFile = "key_file";
constexpr std::uint64_t kProfileBytes = 64 * 1024;

std::string env(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string(value);
}

Result<void> check_endpoint(const std::string& endpoint, const std::string& where) {
    const bool tcp = endpoint.rfind("tcp://", 0) == 0 && endpoint.rfind(':') > 5;
    const bool ipc = endpoint.rfind("ipc://", 0) == 0 && endpoint.size() > 6;
    if (tcp || ipc) return {};
    return fail(ErrorCode::INVALID,
                where + ": '" + endpoint + "' is no address; write tcp://HOST:5570 or ipc://PATH",
                "connect");
}

/// `a,b` as a list of checked endpoints.
Result<std::vector<std::string>> parse_endpoints(const std::string& text,
                                                 const std::string& where) {
    std::vector<std::string> endpoints;
    std::size_t start = 0;
    while (start <= text.size()) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        endpoints.push_back(text.substr(start, comma - start));
        if (auto ok = check_endpoint(endpoints.back(), where); !ok) return Failure(ok.error());
        start = comma + 1;
    }
    return endpoints;
}

Result<Profile> parse_profile(const std::string& text, const std::string& path) {
    auto file = ConfigFile::parse(text, path);
    if (!file) return Failure(file.error());
    if (auto ok = file->allow_only({kEndpoints, kServerKey, kKeyFile}); !ok) {
        return Failure(ok.error());
    }
    auto endpoints = file->texts(kEndpoints);
    auto server_public = file->text(kServerKey);
    auto key_file = file->text(kKeyFile);
    if (!endpoints) return Failure(endpoints.error());
    if (!server_public) return Failure(server_public.error());
    if (!key_file) return Failure(key_file.error());
    Profile profile{endpoints->value_or(std::vector<std::string>{}), server_public->value_or(""),
                    key_file->value_or("")};
    if (profile.endpoints.empty()) {
        return fail(ErrorCode::INVALID, path + ": endpoints is missing or empty", "config");
    }
    for (const std::string& endpoint : profile.endpoints) {
        if (auto ok = check_endpoint(endpoint, path); !ok) return Failure(ok.error());
    }
    if (profile.server_public.empty() != profile.key_file.empty()) {
        return fail(ErrorCode::INVALID, path + ": server_public_key and key_file go together",
                    "config");
    }
    return profile;
}

/// True if every endpoint of `some` is one of `all`.
bool covers(const std::vector<std::string>& all, const std::vector<std::string>& some) {
    return std::all_of(some.begin(), some.end(), [&](const std::string& endpoint) {
        return std::find(all.begin(), all.end(), endpoint) != all.end();
    });
}

}  // namespace

std::string profile_path() {
    if (auto path = env("ZQ_CONFIG"); !path.empty()) return path;
    if (auto path = env("XDG_CONFIG_HOME"); !path.empty()) return path + "/zq/config.toml";
    return env("HOME") + "/.config/zq/config.toml";
}

Result<std::optional<Profile>> read_user_profile() {
    const std::string path = profile_path();
    auto text = read_file(path, kProfileBytes);
    if (!text && text.error().code == ErrorCode::NOT_FOUND) return std::optional<Profile>{};
    if (!text) return Failure(text.error());
    auto profile = parse_profile(*text, path);
    if (!profile) return Failure(profile.error());
    return std::optional(std::move(*profile));
}

Result<Profile> load_profile(const std::string& connect_flag) {
    const bool by_flag = !connect_flag.empty();
    const std::string named = by_flag ? connect_flag : env("ZQ_CONNECT");
    auto user = read_user_profile();
    if (!user) return Failure(user.error());
    if (named.empty()) {
        if (*user) return std::move(**user);
        if (const std::string asked = env("ZQ_CONFIG"); !asked.empty()) {
            return fail(ErrorCode::NOT_FOUND, "ZQ_CONFIG names no file: " + asked, "config");
        }
        return Profile{{std::string(kDefaultEndpoint)}, {}, {}};
    }
    auto endpoints = parse_endpoints(named, by_flag ? "--connect" : "ZQ_CONNECT");
    if (!endpoints) return Failure(endpoints.error());
    Profile profile{std::move(*endpoints), {}, {}};
    if (*user && covers((*user)->endpoints, profile.endpoints)) {
        profile.server_public = (*user)->server_public;
        profile.key_file = (*user)->key_file;
    }
    return profile;
}

Result<void> save_profile(const Profile& profile) {
    const std::string path = profile_path();
    std::string text =
        "# How zq and zq-worker reach the coordinator. Written by `zq join` or `zq init`.\n";
    text += kEndpoints + " = [";
    for (std::size_t i = 0; i < profile.endpoints.size(); ++i) {
        text += (i == 0 ? "" : ", ") + to_toml(profile.endpoints[i]);
    }
    text += "]\n";
    if (!profile.server_public.empty()) {
        text += kServerKey + " = " + to_toml(profile.server_public) + "\n";
        text += kKeyFile + " = " + to_toml(profile.key_file) + "\n";
    }
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!folder.empty()) {
        if (auto ok = make_folders(folder, 0700); !ok) return ok;
    }
    return write_file(path, text, 0600, Durability::kSynced);
}

Result<std::optional<CurveKeys>> curve_of(const Profile& profile) {
    if (profile.server_public.empty()) return std::optional<CurveKeys>{};
    auto keys = read_key_file(profile.key_file);
    if (!keys) return Failure(keys.error());
    return std::optional(CurveKeys{keys->public_key, keys->secret_key, profile.server_public});
}

}  // namespace zq
