// What `zq doctor` looks at on this machine: the profile and its keys, and the disk under a data
// folder.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/doctor.h"
#include "cli/exit_code.h"
#include "common/client/profile.h"
#include "common/platform/files.h"
#include "common/platform/key_registry.h"

namespace zq::cli {
namespace {

constexpr int kSyncs = 50;
constexpr std::size_t kSyncBytes = 4096;
constexpr std::chrono::milliseconds kSyncPatience{2000};

Finding bad_keys(std::string found, std::string fix) {
    return {"keys", Health::kFail, std::move(found), std::move(fix)};
}

Finding open_folder(const std::string& folder, unsigned mode) {
    char octal[8];
    std::snprintf(octal, sizeof octal, "%04o", mode & 07777U);
    return {"keys", Health::kWarn, folder + " has mode " + octal + ": others may look into it",
            "chmod 700 " + folder};
}

/// Whether a file or folder is this user's alone, where it is there.
void check_mode(const std::string& path, Findings& findings) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
        findings.push_back(open_folder(path, info.st_mode));
    }
}

/// What DATA/keys says of the profile's keys.
void compare_with_folder(const Profile& profile, const std::string& own_public,
                         const std::string& data, Findings& findings) {
    const KeyRegistry registry(data + "/keys");
    check_mode(data, findings);
    check_mode(data + "/keys", findings);
    auto server = registry.server_keys();
    if (!server) {
        if (server.error().code == ErrorCode::NOT_FOUND && profile.server_public.empty()) return;
        return findings.push_back(
            bad_keys(server.error().message, "zq init --data " + data + " makes missing keys"));
    }
    if (profile.server_public.empty()) return;
    if (server->public_key != profile.server_public) {
        return findings.push_back(
            bad_keys("the profile pins another coordinator's key than that of " + data,
                     "join again: `zq invite` there, `zq join` here (or --data names another "
                     "coordinator)"));
    }
    auto known = registry.find(own_public);
    if (!known) {
        return findings.push_back(bad_keys(known.error().message, "mend or remove that file"));
    }
    if (!*known) {
        findings.push_back(bad_keys("this machine's key is not known in " + data + "/keys/known",
                                    "join again: `zq invite` there, `zq join` here"));
    }
}

}  // namespace

Findings check_keys(const std::string& connect, const std::string& data) {
    auto profile = load_profile(connect);
    if (!profile) {
        return {bad_keys(profile.error().message,
                         hint_of(Problem(profile.error(), "see `zq help join`")))};
    }
    Findings findings;
    const bool has_keys = !profile->server_public.empty();
    std::string own_public;
    if (has_keys) {
        auto keys = read_key_file(profile->key_file);
        if (!keys) {
            return {bad_keys(keys.error().message,
                             keys.error().code == ErrorCode::DENIED
                                 ? "chmod 600 " + profile->key_file
                                 : "join again: `zq invite` there, `zq join` here")};
        }
        own_public = keys->public_key;
    }
    if (!data.empty()) compare_with_folder(*profile, own_public, data, findings);
    if (!findings.empty()) return findings;
    if (!has_keys) {
        return {
            {"keys", Health::kOk, "none: " + profile->endpoints.front() + " is asked without", {}}};
    }
    auto fingerprint = key_fingerprint(own_public);
    return {{"keys",
             Health::kOk,
             "key " + (fingerprint ? *fingerprint : std::string()) + " in " + profile->key_file +
                 ", the coordinator's is pinned",
             {}}};
}

Findings check_data_folder(const std::string& data) {
    Findings findings;
    for (const std::string& folder : {data, data + "/artifacts"}) {
        struct statvfs disk {};
        if (::statvfs(folder.c_str(), &disk) != 0) {
            if (errno == ENOENT && folder != data) continue;  // no artifact yet
            findings.push_back({"disk", Health::kFail, folder + ": " + std::strerror(errno),
                                "--data names the coordinator's data folder"});
            return findings;
        }
        Finding finding =
            judge_disk(folder, {disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize});
        // The same disk is told of once.
        if (folder == data || finding.health != findings.front().health) {
            findings.push_back(std::move(finding));
        }
    }
    std::string form = data + "/.zq-doctor-XXXXXX";
    const FileHandle file(::mkostemp(form.data(), O_CLOEXEC));
    if (!file.is_open()) {
        findings.push_back({"fsync", Health::kFail, data + ": " + std::strerror(errno),
                            "run it as the coordinator's user, on its machine"});
        return findings;
    }
    ::unlink(form.c_str());
    const std::string block(kSyncBytes, 'z');
    std::vector<std::int64_t> micros;
    const auto until = std::chrono::steady_clock::now() + kSyncPatience;
    for (int i = 0; i < kSyncs; ++i) {
        const auto start = std::chrono::steady_clock::now();
        if (start > until) break;
        const bool done =
            ::write(file.fd(), block.data(), block.size()) == static_cast<ssize_t>(block.size()) &&
            ::fdatasync(file.fd()) == 0;
        if (!done) {
            findings.push_back({"fsync", Health::kFail, data + ": " + std::strerror(errno),
                                "the disk fails or is full: free space, or replace it"});
            return findings;
        }
        micros.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
                             std::chrono::steady_clock::now() - start)
                             .count());
    }
    findings.push_back(judge_syncs(std::move(micros)));
    return findings;
}

}  // namespace zq::cli
