// Waiting for tasks to end: long polls, a line for each task that ends, and what to run when the
// time is over. Shared by `wait`, `submit --wait` and `run`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/session.h"

namespace zq::cli {

struct WaitRequest {
    std::vector<std::string> tasks;  // ids or unique prefixes
    std::string group;               // instead of tasks
    std::uint32_t count = 0;         // how many must end; 0: all
    std::optional<Millis> timeout;   // nullopt: none
};

struct WaitResult {
    std::vector<wire::TaskRow> ended;  // in the order they were seen
    std::uint32_t open = 0;            // named tasks that go on
    bool reached = false;              // the count was reached in time
    std::vector<std::string> asking;   // ids of open ones that wait for a person, where it was not
};

/// The timeout of --timeout, else none on a terminal and 100 s off it.
Expected<std::optional<Millis>> wait_limit(const Context& context);

/// Waits. Calls `seen` with every task that ends, once each. Ctrl-C ends the process with 130 and
/// the line that resumes.
Expected<WaitResult> wait_for(Session& session, const WaitRequest& request,
                              const std::function<Expected<void>(const wire::TaskRow&)>& seen);

/// The exit code of what was waited for; with time over, a problem with the resuming command.
Ending conclude(const WaitRequest& request, const WaitResult& result);

/// The line of a task that has ended.
Ending print_ended(const wire::TaskRow& row, const OutputOptions& options);

/// The command that goes on waiting.
std::string resume_line(const WaitRequest& request);

}  // namespace zq::cli
