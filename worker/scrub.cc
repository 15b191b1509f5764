#include "worker/scrub.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/platform/files.h"
#include "common/platform/log.h"
#include "common/wire/text_fields.h"

namespace zq::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1U << 20;

std::size_t longest(const std::vector<SecretValue>& values) {
    std::size_t most = 1;
    for (const SecretValue& secret : values) most = std::max(most, secret.value.size());
    return most;
}

struct Found {
    const SecretValue* secret = nullptr;  // null: none
    std::size_t begin = 0;
    std::size_t end() const { return begin + secret->value.size(); }
};

/// The first value at or after `from`; of two at one place the longer one.
Found first_value(const std::vector<SecretValue>& values, std::string_view text, std::size_t from) {
    Found first;
    for (const SecretValue& secret : values) {
        if (secret.value.empty()) continue;
        const std::size_t at = text.find(secret.value, from);
        if (at == std::string_view::npos) continue;
        const bool nearer = first.secret == nullptr || at < first.begin;
        const bool longer =
            !nearer && at == first.begin && secret.value.size() > first.secret->value.size();
        if (nearer || longer) first = {&secret, at};
    }
    return first;
}

std::string without(const std::vector<SecretValue>& values, std::string_view text) {
    std::string out;
    std::size_t at = 0;
    for (Found found = first_value(values, text, 0); found.secret != nullptr;
         found = first_value(values, text, at)) {
        out.append(text.substr(at, found.begin - at));
        out.append("[redacted:").append(found.secret->name) += ']';
        at = found.end();
    }
    return out.append(text.substr(at));
}

FileHandle open_regular(const std::string& path) {
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (file.is_open() && (::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode))) return {};
    return file;
}

std::size_t read_piece(const FileHandle& file, std::string& to) {
    const std::size_t before = to.size();
    to.resize(before + kPiece);
    const ssize_t got = ::read(file.fd(), to.data() + before, kPiece);
    to.resize(before + (got < 0 ? 0 : static_cast<std::size_t>(got)));
    return to.size() - before;
}

bool write_all(const FileHandle& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(file.fd(), bytes.data(), bytes.size());
        if (put < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
}

/// Writes it anew beside itself, piece by piece: a value across the border of two is kept together.
bool mend(const std::vector<SecretValue>& values, const std::string& path) {
    const FileHandle from = open_regular(path);
    struct stat info {};
    if (!from.is_open() || ::fstat(from.fd(), &info) != 0) return false;
    const std::string beside = path + ".scrubbed";
    const FileHandle to(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!to.is_open()) return false;
    const std::size_t keep = longest(values) - 1;
    std::string held;
    bool good = true;
    while (good && read_piece(from, held) > 0) {
        // What may be the beginning of a value stays for the next piece.
        std::size_t shown = held.size() - std::min(held.size(), keep);
        std::size_t at = 0;
        for (Found found = first_value(values, held, 0);
             found.secret != nullptr && found.begin < shown;
             found = first_value(values, held, at)) {
            at = found.end();
        }
        shown = std::max(shown, at);
        good = write_all(to, without(values, std::string_view(held).substr(0, shown)));
        held.erase(0, shown);
    }
    good = good && write_all(to, without(values, held));
    good = good && ::fchmod(to.fd(), info.st_mode & 07777) == 0;
    if (good && ::rename(beside.c_str(), path.c_str()) == 0) return true;
    ::unlink(beside.c_str());
    return false;
}

void scrub_file(const std::vector<SecretValue>& values, const std::string& path) {
    // Its command may have closed it to itself.
    if (!open_regular(path).is_open()) ::chmod(path.c_str(), 0600);
    if (!open_regular(path).is_open()) {
        ::unlink(path.c_str());
        return;
    }
    const std::string name = value_in_file(values, path);
    if (name.empty()) return;
    const bool mended = mend(values, path);
    log_warn("an attempt left the value of a secret in a file",
             {{"secret", name},
              {"file", without(values, path)},
              {"done", mended ? "redacted" : "removed"}});
    if (!mended) ::unlink(path.c_str());
}

}  // namespace

std::string value_in(const std::vector<SecretValue>& values, std::string_view bytes) {
    const Found found = first_value(values, bytes, 0);
    return found.secret == nullptr ? std::string() : found.secret->name;
}

std::string value_in_file(const std::vector<SecretValue>& values, const std::string& path) {
    const FileHandle file = open_regular(path);
    if (!file.is_open()) return {};
    const std::size_t keep = longest(values) - 1;
    std::string held;
    while (read_piece(file, held) > 0) {
        if (std::string name = value_in(values, held); !name.empty()) return name;
        held.erase(0, held.size() - std::min(held.size(), keep));
    }
    return {};
}

void hide(const std::vector<SecretValue>& values, wire::Body& body) {
    if (values.empty()) return;
    std::visit(
        [&](auto& message) {
            wire::for_each_text(message, {}, [&](std::string& text, const wire::TextPlace&) {
                if (!value_in(values, text).empty()) text = without(values, text);
            });
        },
        body);
}

void scrub_folder(const std::vector<SecretValue>& values, const std::string& folder) {
    if (values.empty()) return;
    std::vector<std::string> files;
    std::vector<std::string> folders = {folder};
    while (!folders.empty()) {
        const std::string one = std::move(folders.back());
        folders.pop_back();
        ::chmod(one.c_str(), 0700);
        std::error_code error;
        fs::directory_iterator it(one, error);
        for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
            std::error_code ignored;
            const fs::file_status status = it->symlink_status(ignored);
            if (fs::is_directory(status)) folders.push_back(it->path().string());
            if (fs::is_regular_file(status)) files.push_back(it->path().string());
        }
    }
    for (const std::string& file : files) scrub_file(values, file);
}

void scrub_workspace(const std::vector<SecretValue>& values, const Workspace& workspace) {
    if (values.empty()) return;
    std::error_code error;
    fs::remove_all(workspace.secrets_folder(), error);
    scrub_folder(values, workspace.folder);
}

}  // namespace zq::worker
