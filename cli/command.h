// The shape of a command: what the table of commands (command_table.h) holds of each, for parsing,
// help and suggestions alike, and what a command gets to run with.
#pragma once

#include <span>
#include <string_view>

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace zq::cli {

enum class Takes : std::uint8_t { kNothing, kValue, kValues };

struct Flag {
    std::string_view name;   // without the dashes
    std::string_view value;  // what stands for the value in the help
    std::string_view help;
    Takes takes = Takes::kValue;
    std::string_view alias = {};  // another long name
    char letter = 0;
};

/// Sets of flags that many commands have.
struct Uses {
    bool connection = false;  // --connect
    bool output = false;      // -o --json -q --fields --color
    bool dry_run = false;     // --dry-run
};

struct Context {
    const Arguments& args;
    const OutputOptions& output;
};

struct Command {
    std::string_view name;     // `submit`, or `worker ls`
    std::string_view section;  // heading in the overview
    std::string_view operands;
    std::string_view summary;
    std::string_view notes = {};  // more help, of several lines
    std::span<const Flag> flags = {};
    Uses uses = {};
    std::size_t min_operands = 0;
    std::size_t max_operands = 0;
    Ending (*run)(const Context&) = nullptr;
};

inline constexpr std::size_t kAnyNumber = 100'000;

}  // namespace zq::cli
