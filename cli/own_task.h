// The task that a command line runs inside of, as its worker's environment tells it: which attempt
// it is, its folders, and the socket of the worker that speaks for it. There `zq progress`,
// `zq complete` and the like need no id, no key and no address.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/session.h"

namespace zq::cli {

struct OwnTask {
    wire::HeldLease held;
    std::string socket;
    std::string folder;
    std::string out;
    std::string checkpoints;
};

/// The task around this command. Nullopt outside of one, where `id` names another, and where
/// --connect or --lease say that it is not meant. Errors: usage (a damaged environment).
Expected<std::optional<OwnTask>> own_task(const Arguments& args, const std::string& id);

/// The conversation with the worker of that task, or with the coordinator where there is none.
Expected<std::unique_ptr<Session>> open_session(const Context& context,
                                                const std::optional<OwnTask>& own);

/// A command's operands, whose first one is an id that may be left out inside a task.
struct OwnOperands {
    std::string id;  // empty: the task around this command
    std::vector<std::string> others;
};
/// `most`: how many operands there are with the id. Errors: usage (no id, and no task around it).
Expected<OwnOperands> own_operands(const Arguments& args, std::size_t most);

}  // namespace zq::cli
