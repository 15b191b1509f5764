#include "worker/task_socket/socket_folder.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/ids.h"
#include "common/platform/files.h"

namespace zq::worker {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kElsewhere = "/tmp/zq-";
constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;

/// A folder of ours that an earlier start made, and nobody put in its place.
bool is_ours(const std::string& path) {
    struct stat info {};
    return path.rfind(kElsewhere, 0) == 0 && ::lstat(path.c_str(), &info) == 0 &&
           S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

void remove_old(const std::string& place) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(place, ignored).string();
    if (is_ours(target)) fs::remove_all(target, ignored);
    fs::remove_all(place, ignored);  // of a link the link alone
}

}  // namespace

Result<std::string> make_socket_folder(const std::string& state) {
    const std::string place = state + "/sockets";
    remove_old(place);
    if (socket_path(place, 0).size() <= kLongest) {
        if (auto ok = make_folders(place, 0700); !ok) return Failure(ok.error());
        return place;
    }
    std::string elsewhere = std::string(kElsewhere) + "XXXXXX";
    if (::mkdtemp(elsewhere.data()) == nullptr) {
        return fail(ErrorCode::IO, "cannot make a folder for sockets under /tmp");
    }
    if (::symlink(elsewhere.c_str(), place.c_str()) != 0) {
        return fail(ErrorCode::IO, "cannot make the link " + place);
    }
    return elsewhere;
}

std::string socket_path(const std::string& folder, std::uint64_t lease_number) {
    return folder + "/" + to_hex(lease_number);
}

}  // namespace zq::worker
