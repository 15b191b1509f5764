#include "worker/resume_ids.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "common/platform/files.h"
#include "common/platform/log.h"

namespace zq::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSessionBytes = 128;
constexpr std::chrono::hours kKept{24 * 30};

}  // namespace

bool is_session_id(const std::string& text) {
    if (text.empty() || text.size() > kSessionBytes || text[0] == '-') return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

std::string ResumeIds::of(const TaskId& task) const {
    const std::string text = read_file(file_of(task), kSessionBytes).value_or("");
    return is_session_id(text) ? text : std::string();
}

void ResumeIds::remember(const TaskId& task, const std::string& session) const {
    if (!is_session_id(session)) return;
    auto ok = make_folders(folder_, 0700);
    if (ok) ok = write_file(file_of(task), session, 0600, Durability::kNone);
    if (!ok) {
        log_warn("cannot keep a session for the next attempt",
                 {{"task", task.text}, {"reason", ok.error().message}});
    }
}

void ResumeIds::forget(const TaskId& task) const {
    ::unlink(file_of(task).c_str());
}

void ResumeIds::prune() const {
    std::error_code error;
    const auto oldest = fs::file_time_type::clock::now() - kKept;
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
        std::error_code ignored;
        if (entry.last_write_time(ignored) < oldest) fs::remove(entry.path(), ignored);
    }
}

}  // namespace zq::worker
