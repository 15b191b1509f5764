// `usage add`: what a task used of a model, counted for its attempt's report.
#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "cli/command_table.h"
#include "cli/own_task.h"
#include "common/base/usage.h"
#include "common/platform/files.h"

namespace zq::cli {
namespace {

Expected<Usage> read_usage(const Arguments& args) {
    Usage usage;
    if (args.has("cost-usd")) {
        auto cost = parse_usd(args.text("cost-usd"), "--cost-usd");
        if (!cost) return problem(cost.error());
        usage.cost_usd_micros = *cost;
    }
    for (auto [flag, field] : {std::pair("input-tokens", &usage.input_tokens),
                               std::pair("output-tokens", &usage.output_tokens)}) {
        auto number = args.number(flag, 0, UINT32_MAX);
        if (!number) return tl::unexpected(number.error());
        *field = number->value_or(0);
    }
    usage.model = args.text("model");
    if (!usage.model.empty() && !is_valid_name(usage.model)) {
        return zq::cli::usage("--model is a name: letters, digits, '.', '_', '-'");
    }
    if (usage == Usage{}) return zq::cli::usage("nothing to add", "see `zq usage add --help`");
    return usage;
}

/// One write at the end of the file: lines of several commands at once do not mix.
Expected<void> append(const std::string& path, const std::string& line) {
    FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (file.is_open() &&
        ::write(file.fd(), line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
        return {};
    }
    return problem(ErrorCode::IO, "cannot write to " + path);
}

Ending run_add(const Context& context) {
    auto used = read_usage(context.args);
    if (!used) return tl::unexpected(used.error());
    auto own = own_task(context.args, {});
    if (!own) return tl::unexpected(own.error());
    if (!*own) {
        return zq::cli::usage("only inside a task, where zq-worker runs this command",
                              "elsewhere the holder of a lease reports it");
    }
    if (context.args.has("dry-run")) {
        note("dry run: it would be added");
        return ExitCode::kDone;
    }
    auto ok = append((*own)->folder + "/usage", usage_line(*used) + "\n");
    return ok ? Ending(ExitCode::kDone) : Ending(tl::unexpected(ok.error()));
}

constexpr auto kAddFlags = std::to_array<Flag>({
    {"cost-usd", "N", "Dollars, such as 0.09"},
    {"input-tokens", "N", "Tokens read"},
    {"output-tokens", "N", "Tokens written"},
    {"model", "NAME", "Which model; the last one named counts"},
});

constexpr auto kCommands = std::to_array<Command>({
    {"usage add",
     "Worker side",
     "",
     "Count what this task used of a model",
     "Inside a task only. The sums stand in the attempt's output as cost_usd_micros, "
     "input_tokens,\n"
     "output_tokens and model, together with what the command itself wrote there.",
     kAddFlags,
     {false, false, true},
     0,
     0,
     run_add},
});

}  // namespace

std::span<const Command> usage_commands() {
    return kCommands;
}

}  // namespace zq::cli
