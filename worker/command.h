// The command of an attempt as it is started: its words, its environment, its folder and its
// limits, from what the worker was told and what the task says.
#pragma once

#include "worker/executor/child.h"
#include "worker/options.h"

namespace zq::worker {

/// One start of the worker's command.
struct CommandRun {
    const WorkerOptions& options;
    const wire::Assign& assign;
    const Workspace& workspace;
    Millis timeout{};                       // of the run; 0: none
    std::string resume_id;                  // session of an earlier attempt, or empty
    LiveLog* live = nullptr;                // of what it prints
    std::vector<SecretValue> secrets = {};  // of the task's: taken out of it
};

/// SHA-256 of a command as the worker was told it, each word with a zero byte behind it.
Digest digest_of_words(const std::vector<std::string>& command);

/// Starts it. Errors: IO with the reason.
Result<std::unique_ptr<Child>> start_command(const CommandRun& run, Millis now);

/// Starts the check of `--verify` where the command has run, under the same supervision: its own
/// environment and process group, both its outputs in one capped log (`verify_file`).
Result<std::unique_ptr<Child>> start_check(const CommandRun& run, Millis now);

}  // namespace zq::worker
