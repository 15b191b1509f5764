#include "worker/task_secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "common/platform/files.h"

namespace zq::worker {
namespace {

constexpr std::string_view kScheme = "secret://";
constexpr std::size_t kLeast = 4;  // shorter ones would be found in ordinary words
constexpr std::size_t kMost = 64UL * 1024;
constexpr std::size_t kNamed = 32;  // by one task
constexpr std::size_t kLeastLine = 16;
constexpr mode_t kOthers = 0077;

bool is_of_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

void add_names(const std::string& text, std::vector<std::string>& names) {
    for (std::size_t at = text.find(kScheme); at != std::string::npos;
         at = text.find(kScheme, at + 1)) {
        const std::size_t begin = at + kScheme.size();
        std::size_t end = begin;
        while (end < text.size() && is_of_name(text[end])) ++end;
        // The end of a sentence is none of the name's.
        while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
        std::string name = text.substr(begin, end - begin);
        const bool known = std::find(names.begin(), names.end(), name) != names.end();
        if (!name.empty() && !known) names.push_back(std::move(name));
    }
}

Failure refuse(ErrorCode code, const std::string& name, const std::string& why) {
    return fail(code, std::string(kScheme) + name + ": " + why, "secrets");
}

Result<std::string> read_secret(const std::string& folder, const std::string& name) {
    if (!is_valid_name(name)) return refuse(ErrorCode::INVALID, name, "not a valid name");
    if (folder.empty()) {
        return refuse(ErrorCode::NOT_FOUND, name,
                      "this worker has no secrets (zq-worker --secrets)");
    }
    const std::string path = folder + "/" + name;
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (!file.is_open() && errno == ENOENT) {
        return refuse(ErrorCode::NOT_FOUND, name, "this worker has no secret of this name");
    }
    if (!file.is_open() || ::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return refuse(ErrorCode::INVALID, name,
                      "this worker's file of it cannot be read, or is a link");
    }
    if ((info.st_mode & kOthers) != 0 || info.st_uid != ::geteuid()) {
        return refuse(ErrorCode::INVALID, name,
                      "this worker's file of it is open to other users: it must be the worker's"
                      " own, with mode 0600");
    }
    std::string content(kMost + 1, '\0');
    const ssize_t got = ::read(file.fd(), content.data(), content.size());
    content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    if (content.size() > kMost || content.size() < kLeast) {
        return refuse(ErrorCode::INVALID, name, "a secret has 4 bytes to 64 KiB");
    }
    return content;
}

}  // namespace

std::vector<std::string> named_secrets(const TaskSpec& task) {
    std::vector<std::string> names;
    add_names(task.instructions, names);
    add_names(task.payload, names);
    return names;
}

Result<void> check_secrets_folder(const std::string& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        return fail(ErrorCode::NOT_FOUND, "no such folder: " + folder, "--secrets");
    }
    if ((info.st_mode & kOthers) == 0 && info.st_uid == ::geteuid()) return {};
    return fail(ErrorCode::INVALID,
                folder + " is open to other users: it must be your own, with mode 0700",
                "--secrets");
}

Result<std::vector<SecretValue>> read_secrets(const std::string& folder,
                                              const std::vector<std::string>& names) {
    if (names.size() > kNamed) {
        return fail(ErrorCode::INVALID, "a task names at most 32 secrets", "secrets");
    }
    std::vector<SecretValue> secrets;
    for (const std::string& name : names) {
        auto content = read_secret(folder, name);
        if (!content) return Failure(content.error());
        secrets.push_back({name, std::move(*content)});
    }
    return secrets;
}

Result<void> lay_secrets(const Workspace& workspace, const std::vector<SecretValue>& secrets) {
    if (auto ok = make_folders(workspace.secrets_folder(), 0700); !ok) return ok;
    for (const SecretValue& secret : secrets) {
        auto ok =
            write_file(workspace.secret_file(secret.name), secret.value, 0600, Durability::kNone);
        if (!ok) return ok;
    }
    return {};
}

std::vector<SecretValue> laid_secrets(const Workspace& workspace) {
    std::vector<SecretValue> secrets;
    auto names = list_folder(workspace.secrets_folder());
    if (!names) return secrets;
    for (const std::string& name : *names) {
        auto content = read_secret(workspace.secrets_folder(), name);
        if (content) secrets.push_back({name, std::move(*content)});
    }
    return secrets;
}

std::vector<SecretValue> hidden_values(const std::vector<SecretValue>& secrets) {
    std::vector<SecretValue> values;
    for (const SecretValue& secret : secrets) {
        std::string value = secret.value;
        while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
        std::istringstream lines(value.find('\n') == std::string::npos ? std::string() : value);
        for (std::string line; std::getline(lines, line);) {
            if (line.ends_with('\r')) line.pop_back();
            if (line.size() >= kLeastLine) values.push_back({secret.name, line});
        }
        if (!value.empty()) values.push_back({secret.name, std::move(value)});
    }
    return values;
}

}  // namespace zq::worker
