// What zq-worker was told on its command line.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"
#include "worker/agent/agent.h"
#include "worker/executor/redactor.h"
#include "worker/handler.h"
#include "worker/session/session.h"
#include "worker/state_folder.h"

namespace zq::worker {

enum class StdinFrom : std::uint8_t { kTask, kPrompt, kNone };

/// Where that came from which may be read again while the worker runs (reread.h).
struct RereadFrom {
    std::string log = "info";  // a level, or `@FILE`
    std::vector<std::string> env;
    std::string env_file;
    std::vector<std::string> redact_env;
    std::string redact_file;
    std::string connection;  // the `ZQ_CONNECT=…` that commands get beside it; empty: none
};

struct WorkerOptions {
    std::string connect;  // empty: ZQ_CONNECT, then the profile
    std::vector<RoleName> roles;
    std::vector<std::string> labels;  // what tasks may need of it
    std::uint32_t slots = 1;
    std::string name;   // empty: made up (state_folder.h)
    std::string state;  // empty: the default
    AgentKind agent = AgentKind::kRaw;
    StdinFrom stdin_from = StdinFrom::kTask;
    std::string workdir;                   // empty: the attempt's folder
    std::string git_worktree;              // a repository: a working tree of it for each attempt
    std::vector<std::string> environment;  // NAME=value, everything a command gets of ours
    std::vector<SecretValue> secrets;      // taken out of what it prints
    std::string secrets_folder;            // of what tasks name as secret://NAME; empty: none
    Millis run_timeout{};                  // 0: the task's alone
    Millis stall_timeout = minutes(15);    // without a sign of life; 0: never
    Millis grace = seconds(30);
    Millis linger = seconds(30);          // after its final word
    std::string verify;                   // a text for /bin/sh: the check after it; empty: none
    Millis verify_timeout = minutes(10);  // of the check; 0: none
    std::uint64_t log_cap = 32ULL << 20;  // bytes kept of stdout, and of stderr
    Millis idle_exit{};
    Millis orphan_hold = limits::kOrphanHold;
    Lifetime lifetime = Lifetime::kForever;
    Keep keep = Keep::kUntilSettled;
    std::string log_level = "info";
    RereadFrom from;
    std::string restoring_words;       // give a command the limits that the worker was started with
    std::vector<std::string> command;  // empty: handlers alone
    bool self_test = false;            // check the contract, and end
    bool shell = false;                // the command is one text for /bin/sh
};

/// What is left to do after the arguments are read: run, or say this and end.
struct ParsedArguments {
    WorkerOptions options;
    std::optional<int> exit_code;  // set: print `text` (to stderr where it is not 0) and end
    std::string text;
};
ParsedArguments parse_arguments(int argc, const char* const* argv, const Handlers& handlers);

}  // namespace zq::worker
