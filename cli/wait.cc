#include "cli/wait.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <set>

#include "cli/command_table.h"
#include "cli/records.h"
#include "common/platform/clock.h"

namespace zq::cli {
namespace {

constexpr Millis kLimitOffTerminal = seconds(100);

// What Ctrl-C says: made before waiting, so that the handler only writes.
std::string g_resume;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

extern "C" void detach(int signal) {
    [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, g_resume.data(), g_resume.size());
    ::_exit(128 + signal);
}

void detach_on_interrupt(const WaitRequest& request) {
    g_resume = "\nthe tasks go on; run `" + resume_line(request) + "` to wait again\n";
    struct sigaction action {};
    action.sa_handler = detach;
    ::sigaction(SIGINT, &action, nullptr);
}

/// What is still waited for.
struct Waiting {
    const WaitRequest& request;
    std::vector<std::string> open;  // ids or prefixes not seen to end
    std::set<std::string> seen;     // ids

    std::uint32_t goal() const {
        if (request.count > 0) return request.count;
        return request.group.empty() ? static_cast<std::uint32_t>(request.tasks.size()) : 0;
    }
};

/// Asks for one more ended task than was seen so far.
wire::Wait poll_request(const Waiting& waiting, Millis wait) {
    wire::Wait poll;
    for (const std::string& id : waiting.open) poll.tasks.emplace_back(id);
    poll.group = GroupName(waiting.request.group);
    // By ids, those that have ended are no longer named; by group they are answered again.
    poll.count =
        waiting.request.group.empty() ? 1 : static_cast<std::uint32_t>(waiting.seen.size()) + 1;
    poll.wait = wait;
    return poll;
}

void forget(std::vector<std::string>& open, const std::string& id) {
    // Exact ids win over prefixes.
    auto found = std::find(open.begin(), open.end(), id);
    if (found == open.end()) {
        found = std::find_if(open.begin(), open.end(), [&](const std::string& prefix) {
            return id.compare(0, prefix.size(), prefix) == 0;
        });
    }
    if (found != open.end()) open.erase(found);
}

/// The open tasks among them that wait for a person.
Expected<std::vector<std::string>> find_asking(Session& session, const Waiting& waiting) {
    wire::Questions query;
    query.group = GroupName(waiting.request.group);
    query.limit = limits::kListRows;
    auto reply = session.call<wire::QuestionRows>(query);
    if (!reply) return tl::unexpected(reply.error());
    std::vector<std::string> asking;
    for (const wire::QuestionRow& row : reply->rows) {
        const bool named = std::any_of(
            waiting.open.begin(), waiting.open.end(),
            [&](const std::string& prefix) { return row.task.text.starts_with(prefix); });
        if (named || !waiting.request.group.empty()) asking.push_back(row.task.text);
    }
    return asking;
}

constexpr auto kWaitFlags = std::to_array<Flag>({
    {"group", "NAME", "Wait for the tasks of a group"},
    {"all", "", "Until all have ended (the default)", Takes::kNothing},
    {"any", "", "Until one has ended", Takes::kNothing},
    {"count", "N", "Until N have ended"},
    {"timeout", "D", "At most this long (default: 100s off a terminal)"},
});

Expected<WaitRequest> read_request(const Context& context) {
    const Arguments& args = context.args;
    WaitRequest request;
    request.group = args.text("group");
    for (const std::string& id : args.operands()) {
        const auto& have = request.tasks;
        if (std::find(have.begin(), have.end(), id) == have.end()) request.tasks.push_back(id);
    }
    if (request.tasks.empty() == request.group.empty()) {
        return usage("name tasks to wait for, or --group NAME", "`zq ls` lists the tasks");
    }
    if (request.tasks.size() > limits::kWaitTasks) {
        return usage("at most 1000 tasks at once", "give them a group: zq submit --group NAME");
    }
    if (args.has("any") + args.has("all") + args.has("count") > 1) {
        return usage("--any, --all and --count exclude each other");
    }
    auto count = args.number("count", 1, limits::kWaitTasks);
    if (!count) return tl::unexpected(count.error());
    if (*count) request.count = static_cast<std::uint32_t>(**count);
    if (args.has("any")) request.count = 1;
    if (request.group.empty() && request.count > request.tasks.size()) {
        return usage("--count is larger than the number of tasks named");
    }
    auto limit = wait_limit(context);
    if (!limit) return tl::unexpected(limit.error());
    request.timeout = *limit;
    return request;
}

Ending run_wait(const Context& context) {
    auto request = read_request(context);
    if (!request) return tl::unexpected(request.error());
    auto session = Session::open(context, request->timeout.value_or(limits::kPollMax));
    if (!session) return tl::unexpected(session.error());
    View whole{Shape::kLines, "zq/task-list/v1", ended_columns(), {}, false};
    const bool at_once = context.output.format != Format::kJson;
    auto result = wait_for(**session, *request, [&](const wire::TaskRow& row) -> Expected<void> {
        if (!at_once) {
            whole.records.push_back(task_record(row));
            return {};
        }
        if (auto ok = print_ended(row, context.output); !ok) return tl::unexpected(ok.error());
        return {};
    });
    if (!result) return tl::unexpected(result.error());
    if (!at_once) {
        whole.more = result->open > 0;
        if (auto ok = print(whole, context.output); !ok) return ok;
    }
    return conclude(*request, *result);
}

constexpr auto kCommands = std::to_array<Command>({
    {"wait",
     "Tasks",
     "[ID…]",
     "Wait until tasks have ended, one line for each",
     "Sleeps at the coordinator: nothing is polled in a loop. Ids may be unique prefixes.\n"
     "The exit code is that of the worst task (`zq help exit-codes`); 8 when the time is over, 9 "
     "when\n"
     "one of those that are left waits for a person then.",
     kWaitFlags,
     {true, true, false},
     0,
     kAnyNumber,
     run_wait},
});

}  // namespace

std::span<const Command> wait_commands() {
    return kCommands;
}

Expected<std::optional<Millis>> wait_limit(const Context& context) {
    auto limit = context.args.duration("timeout");
    if (!limit || *limit) return limit;
    if (context.output.terminal) return std::optional<Millis>{};
    return std::optional(kLimitOffTerminal);
}

std::string resume_line(const WaitRequest& request) {
    std::string line = "zq wait";
    if (!request.group.empty()) line += " --group " + request.group;
    for (const std::string& id : request.tasks) line += " " + id;
    if (request.count > 0) line += " --count " + std::to_string(request.count);
    return line;
}

Expected<WaitResult> wait_for(Session& session, const WaitRequest& request,
                              const std::function<Expected<void>(const wire::TaskRow&)>& seen) {
    detach_on_interrupt(request);
    const Millis start = boottime();
    Waiting waiting{request, request.tasks, {}};
    WaitResult result;
    while (true) {
        const Millis left = request.timeout ? *request.timeout - (boottime() - start) : kPollSlice;
        const Millis wait = std::clamp(left, Millis{}, kPollSlice);
        auto ended = session.call<wire::Ended>(poll_request(waiting, wait), wait);
        if (!ended) return tl::unexpected(ended.error());
        result.open = ended->open;
        for (const wire::TaskRow& row : ended->rows) {
            forget(waiting.open, row.id.text);  // a second name of one task too
            if (!waiting.seen.insert(row.id.text).second) continue;
            result.ended.push_back(row);
            if (auto ok = seen(row); !ok) return tl::unexpected(ok.error());
        }
        const auto done = static_cast<std::uint32_t>(waiting.seen.size());
        result.reached = waiting.goal() > 0 ? done >= waiting.goal() : ended->open == 0;
        const bool nothing_left = request.group.empty() ? waiting.open.empty() : ended->open == 0;
        // Two names of one task end together.
        if (nothing_left && request.count == 0) result.reached = true;
        if (result.reached || nothing_left) return result;
        if (left.count > 0) continue;
        auto asking = find_asking(session, waiting);
        if (!asking) return tl::unexpected(asking.error());
        result.asking = std::move(*asking);
        return result;
    }
}

Ending conclude(const WaitRequest& request, const WaitResult& result) {
    ExitCode code = ExitCode::kDone;
    for (const wire::TaskRow& row : result.ended) code = worst(code, exit_code_of(row.state));
    if (result.reached) return code;
    if (!result.asking.empty() && worst(code, ExitCode::kNeedsPerson) == ExitCode::kNeedsPerson) {
        const std::string& task = result.asking.front();
        return needs_person(task + " waits for a person",
                            "`zq approvals` lists what is asked, `zq answer " + task +
                                " TEXT` answers; then run `" + resume_line(request) + "`");
    }
    const std::string what = std::to_string(result.open) +
                             (result.open == 1 ? " task is" : " tasks are") + " not finished yet";
    const std::string hint = "run `" + resume_line(request) + "` to wait on";
    if (code == ExitCode::kDone) return not_finished(what, hint);
    note(what + "; " + hint);
    return code;
}

Ending print_ended(const wire::TaskRow& row, const OutputOptions& options) {
    return print({Shape::kOne, {}, ended_columns(), {task_record(row)}, false}, options);
}

}  // namespace zq::cli
