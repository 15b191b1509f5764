#include "worker/command.h"

#include <filesystem>

#include "common/platform/clock.h"
#include "common/platform/digest.h"
#include "worker/environment.h"

namespace zq::worker {
namespace {

std::string stdin_file(StdinFrom from, const Workspace& workspace) {
    switch (from) {
        case StdinFrom::kTask:
            return workspace.task_file();
        case StdinFrom::kPrompt:
            return workspace.prompt_file();
        case StdinFrom::kNone:
            break;
    }
    return "/dev/null";
}

std::string start_folder(const WorkerOptions& options, const Workspace& workspace) {
    if (!options.git_worktree.empty()) return workspace.worktree_folder();
    return options.workdir.empty() ? workspace.folder : options.workdir;
}

/// What the command and its check have in common.
ChildSpec spec_of(const CommandRun& run) {
    const WorkerOptions& options = run.options;
    const Instant deadline = run.timeout.count > 0 ? wall_time() + run.timeout : Instant{};
    ChildSpec spec;
    spec.environment =
        attempt_environment(options.environment, run.assign, run.workspace, deadline);
    spec.folder = start_folder(options, run.workspace);
    spec.log_cap = options.log_cap;
    spec.secrets = options.secrets;
    spec.secrets.insert(spec.secrets.end(), run.secrets.begin(), run.secrets.end());
    spec.mark = make_mark(Containment::kBest);
    spec.mark_file = run.workspace.mark_file();
    spec.grace = options.grace;
    spec.first = options.restoring_words;
    return spec;
}

}  // namespace

Digest digest_of_words(const std::vector<std::string>& command) {
    std::string words;
    for (const std::string& word : command) words += word + '\0';
    return sha256(words);
}

Result<std::unique_ptr<Child>> start_command(const CommandRun& run, Millis now) {
    const WorkerOptions& options = run.options;
    const Workspace& workspace = run.workspace;
    const PlaceholderValues values = placeholder_values(run.assign, workspace, run.resume_id);
    ChildSpec spec = spec_of(run);
    spec.command = options.shell ? fill_shell(options.command, values)
                                 : fill_placeholders(options.command, values);
    spec.stdin_file = stdin_file(options.stdin_from, workspace);
    spec.stdout_file = workspace.stdout_file();
    spec.stderr_file = workspace.stderr_file();
    spec.agent = options.agent;
    spec.live = run.live;
    return Child::start(std::move(spec), now);
}

Result<std::unique_ptr<Child>> start_check(const CommandRun& run, Millis now) {
    const Workspace& workspace = run.workspace;
    ChildSpec spec = spec_of(run);
    spec.command =
        fill_shell({run.options.verify}, placeholder_values(run.assign, workspace, run.resume_id));
    // One log, in the order in which it was written.
    spec.command.back().insert(0, "exec 2>&1\n");
    spec.stdin_file = "/dev/null";
    spec.stdout_file = workspace.verify_file();
    spec.stderr_file = workspace.folder + "/.verify.stderr";
    // The command may have put anything there.
    std::error_code error;
    std::filesystem::remove_all(spec.stdout_file, error);
    std::filesystem::remove_all(spec.stderr_file, error);
    return Child::start(std::move(spec), now);
}

}  // namespace zq::worker
