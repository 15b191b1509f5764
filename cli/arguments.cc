#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/command.h"
#include "cli/text.h"
#include "common/base/nearest.h"
#include "common/base/task_spec.h"
#include "common/platform/pack.h"

namespace zq::cli {
namespace {

constexpr Flag kHelp{"help", "", "Print this help", Takes::kNothing, "", 'h'};
constexpr Flag kConnect{
    "connect",     "ADDRESS", "The coordinator (default: ZQ_CONNECT, then the profile)",
    Takes::kValue, "",        0};
constexpr Flag kDryRun{"dry-run",       "", "Say what would be done, change nothing",
                       Takes::kNothing, "", 0};
constexpr auto kOutput = std::to_array<Flag>({
    {"output", "FORMAT", "table, wide, json, jsonl, tsv, id or none", Takes::kValue, "", 'o'},
    {"json", "", "The same as -o json", Takes::kNothing, "", 0},
    {"quiet", "", "Ids only, the same as -o id", Takes::kNothing, "", 'q'},
    {"fields", "A,B", "Only these columns or keys", Takes::kValue, "", 0},
    {"color", "WHEN", "auto, always or never", Takes::kValue, "", 0},
});

std::string spelling_of(const Flag& flag) {
    std::string names = dashed(flag.name);
    if (!flag.alias.empty()) names += "," + dashed(flag.alias);
    if (flag.letter != 0) names += std::string(",-") + flag.letter;
    return names;
}

/// The parser keeps its values here until they are taken over.
struct Slot {
    std::string name;
    std::vector<std::string> values;
    std::size_t count = 0;
    CLI::Option* option = nullptr;
};

void declare(CLI::App& app, const Flag& flag, Slot& slot) {
    slot.name = std::string(flag.name);
    if (flag.takes == Takes::kNothing) {
        slot.option = app.add_flag(spelling_of(flag));
        return;
    }
    // Without "extra" arguments a value like `[1,2]` stays the text it is.
    slot.option =
        app.add_option(spelling_of(flag), slot.values)->expected(1)->allow_extra_args(false);
    slot.option->multi_option_policy(flag.takes == Takes::kValues ? CLI::MultiOptionPolicy::TakeAll
                                                                  : CLI::MultiOptionPolicy::Throw);
}

tl::unexpected<Problem> unknown_flag(const Command& command, const std::string& word) {
    std::vector<std::string> known;
    for (const Flag& flag : all_flags(command)) {
        known.push_back(dashed(flag.name));
        if (!flag.alias.empty()) known.push_back(dashed(flag.alias));
    }
    const std::string nearest = nearest_word(word.substr(0, word.find('=')), known);
    std::string hint = "run `zq help " + std::string(command.name) + "` to see its flags";
    if (!nearest.empty()) hint = "did you mean " + nearest + "?";
    return usage("zq " + std::string(command.name) + " has no flag " + word, hint);
}

Expected<std::vector<std::string>> check_operands(const Command& command,
                                                  std::vector<std::string> operands) {
    const std::string line = "zq " + std::string(command.name) +
                             (command.operands.empty() ? "" : " ") + std::string(command.operands);
    if (operands.size() < command.min_operands) return usage("missing operand; write: " + line);
    if (operands.size() > command.max_operands) {
        return usage("'" + operands[command.max_operands] +
                     "' is one operand too many; write: " + line);
    }
    return operands;
}

}  // namespace

std::string dashed(std::string_view flag) {
    return "--" + std::string(flag);
}

std::vector<Flag> all_flags(const Command& command) {
    std::vector<Flag> flags(command.flags.begin(), command.flags.end());
    if (command.uses.dry_run) flags.push_back(kDryRun);
    if (command.uses.connection) flags.push_back(kConnect);
    if (command.uses.output) flags.insert(flags.end(), kOutput.begin(), kOutput.end());
    flags.push_back(kHelp);
    return flags;
}

Expected<Arguments> Arguments::parse(const Command& command, std::vector<std::string> words) {
    // Everything that is sent is text: better refused here, by its word, than there.
    for (const std::string& word : words) {
        if (!pack::is_utf8(word)) return usage("not UTF-8: '" + escape_line(word) + "'");
    }
    // After `--` every word is an operand; the parser need not see those.
    const auto dashes = std::find(words.begin(), words.end(), "--");
    std::vector<std::string> after;
    if (dashes != words.end()) after.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());

    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    const std::vector<Flag> flags = all_flags(command);
    std::vector<Slot> slots(flags.size());
    for (std::size_t i = 0; i < flags.size(); ++i) declare(app, flags[i], slots[i]);
    try {
        std::vector<std::string> reversed(words.rbegin(), words.rend());
        app.parse(reversed);
    } catch (const CLI::ParseError& error) {
        return usage(error.what(),
                     "run `zq help " + std::string(command.name) + "` to see its flags");
    }

    Arguments arguments;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].option->count() == 0) continue;
        const bool is_switch = flags[i].takes == Takes::kNothing;
        if (is_switch && slots[i].option->results().front() != "true") {
            return usage(dashed(flags[i].name) + " takes no value");
        }
        arguments.flags_[slots[i].name] = std::move(slots[i].values);
    }
    if (arguments.wants_help()) return arguments;
    std::vector<std::string> operands;
    for (std::string& word : app.remaining()) {
        if (word.size() > 1 && word[0] == '-') return unknown_flag(command, word);
        operands.push_back(std::move(word));
    }
    operands.insert(operands.end(), after.begin(), after.end());
    auto checked = check_operands(command, std::move(operands));
    if (!checked) return tl::unexpected(checked.error());
    arguments.operands_ = std::move(*checked);
    return arguments;
}

std::string Arguments::operand(std::size_t n) const {
    return n < operands_.size() ? operands_[n] : std::string{};
}

bool Arguments::has(std::string_view flag) const {
    return flags_.find(flag) != flags_.end();
}

std::string Arguments::text(std::string_view flag) const {
    auto found = flags_.find(flag);
    return found == flags_.end() || found->second.empty() ? std::string{} : found->second.front();
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
    auto found = flags_.find(flag);
    return found == flags_.end() ? std::vector<std::string>{} : found->second;
}

Expected<std::optional<Millis>> Arguments::duration(std::string_view flag) const {
    if (!has(flag)) return std::optional<Millis>{};
    auto value = parse_duration(text(flag), dashed(flag));
    if (!value) return problem(value.error());
    return std::optional(*value);
}

Expected<std::optional<std::uint64_t>> Arguments::number(std::string_view flag, std::uint64_t min,
                                                         std::uint64_t max) const {
    if (!has(flag)) return std::optional<std::uint64_t>{};
    const std::string word = text(flag);
    std::uint64_t value = 0;
    const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (status != std::errc{} || end != word.data() + word.size() || value < min || value > max) {
        return usage(dashed(flag) + " takes a number from " + std::to_string(min) + " to " +
                     std::to_string(max) + ", not '" + word + "'");
    }
    return std::optional(value);
}

}  // namespace zq::cli
