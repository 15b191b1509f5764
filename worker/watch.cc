#include "worker/watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include "worker/workspace/output_file.h"

namespace zq::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEntries = 20'000;
constexpr Millis kShortest = millis(50);
constexpr Millis kWordEvery = seconds(1);
constexpr Millis kLifeEvery = minutes(1);

/// Often enough that a limit is kept to an eighth of itself.
Millis interval(Millis limit, Millis longest) {
    return std::clamp(limit / 8, kShortest, longest);
}

std::int64_t nanos(const timespec& time) {
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::uint64_t folder_fingerprint(const Workspace& workspace) {
    std::uint64_t print = 0;
    std::size_t visited = 0;
    std::error_code error;
    fs::recursive_directory_iterator it(workspace.folder, error);
    for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
        if (++visited > kEntries) break;
        const std::string path = it->path().string();
        if (path == workspace.stdout_file() || path == workspace.stderr_file()) continue;
        struct stat info {};
        if (::lstat(path.c_str(), &info) != 0) continue;
        const std::string entry =
            path + '\n' + std::to_string(info.st_size) + '\n' + std::to_string(nanos(info.st_mtim));
        print += std::hash<std::string>{}(entry);  // a sum: the order of entries does not matter
    }
    return print;
}

Watch::Watch(Workspace workspace, WatchLimits limits, Millis now)
    : workspace_(std::move(workspace)), limits_(limits), alive_(now) {
    next_word_ = now + interval(limits_.linger, kWordEvery);
    next_life_ =
        limits_.stall.count > 0 ? now + interval(limits_.stall, kLifeEvery) : Millis{INT64_MAX};
    if (limits_.stall.count > 0) seen_folder_ = folder_fingerprint(workspace_);
}

std::optional<StopCause> Watch::look(const Signs& signs, Millis now) {
    if (look_for_linger(signs, now)) return StopCause::kLingered;
    if (look_for_stall(signs, now)) return StopCause::kStalled;
    return std::nullopt;
}

bool Watch::look_for_linger(const Signs& signs, Millis now) {
    if (now < next_word_) return false;
    next_word_ = now + interval(limits_.linger, kWordEvery);
    if (!signs.final_record && !has_said_final_word()) {
        final_since_.reset();
        return false;
    }
    if (!final_since_) final_since_ = now;
    next_word_ = std::min(next_word_, std::max(*final_since_ + limits_.linger, now));
    return now >= *final_since_ + limits_.linger;
}

bool Watch::look_for_stall(const Signs& signs, Millis now) {
    if (now < next_life_) return false;
    next_life_ = now + interval(limits_.stall, kLifeEvery);
    const std::uint64_t folder = folder_fingerprint(workspace_);
    if (signs.output_bytes != seen_bytes_ || folder != seen_folder_) {
        seen_bytes_ = signs.output_bytes;
        seen_folder_ = folder;
        alive_ = now;
        return false;
    }
    // One that has said its final word is waited for by the linger alone.
    return !final_since_ && now >= alive_ + limits_.stall;
}

bool Watch::has_said_final_word() {
    struct stat info {};
    // What was said through the socket is not taken back.
    if (::lstat(workspace_.said_file().c_str(), &info) == 0) return true;
    if (::lstat(workspace_.output_file().c_str(), &info) != 0) return said_ = false;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size == output_size_ && nanos(info.st_mtim) == output_time_) return said_;
    output_size_ = size;
    output_time_ = nanos(info.st_mtim);
    said_ = final_word(read_whole_lines(workspace_.output_file())) != FinalWord::kNone;
    return said_;
}

Millis Watch::deadline() const {
    return std::min(next_word_, next_life_);
}

void Watch::shift(Millis frozen) {
    alive_ = alive_ + frozen;
    if (final_since_) final_since_ = *final_since_ + frozen;
}

}  // namespace zq::worker
