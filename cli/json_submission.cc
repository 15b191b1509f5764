#include "cli/json_submission.h"

#include <unistd.h>

#include <cerrno>

namespace zq::cli {
namespace {

Expected<std::string> read_stdin() {
    std::string text;
    std::string buffer(limits::kChunkBytes, '\0');
    while (true) {
        const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return problem(ErrorCode::IO, "cannot read stdin");
        if (got == 0) return text;
        text.append(buffer, 0, static_cast<std::size_t>(got));
        if (text.size() > kTaskJsonBytes) {
            return problem(ErrorCode::TOO_LARGE, "stdin has more than 4 MiB for one task");
        }
    }
}

Expected<std::string> read_text(const std::string& path) {
    if (path == "-") return read_stdin();
    auto text = read_file(path, kTaskJsonBytes);
    if (!text && text.error().code == ErrorCode::NOT_FOUND) return usage("no such file: " + path);
    if (!text) return problem(text.error());
    return std::move(*text);
}

}  // namespace

Expected<JsonTask> read_task_file(const std::string& path) {
    auto text = read_text(path);
    if (!text) return tl::unexpected(text.error());
    auto task = read_json_task(*text);
    if (!task) return problem(task.error(), "`zq batch -f FILE` takes several tasks, one a line");
    return std::move(*task);
}

Expected<Submission> submission_of(const JsonTask& task) {
    Submission submission;
    submission.spec = task.spec;
    if (submission.spec.from.empty()) submission.spec.from = default_from();
    if (task.context) {
        auto content = content_of_text(*task.context, "context.md");
        if (!content) return tl::unexpected(content.error());
        submission.spec.inputs.push_back(content->ref);
        submission.contents.push_back(std::move(*content));
    }
    if (!task.context_ref.empty()) {
        auto ok = add_reference(task.context_ref, {}, submission);
        if (!ok) return tl::unexpected(ok.error());
    }
    return submission;
}

}  // namespace zq::cli
