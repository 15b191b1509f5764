#include "cli/task_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/json_submission.h"

namespace zq::cli {
namespace {

constexpr std::size_t kRead = 64UL * 1024;

}  // namespace

Expected<TaskLines> TaskLines::open(const std::string& path) {
    if (path == "-") return TaskLines(FileHandle(::dup(STDIN_FILENO)));
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.is_open()) return TaskLines(std::move(file));
    if (errno == ENOENT) return usage("no such file: " + path);
    return problem(ErrorCode::IO, "cannot open " + path + ": " + std::strerror(errno));
}

Expected<bool> TaskLines::fill() {
    buffer_.erase(0, begin_);
    begin_ = 0;
    const std::size_t have = buffer_.size();
    buffer_.resize(have + kRead);
    ssize_t got = -1;
    do {
        got = ::read(file_.fd(), buffer_.data() + have, kRead);
    } while (got < 0 && errno == EINTR);
    buffer_.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) {
        return problem(ErrorCode::IO,
                       std::string("cannot read the tasks: ") + std::strerror(errno));
    }
    return got > 0;
}

Expected<std::optional<TaskLine>> TaskLines::next() {
    TaskLine line;
    std::size_t looked = 0;  // behind begin_, where no end of line is
    while (true) {
        const std::size_t end = buffer_.find('\n', begin_ + looked);
        if (end == std::string::npos && !ended_) {
            looked = buffer_.size() - begin_;
            if (looked > kTaskJsonBytes) {
                line.too_long = true;
                begin_ = buffer_.size();
                looked = 0;
            }
            auto more = fill();
            if (!more) return tl::unexpected(more.error());
            ended_ = !*more;
            continue;
        }
        if (end == std::string::npos && begin_ == buffer_.size() && !line.too_long) {
            return std::optional<TaskLine>{};
        }
        const std::size_t stop = std::min(end, buffer_.size());
        ++number_;
        line.number = number_;
        line.text.assign(buffer_, begin_, stop - begin_);
        begin_ = std::min(stop + 1, buffer_.size());
        looked = 0;
        if (line.text.size() > kTaskJsonBytes) line.too_long = true;
        if (line.too_long) {
            line.text.clear();
            return std::optional(std::move(line));
        }
        if (line.text.find_first_not_of(" \t\r") != std::string::npos) {
            return std::optional(std::move(line));
        }
    }
}

}  // namespace zq::cli
