#include "cli/contents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/base/limits.h"
#include "common/base/secret_scan.h"
#include "common/platform/digest.h"

namespace zq::cli {
namespace {

struct MediaRow {
    std::string_view extension;
    std::string_view media;
};

constexpr auto kMedia = std::to_array<MediaRow>({
    {".md", "text/markdown"},
    {".txt", "text/plain"},
    {".log", "text/plain"},
    {".json", "application/json"},
    {".html", "text/html"},
    {".csv", "text/csv"},
    {".diff", "text/x-diff"},
    {".patch", "text/x-diff"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".pdf", "application/pdf"},
    {".tar", "application/x-tar"},
    {".gz", "application/gzip"},
});

std::string media_of(const std::string& name) {
    const std::string extension = std::filesystem::path(name).extension().string();
    for (const MediaRow& row : kMedia) {
        if (row.extension == extension) return std::string(row.media);
    }
    return {};
}

tl::unexpected<Problem> os_problem(const std::string& what, const std::string& path) {
    const int error = errno;
    if (error == ENOENT) return usage("no such file: " + path);
    return problem(ErrorCode::IO, what + " " + path + ": " + std::strerror(error));
}

Expected<FileHandle> open_for_reading(const std::string& path) {
    if (path == "-") return FileHandle(::dup(STDIN_FILENO));
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return os_problem("cannot open", path);
    return file;
}

/// A temporary file that has no name any more.
Expected<FileHandle> make_spool() {
    const char* folder = std::getenv("TMPDIR");
    std::string name = std::string(folder != nullptr ? folder : "/tmp") + "/zq-XXXXXX";
    FileHandle spool(::mkostemp(name.data(), O_CLOEXEC));
    if (!spool.is_open()) return os_problem("cannot make", name);
    ::unlink(name.c_str());
    return spool;
}

Expected<void> write_all(const FileHandle& spool, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(spool.fd(), bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_problem("cannot write", "a temporary file");
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

std::string path_of(const FileHandle& spool) {
    return "/proc/self/fd/" + std::to_string(spool.fd());
}

/// Copies a pipe to a temporary file.
Expected<FileHandle> copy_to_spool(int from, const std::string& path) {
    auto spool = make_spool();
    if (!spool) return spool;
    std::string buffer(limits::kChunkBytes, '\0');
    while (true) {
        const ssize_t got = ::read(from, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_problem("cannot read", path);
        if (got == 0) return spool;
        auto ok = write_all(*spool, {buffer.data(), static_cast<std::size_t>(got)});
        if (!ok) return tl::unexpected(ok.error());
    }
}

bool is_regular(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/// Digest and size of the file at `content.path`; its bytes too where they are few.
Expected<void> digest_content(Content& content) {
    struct stat info {};
    if (::stat(content.path.c_str(), &info) != 0) return os_problem("cannot read", content.path);
    if (static_cast<std::uint64_t>(info.st_size) <= limits::kInlineBytes) {
        auto bytes = read_file(content.path, limits::kInlineBytes);
        if (!bytes) return problem(bytes.error());
        content.ref.digest = sha256(*bytes);
        content.ref.size = bytes->size();
        content.data = std::move(*bytes);
        return {};
    }
    auto digest = sha256_file(content.path);
    if (!digest) return problem(digest.error());
    content.ref.digest = digest->digest;
    content.ref.size = digest->size;
    return {};
}

}  // namespace

Expected<Content> read_content(const std::string& path, const std::string& name) {
    if (!is_valid_artifact_name(name)) {
        return usage(
            "'" + name + "' is no artifact name: letters, digits, '.', '_', '-', joined by /",
            "write NAME=FILE to give it one");
    }
    auto file = open_for_reading(path);
    if (!file) return tl::unexpected(file.error());
    Content content;
    content.ref.name = name;
    content.ref.media = media_of(name);
    if (path != "-" && is_regular(file->fd())) {
        content.path = path;
        content.ref.uri = file_uri(path);
        if (content.ref.uri.size() > limits::kUriBytes) content.ref.uri.clear();
    } else {
        auto spool = copy_to_spool(file->fd(), path);
        if (!spool) return tl::unexpected(spool.error());
        content.spool = std::move(*spool);
        content.path = path_of(content.spool);
    }
    if (auto ok = digest_content(content); !ok) return tl::unexpected(ok.error());
    return content;
}

Expected<Content> content_of_text(std::string text, const std::string& name) {
    Content content;
    content.ref.name = name;
    content.ref.media = media_of(name);
    content.ref.digest = sha256(text);
    content.ref.size = text.size();
    const bool small = text.size() <= limits::kInlineBytes;
    content.data = std::move(text);
    if (small) return content;
    if (auto ok = spill(content); !ok) return tl::unexpected(ok.error());
    content.data.reset();
    return content;
}

Expected<void> spill(Content& content) {
    if (!content.path.empty() || !content.data) return {};
    auto spool = make_spool();
    if (!spool) return tl::unexpected(spool.error());
    if (auto ok = write_all(*spool, *content.data); !ok) return ok;
    content.spool = std::move(*spool);
    content.path = path_of(content.spool);
    return {};
}

std::string named_like(const std::string& base, const std::string& path) {
    const std::string named = base + std::filesystem::path(path).extension().string();
    return path != "-" && is_valid_artifact_name(named) ? named : base;
}

Expected<Content> read_named_content(const std::string& operand) {
    const auto equals = operand.find('=');
    if (equals != std::string::npos && is_valid_artifact_name(operand.substr(0, equals))) {
        return read_content(operand.substr(equals + 1), operand.substr(0, equals));
    }
    return read_content(operand, std::filesystem::path(operand).filename().string());
}

Expected<std::string> path_of_uri(const std::string& uri) {
    if (uri.rfind("file:///", 0) != 0) {
        return usage("a reference is file:///ABSOLUTE/PATH, not '" + uri + "'");
    }
    return uri.substr(7);
}

void bound_inline(std::vector<Content>& contents) {
    std::vector<Content*> inlined;
    for (Content& content : contents) {
        if (content.data) inlined.push_back(&content);
    }
    std::sort(inlined.begin(), inlined.end(),
              [](const Content* a, const Content* b) { return a->data->size() < b->data->size(); });
    std::size_t total = 0;
    for (Content* content : inlined) {
        total += content->data->size();
        if (total > limits::kInlineTotalBytes) content->data.reset();
    }
}

Expected<void> copy_content(const Content& content, const std::string& path) {
    namespace fs = std::filesystem;
    if (auto ok = make_folders(fs::path(path).parent_path().string(), 0700); !ok) {
        return problem(ok.error());
    }
    if (content.data) {
        auto ok = write_file(path, *content.data, 0600, Durability::kSynced);
        if (!ok) return problem(ok.error());
        return {};
    }
    const std::string part = path + ".part-" + std::to_string(::getpid());
    std::error_code error;
    fs::copy_file(content.path, part, fs::copy_options::overwrite_existing, error);
    if (!error) fs::rename(part, path, error);
    if (!error) return {};
    fs::remove(part, error);
    return problem(ErrorCode::IO, "cannot copy " + content.path + " to " + path);
}

Expected<void> check_no_secret_in(const Content& content, const std::string& field) {
    std::string text = content.data.value_or(std::string());
    if (!content.data && content.ref.size <= limits::kScannedBytes) {
        auto read = read_file(content.path, limits::kScannedBytes);
        if (!read) return problem(read.error());
        text = std::move(*read);
    }
    if (is_binary(text)) return {};
    auto ok = check_no_secret(text, field);
    if (ok) return {};
    Error error = ok.error();
    error.message = content.ref.name + ": " + error.message;
    return problem(error);
}

Expected<void> put_contents(Session& session, const std::vector<Content>& contents,
                            const TaskId& task, const LeaseToken& lease) {
    for (const Content& content : contents) {
        if (content.data) continue;
        if (!session.spool().empty()) {
            const std::string path = session.spool() + "/" + to_hex(content.ref.digest);
            if (auto ok = copy_content(content, path); !ok) return ok;
            continue;
        }
        auto transfer = session.transfer();
        if (!transfer) return tl::unexpected(transfer.error());
        wire::Put put{content.ref.digest, content.ref.size, {}, {}};
        if (lease.is_set()) {
            put.task = task;
            put.lease = lease;
        }
        if (auto ok = (*transfer)->put_file(put, content.path); !ok) return problem(ok.error());
    }
    return {};
}

bool send_missing(std::vector<Content>& contents, const std::vector<Digest>& missing) {
    bool ours = false;
    for (Content& content : contents) {
        if (std::find(missing.begin(), missing.end(), content.ref.digest) == missing.end())
            continue;
        content.data.reset();
        ours = true;
    }
    return ours;
}

}  // namespace zq::cli
