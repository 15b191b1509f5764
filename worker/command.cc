#include "worker/command.h"

#include "common/platform/clock.h"
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

}  // namespace

Result<std::unique_ptr<Child>> start_command(const CommandRun& run, Millis now) {
    const WorkerOptions& options = run.options;
    const Workspace& workspace = run.workspace;
    const PlaceholderValues values = placeholder_values(run.assign, workspace, run.resume_id);
    const Instant deadline = run.timeout.count > 0 ? wall_time() + run.timeout : Instant{};
    ChildSpec spec;
    spec.command = options.shell ? fill_shell(options.command, values)
                                 : fill_placeholders(options.command, values);
    spec.environment = attempt_environment(options.environment, run.assign, workspace, deadline);
    spec.folder = start_folder(options, workspace);
    spec.stdin_file = stdin_file(options.stdin_from, workspace);
    spec.stdout_file = workspace.stdout_file();
    spec.stderr_file = workspace.stderr_file();
    spec.log_cap = options.log_cap;
    spec.agent = options.agent;
    spec.secrets = options.secrets;
    spec.live = run.live;
    spec.mark = make_mark(Containment::kBest);
    spec.mark_file = workspace.mark_file();
    spec.grace = options.grace;
    return Child::start(std::move(spec), now);
}

}  // namespace zq::worker
