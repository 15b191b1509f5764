// What an attempt printed: `logs`.
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "cli/command_table.h"
#include "cli/log_reader.h"
#include "cli/session.h"

namespace zq::cli {
namespace {

Expected<LogView> view_of(const Context& context) {
    auto lines = context.args.number("lines", 0, UINT32_MAX);
    if (!lines) return tl::unexpected(lines.error());
    if (context.args.has("stdout") && context.args.has("stderr")) {
        return usage("--stdout or --stderr: without them both are shown");
    }
    LogView view;
    view.last_lines = *lines;
    if (context.args.has("stdout")) view.only = LogStream::kStdout;
    if (context.args.has("stderr")) view.only = LogStream::kStderr;
    view.json = context.args.has("json");
    if (!context.args.has("raw")) {
        view.escape = {::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1};
    }
    return view;
}

Ending run_logs(const Context& context) {
    auto view = view_of(context);
    if (!view) return tl::unexpected(view.error());
    auto attempt = context.args.number("attempt", 1, UINT32_MAX);
    if (!attempt) return tl::unexpected(attempt.error());
    auto after = context.args.number("after", 0, INT64_MAX);
    if (!after) return tl::unexpected(after.error());
    auto session = Session::open(context);
    if (!session) return tl::unexpected(session.error());
    LogReader reader(**session, LogPrinter(*view),
                     {context.args.operand(0), static_cast<std::uint32_t>(attempt->value_or(0)),
                      after->value_or(0), context.args.has("follow")});
    if (auto ok = reader.read(); !ok) return tl::unexpected(ok.error());
    return ExitCode::kDone;
}

constexpr auto kFlags = std::to_array<Flag>({
    {"follow", "", "Go on as it is printed, over all attempts, until the task ends",
     Takes::kNothing, "", 'f'},
    {"lines", "N", "Begin with the last N lines of each stream", Takes::kValue, "", 'n'},
    {"stdout", "", "Only what it printed on stdout", Takes::kNothing},
    {"stderr", "", "Only what it printed on stderr", Takes::kNothing},
    {"attempt", "N", "Of this attempt alone (default: the last)"},
    {"after", "SEQ", "Go on after this piece (`seq` of --json), such as after a break"},
    {"json", "", "A line of JSON for each piece, both streams on stdout", Takes::kNothing},
    {"raw", "", "On a terminal too, control characters and all", Takes::kNothing},
});

constexpr auto kCommands = std::to_array<Command>({
    {"logs",
     "Watch",
     "ID",
     "What a task's command prints, or printed",
     "Its stdout comes on stdout, its stderr on stderr; on a terminal control characters are\n"
     "escaped. The coordinator has the first 64 KiB and the last 448 KiB of an attempt in memory,\n"
     "as they are printed; once it has ended, all that the worker kept (--log-cap) is in its\n"
     "artifacts stdout.log and stderr.log. Where bytes are missing, a line on stderr says how "
     "many.",
     kFlags,
     {true, false, false},
     1,
     1,
     run_logs},
});

}  // namespace

std::span<const Command> logs_commands() {
    return kCommands;
}

}  // namespace zq::cli
