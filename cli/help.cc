#include "cli/help.h"

#include <algorithm>
#include <array>

#include "cli/command_table.h"
#include "cli/help_pages.h"
#include "cli/text.h"
#include "common/base/nearest.h"
#include "common/wire/codec.h"

namespace zq::cli {
namespace {

constexpr auto kSections = std::to_array<std::string_view>(
    {"Start", "Tasks", "Worker side", "Artifacts", "Workers", "Roles and limits", "Access",
     "Failures", "Watch", "Data", "Measure", "Help"});
constexpr auto kTopics =
    std::to_array<std::string_view>({"agents", "errors", "exit-codes", "worker-contract"});

std::string flag_text(const Flag& flag) {
    std::string text = flag.letter == 0 ? "    " : std::string("-") + flag.letter + ", ";
    text += dashed(flag.name);
    if (!flag.alias.empty()) text += ", " + dashed(flag.alias);
    if (!flag.value.empty()) text += " " + std::string(flag.value);
    return text;
}

/// A group of commands may have a second name.
std::string group_of(const std::string& word) {
    return word == "queue" ? "role" : word;
}

std::string exit_codes_page() {
    std::string text = "Exit codes\n\n";
    for (const ExitRow& row : exit_rows()) {
        text += padded("  " + std::to_string(static_cast<int>(row.code)), 7) +
                std::string(row.meaning) + "\n";
    }
    return text + "\nOf several tasks the worst counts: 10, 13, 12, 11, 9, 8, 0.\n";
}

struct CodeRow {
    ErrorCode code;
};
constexpr auto kCodes = std::to_array<CodeRow>({
#define ZQ_ROW(name, retryable, meaning) {ErrorCode::name},
    ZQ_ERROR_CODES(ZQ_ROW)
#undef ZQ_ROW
});

std::string errors_page() {
    std::string text =
        "Error codes, as --json prints them on stderr:\n"
        "  {\"error\":{\"code\",\"message\",\"hint\",\"retryable\",\"exit\"}}\n\n";
    for (const CodeRow& row : kCodes) {
        const auto exit = static_cast<int>(exit_code_of(Problem(Error{row.code, {}, {}, {}})));
        text += "  " + padded(std::string(to_string(row.code)), 21) +
                padded("exit " + std::to_string(exit), 9) +
                padded(retryable(row.code) ? "retry" : "", 7) + std::string(meaning(row.code)) +
                "\n";
    }
    text += "  " + padded("NOT_FINISHED", 21) + padded("exit 8", 9) + padded("retry", 7) +
            "the task has not ended yet\n";
    return text;
}

Ending run_help(const Context& context) {
    const auto& words = context.args.operands();
    if (words.empty()) {
        print_raw(overview());
        return ExitCode::kDone;
    }
    if (const std::string page = topic_help(words.front()); !page.empty()) {
        print_raw(page);
        return ExitCode::kDone;
    }
    // A group's name alone prints the help of all its commands.
    std::string text;
    for (const Command& command : all_commands()) {
        const std::string group = group_of(words.front()) + " ";
        if (words.size() == 1 && command.name.substr(0, group.size()) == group) {
            text += (text.empty() ? "" : "\n") + command_help(command);
        }
    }
    if (text.empty()) {
        auto match = find_command(words);
        if (!match) return tl::unexpected(match.error());
        text = command_help(match->command);
    }
    print_raw(text);
    return ExitCode::kDone;
}

Ending run_version(const Context& context) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/version/v1"));
    record.set("id", Json::text(ZQ_VERSION));
    record.set("program", Json::text(std::string("zq ") + ZQ_VERSION));
    record.set("protocol", Json::text(wire::kProtocol));
    static constexpr auto kColumns =
        std::to_array<Column>({{"program", "PROGRAM"}, {"protocol", "PROTOCOL"}});
    return print({Shape::kOne, {}, kColumns, {record}}, context.output);
}

constexpr auto kCommands = std::to_array<Command>({
    {"version",
     "Help",
     "",
     "The versions of this program and of its protocol",
     "",
     {},
     {false, true, false},
     0,
     0,
     run_version},
    {"help",
     "Help",
     "[COMMAND | TOPIC]",
     "Help on a command, or on agents, errors, exit-codes, "
     "worker-contract",
     "",
     {},
     {},
     0,
     2,
     run_help},
});

}  // namespace

std::string overview() {
    std::string text =
        "zq: a durable task queue for long-running AI-agent work\n\n"
        "usage: zq COMMAND [FLAGS]\n";
    const std::vector<Command> commands = all_commands();
    for (const std::string_view section : kSections) {
        text += "\n" + std::string(section) + "\n";
        for (const Command& command : commands) {
            if (command.section != section) continue;
            text +=
                "  " + padded(std::string(command.name), 17) + std::string(command.summary) + "\n";
        }
    }
    return text +
           "\n`zq help COMMAND` prints its flags; `zq help agents` is one page for an agent.\n";
}

std::string command_help(const Command& command) {
    std::string text = "zq " + std::string(command.name);
    if (!command.operands.empty()) text += " " + std::string(command.operands);
    text += " [FLAGS]\n\n" + std::string(command.summary) + ".\n";
    if (!command.notes.empty()) text += "\n" + std::string(command.notes) + "\n";
    const std::vector<Flag> flags = all_flags(command);
    std::size_t width = 0;
    for (const Flag& flag : flags) width = std::max(width, display_width(flag_text(flag)));
    text += "\nFlags\n";
    for (const Flag& flag : flags) {
        text += "  " + padded(flag_text(flag), width + 2) + std::string(flag.help) + "\n";
    }
    return text;
}

std::string topic_help(const std::string& topic) {
    if (topic == "exit-codes") return exit_codes_page();
    if (topic == "errors") return errors_page();
    if (topic == "agents") return std::string(kAgentsPage);
    if (topic == "worker-contract") return std::string(kWorkerContractPage);
    return {};
}

std::vector<Command> all_commands() {
    std::vector<Command> all;
    for (const auto& rows : {start_commands(),          join_commands(),     dev_commands(),
                             submit_commands(),         batch_commands(),    wait_commands(),
                             result_commands(),         show_commands(),     why_commands(),
                             task_commands(),           replay_commands(),   dlq_commands(),
                             approval_commands(),       follow_commands(),   logs_commands(),
                             stats_commands(),          claim_commands(),    ask_commands(),
                             checkpoint_commands(),     usage_commands(),    usage_sum_commands(),
                             report_commands(),         artifact_commands(), cluster_commands(),
                             role_commands(),           limit_commands(),    access_commands(),
                             keygen_commands(),         ping_commands(),     doctor_commands(),
                             journal_commands(),        backup_commands(),   gc_commands(),
                             erase_commands(),          bench_commands(),    bench_scale_commands(),
                             bench_artifact_commands(), help_commands()}) {
        all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
}

Expected<Match> find_command(const std::vector<std::string>& words) {
    const std::string first = words.empty() ? "" : group_of(words[0]);
    const std::string both = words.size() > 1 ? first + " " + words[1] : first;
    const std::vector<Command> commands = all_commands();
    std::vector<std::string> known(kTopics.begin(), kTopics.end());
    const Command* of_group = nullptr;  // `dlq` alone stands for `dlq ls`
    for (const Command& command : commands) {
        if (command.name == both && words.size() > 1) return Match{command, 2};
        if (command.name == first) return Match{command, 1};
        const bool in_group = command.name.substr(0, first.size() + 1) == first + " ";
        if (in_group && command.name == first + " ls") of_group = &command;
        known.emplace_back(in_group ? command.name
                                    : command.name.substr(0, command.name.find(' ')));
    }
    const bool alone = words.size() < 2 || words[1].substr(0, 1) == "-";
    if (of_group != nullptr && alone && of_group->min_operands == 0) return Match{*of_group, 1};
    const std::string wrong = of_group == nullptr || alone ? first : both;
    const std::string nearest = nearest_word(wrong, known);
    return usage("no command `zq " + wrong + "`", nearest.empty()
                                                      ? "run `zq help` to see the commands"
                                                      : "did you mean `zq " + nearest + "`?");
}

std::span<const Command> help_commands() {
    return kCommands;
}

}  // namespace zq::cli
