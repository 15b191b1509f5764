// What a command sees of the world: the few variables of the worker's own environment that are
// passed on, those of the attempt, and the command line with its placeholders filled.
#pragma once

#include <string>
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

/// What the command of an attempt gets: `passed`, and over it the attempt's own variables.
/// `deadline`: when its run timeout passes; unset: none.
std::vector<std::string> attempt_environment(const std::vector<std::string>& passed,
                                             const wire::Assign& assign, const Workspace& workspace,
                                             Instant deadline);

/// The command with {prompt_file} {task_file} {task_id} {out} filled; other braces stay. Nothing
/// else of a task ever becomes an argument.
std::vector<std::string> fill_placeholders(const std::vector<std::string>& command,
                                           const wire::Assign& assign, const Workspace& workspace);

/// `/bin/sh -c` with the words as one text; values of placeholders are quoted for it.
std::vector<std::string> fill_shell(const std::vector<std::string>& command,
                                    const wire::Assign& assign, const Workspace& workspace);

}  // namespace zq::worker
