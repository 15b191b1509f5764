// The folder of one attempt: where everything in it lies, how it is made and how it goes. What
// stands in the files is briefing.h's (in) and collect.h's (out).
#pragma once

#include <string>

#include "common/wire/worker_messages.h"

namespace zq::worker {

/// How long folders of attempts stay.
enum class Keep : std::uint8_t { kUntilSettled, kForever };

struct Workspace {
    std::string folder;    // absolute, mode 0700
    std::string socket{};  // that speaks for the attempt; empty: none

    std::string task_file() const { return folder + "/task.json"; }
    std::string prompt_file() const { return folder + "/prompt.md"; }
    std::string context_folder() const { return folder + "/context"; }
    std::string context_file(const std::string& name) const { return folder + "/context/" + name; }
    /// What attempts save for the next one: the newest of each name.
    std::string checkpoint_folder() const { return folder + "/checkpoint"; }
    std::string checkpoint_file(const std::string& name) const {
        return checkpoint_folder() + "/" + name;
    }
    /// What an earlier attempt left, where this one asked for it.
    std::string previous_file(std::uint32_t attempt, const std::string& name) const {
        return folder + "/previous/" + std::to_string(attempt) + "/" + name;
    }
    /// What a task that this one waited for has left; `result.*` lies in the folder itself.
    std::string upstream_folder(const std::string& task) const { return folder + "/deps/" + task; }
    std::string upstream_file(const std::string& task, const std::string& name) const {
        const bool result = name == "result" || name.starts_with("result.");
        return upstream_folder(task) + (result ? "/" : "/artifacts/") + name;
    }
    /// What earlier attempts asked of people, and the answers; only where they did.
    std::string answers_file() const { return folder + "/answers.json"; }
    /// Values of the secrets that the task names; only while the attempt runs.
    std::string secrets_folder() const { return folder + "/.secrets"; }
    std::string secret_file(const std::string& name) const { return secrets_folder() + "/" + name; }
    std::string out_folder() const { return folder + "/out"; }
    std::string output_file() const { return folder + "/output"; }
    /// What `zq usage add` counted, a line each (common/base/usage.h).
    std::string usage_file() const { return folder + "/usage"; }
    std::string cancel_file() const { return folder + "/cancel"; }
    std::string stdout_file() const { return folder + "/stdout.log"; }
    std::string stderr_file() const { return folder + "/stderr.log"; }
    /// What the check after the command wrote (--verify).
    std::string verify_file() const { return folder + "/verify.log"; }
    /// What sent the task back, where something did.
    std::string feedback_file() const { return folder + "/feedback.md"; }
    /// What a later incarnation needs to find this attempt's processes (family.h). Not in the
    /// folder: the command may empty that.
    std::string mark_file() const;
    /// With --git-worktree: where the command runs, and what is known of it (git_worktree.h).
    std::string worktree_folder() const { return folder + "/work"; }
    std::string worktree_record() const;
    /// Why the attempt's report was refused: a folder with it is kept as evidence.
    std::string refusal_file() const { return folder + "/.refused"; }
    /// The final word, and the words not yet answered (task_socket/kept.h).
    std::string said_file() const { return folder + "/.said"; }
    std::string words_folder() const { return folder + "/.words"; }
    /// Content that is too large to travel inside what the attempt says: it puts it there first.
    std::string spool_file(const Digest& digest) const {
        return folder + "/spool/" + to_hex(digest);
    }
    /// Changed whenever the attempt says something: a sign of life.
    std::string life_file() const { return folder + "/.alive"; }
    /// Where the result is looked for first.
    std::string result_file(const ExpectedOutput& expected) const {
        return out_folder() + (expected.format == "json" ? "/result.json" : "/result.md");
    }
    /// The file behind an artifact's name, as `collect` named it.
    std::string artifact_file(const std::string& name) const;
};

/// `TASK.ATTEMPT.TOKEN`: unique among everything a worker ever runs.
std::string attempt_folder_name(const wire::HeldLease& held);

/// Makes the folder and the ones in it, empty. Errors: IO, STORAGE_FULL.
Result<void> make_workspace(const Workspace& workspace);
/// Removes it with everything in it, also what was made read-only. Errors: IO.
Result<void> remove_workspace(const Workspace& workspace);

}  // namespace zq::worker
