// What a command sees of the world: the few variables of the worker's own environment that are
// passed on, those of the attempt, and the command line with its placeholders filled.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/wire/worker_messages.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// NAME=value of what is passed on: PATH HOME USER LANG LC_* TERM TMPDIR SHELL TZ, the `named` ones
/// where they are set, and the lines of `env_file` (NAME=value, `#` comments; empty: none). Errors:
/// INVALID (a name that is none; a bad line, with its number), NOT_FOUND, IO.
Result<std::vector<std::string>> passed_environment(const std::vector<std::string>& named,
                                                    const std::string& env_file);

/// Names of this process's variables that are not passed on, in order.
std::vector<std::string> dropped_environment(const std::vector<std::string>& passed);

/// What the command of an attempt gets: `passed`, and over it the attempt's own variables.
/// `deadline`: when its run timeout passes; unset: none.
std::vector<std::string> attempt_environment(const std::vector<std::string>& passed,
                                             const wire::Assign& assign, const Workspace& workspace,
                                             Instant deadline);

/// Placeholders, such as `{task_id}`, and what stands in their place. An empty value: there is
/// none.
using PlaceholderValues = std::vector<std::pair<std::string, std::string>>;
/// {prompt_file} {task_file} {task_id} {out} and {resume_id}, the session of an earlier attempt.
PlaceholderValues placeholder_values(const wire::Assign& assign, const Workspace& workspace,
                                     const std::string& resume_id);

/// The command with its placeholders filled; other braces stay. Nothing else of a task ever becomes
/// an argument. A word with a placeholder that has no value is left out; where the word is nothing
/// but that, so is a flag right before it: `--resume {resume_id}` is not there in a first attempt.
std::vector<std::string> fill_placeholders(const std::vector<std::string>& command,
                                           const PlaceholderValues& values);

/// `/bin/sh -c` with the words as one text; values of placeholders are quoted for it, those that
/// have none as ''.
std::vector<std::string> fill_shell(const std::vector<std::string>& command,
                                    const PlaceholderValues& values);

}  // namespace zq::worker
