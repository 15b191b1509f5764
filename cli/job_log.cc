#include "cli/job_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/task_lines.h"
#include "common/platform/clock.h"
#include "common/platform/digest.h"
#include "common/platform/json.h"

namespace zq::cli {
namespace {

constexpr std::string_view kSchema = "zq/job-log/v1";
constexpr std::string_view kHead = R"({"job_log":"zq/job-log/v1")";
constexpr std::uint64_t kLinesMost = 100'000'000;
constexpr std::size_t kRunBytes = 16;
constexpr unsigned kMode = 0600;

tl::unexpected<Problem> io_problem(const std::string& what, const std::string& path) {
    return problem(ErrorCode::IO, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

tl::unexpected<Problem> no_job_log(const std::string& path, std::uint64_t line) {
    return usage(path + " is not a job log of zq batch: line " + std::to_string(line),
                 "name a file that is not there yet, to begin one");
}

Json error_json(const Error& error) {
    Json json = Json::object();
    json.set("code", Json::text(to_string(error.code)));
    json.set("message", Json::text(error.message));
    if (!error.field.empty()) json.set("field", Json::text(error.field));
    return json;
}

}  // namespace

BatchRun BatchRun::make() {
    return {to_hex(random_bytes(kRunBytes)), wall_time()};
}

TaskId BatchRun::id_of(std::uint64_t line) const {
    // Four bytes of line, so that tasks sort as they stand in the file, then six of chance.
    std::array<std::uint8_t, 10> bytes{};
    for (std::size_t i = 0; i < 4; ++i) {
        bytes.at(i) = static_cast<std::uint8_t>(line >> (24 - 8 * i));
    }
    const Digest digest = sha256(name + ":" + std::to_string(line));
    std::copy(digest.bytes.begin(), digest.bytes.begin() + 6, bytes.begin() + 4);
    return make_task_id(at, bytes);
}

std::uint64_t line_digest(const std::string& text) {
    const Digest digest = sha256(text);
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof(number); ++i) number = number << 8U | digest.bytes.at(i);
    return std::max<std::uint64_t>(number, 1);
}

Expected<std::unique_ptr<JobLog>> JobLog::open(const std::string& path, const BatchRun& fresh) {
    std::unique_ptr<JobLog> log(new JobLog());
    log->file_ = FileHandle(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kMode));
    if (!log->file_.is_open()) return io_problem("open", path);
    if (::flock(log->file_.fd(), LOCK_EX | LOCK_NB) != 0) {
        return problem(ErrorCode::CONFLICT, "another zq batch is using the job log " + path);
    }
    if (auto ok = log->read(path); !ok) return tl::unexpected(ok.error());
    if (!log->run_.name.empty()) return log;
    log->run_ = fresh;
    Json head = Json::object();
    head.set("job_log", Json::text(kSchema));
    head.set("run", Json::text(fresh.name));
    head.set("at", Json::text(to_rfc3339(fresh.at)));
    log->unwritten_ = head.dump() + "\n";
    if (auto ok = log->flush(); !ok) return tl::unexpected(ok.error());
    // Ids that were sent must be found again, whatever happens to this machine.
    if (::fdatasync(log->file_.fd()) != 0) return io_problem("write", path);
    auto folder = std::filesystem::absolute(path).parent_path().string();
    if (auto ok = sync_folder(folder); !ok) return problem(ok.error());
    return log;
}

Expected<void> JobLog::read(const std::string& path) {
    // Nothing is cut off a file that is something else.
    std::string head(kHead.size(), '\0');
    const ssize_t got = ::pread(file_.fd(), head.data(), head.size(), 0);
    if (got < 0) return io_problem("read", path);
    head.resize(static_cast<std::size_t>(got));
    if (!kHead.starts_with(head)) return no_job_log(path, 1);
    // A last line without its end was being written when the run ended: it says nothing.
    off_t whole = ::lseek(file_.fd(), 0, SEEK_END);
    for (char last = 0; whole > 0; --whole) {
        if (::pread(file_.fd(), &last, 1, whole - 1) != 1) return io_problem("read", path);
        if (last == '\n') break;
    }
    if (::ftruncate(file_.fd(), whole) != 0) return io_problem("write", path);
    auto lines = TaskLines::open(path);
    if (!lines) return tl::unexpected(lines.error());
    while (true) {
        auto line = lines->next();
        if (!line) return tl::unexpected(line.error());
        if (!*line) return {};
        if (auto ok = take((*line)->text, (*line)->number, path); !ok) return ok;
    }
}

Expected<void> JobLog::take(const std::string& text, std::uint64_t number,
                            const std::string& path) {
    auto json = Json::parse(text, {});
    if (!json || !json->is_object()) return no_job_log(path, number);
    const auto said = [&](const char* key) {
        const auto value = json->find(key);
        return value ? value->as_text().value_or("") : std::string{};
    };
    if (run_.name.empty()) {
        auto at = parse_rfc3339(said("at"), "at");
        if (said("job_log") != kSchema || said("run").empty() || !at) {
            return no_job_log(path, number);
        }
        run_ = {said("run"), *at};
        return {};
    }
    const auto at = json->find("line");
    const auto line = at ? at->as_integer() : std::nullopt;
    if (!line || *line < 1 || static_cast<std::uint64_t>(*line) > kLinesMost) {
        return no_job_log(path, number);
    }
    if (said("id").empty()) return {};  // refused: it is tried again
    const auto index = static_cast<std::size_t>(*line);
    if (digests_.size() <= index) digests_.resize(index + 1);
    digests_[index] = std::strtoull(said("digest").c_str(), nullptr, 16);
    return {};
}

std::uint64_t JobLog::acknowledged(std::uint64_t line) const {
    return line < digests_.size() ? digests_[line] : 0;
}

void JobLog::note(std::uint64_t line, std::uint64_t digest, const wire::BatchItem& item) {
    Json json = Json::object();
    json.set("line", Json::number(line));
    json.set("digest", Json::text(to_hex(digest)));
    json.set("id", Json::text(item.task.text));
    if (item.state) json.set("state", Json::text(to_string(*item.state)));
    unwritten_ += json.dump() + "\n";
}

void JobLog::note_refused(std::uint64_t line, const Error& error) {
    Json json = Json::object();
    json.set("line", Json::number(line));
    json.set("error", error_json(error));
    unwritten_ += json.dump() + "\n";
}

Expected<void> JobLog::flush() {
    std::string_view left = unwritten_;
    while (!left.empty()) {
        const ssize_t put = ::write(file_.fd(), left.data(), left.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return io_problem("write", "the job log");
        left.remove_prefix(static_cast<std::size_t>(put));
    }
    unwritten_.clear();
    return {};
}

}  // namespace zq::cli
