#include "cli/program.h"

#include <algorithm>

#include "cli/command_table.h"
#include "cli/help.h"

namespace zq::cli {
namespace {

bool takes_value(const std::string& flag) {
    return flag == "--connect" || flag == "-o" || flag == "--output" || flag == "--fields" ||
           flag == "--color";
}

/// Flags before the command's name go behind it: `zq --connect X ls` is `zq ls --connect X`.
std::vector<std::string> command_first(const std::vector<std::string>& words) {
    std::size_t n = 0;
    while (n < words.size() && words[n].size() > 1 && words[n][0] == '-') {
        n += takes_value(words[n]) ? 2 : 1;
    }
    if (n == 0 || n >= words.size()) return words;
    // The name is one word or two; the flags go to the end of it, so that operands keep their
    // order.
    std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(n), words.end());
    auto match = find_command(rest);
    const std::size_t at = match ? match->words : 1;
    rest.insert(rest.begin() + static_cast<std::ptrdiff_t>(at), words.begin(),
                words.begin() + static_cast<std::ptrdiff_t>(n));
    return rest;
}

/// True if errors shall be JSON: asked for, as far as the words could be read.
bool asks_for_json(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
        const std::string& word = words[i];
        const std::string next = i + 1 < words.size() ? words[i + 1] : "";
        if (word == "--json" || word == "-ojson" || word == "-ojsonl") return true;
        if (word == "--output=json" || word == "--output=jsonl") return true;
        if ((word == "-o" || word == "--output") && (next == "json" || next == "jsonl"))
            return true;
    }
    return false;
}

Ending run_words(const std::vector<std::string>& given) {
    const std::vector<std::string> words = command_first(given);
    const bool asks_help =
        words.empty() || (words.size() == 1 && (words[0] == "--help" || words[0] == "-h"));
    if (asks_help) {
        print_raw(overview());
        return words.empty() ? ExitCode::kUsage : ExitCode::kDone;
    }
    if (words.size() == 1 && words[0] == "--version") return run_words({"version"});
    auto match = find_command(words);
    if (!match) return tl::unexpected(match.error());
    const Command& command = match->command;
    auto args = Arguments::parse(
        command, {words.begin() + static_cast<std::ptrdiff_t>(match->words), words.end()});
    if (!args) return tl::unexpected(args.error());
    if (args->wants_help()) {
        print_raw(command_help(command));
        return ExitCode::kDone;
    }
    auto options = output_options(*args);
    if (!options) return tl::unexpected(options.error());
    return command.run({*args, *options});
}

}  // namespace

int run_program(const std::vector<std::string>& words) {
    const Ending ending = run_words(words);
    if (ending) return static_cast<int>(*ending);
    std::string text =
        asks_for_json(words) ? render_json(ending.error()) : render_text(ending.error());
    text.pop_back();  // note() ends the line
    note(text);
    return static_cast<int>(exit_code_of(ending.error()));
}

}  // namespace zq::cli
