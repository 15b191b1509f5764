// One command line, taken apart by a command's row of the table. CLI11 is seen by arguments.cc
// alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "common/base/time.h"

namespace zq::cli {

struct Command;

class Arguments {
  public:
    /// `words`: everything after the command's name. Errors: usage, with a suggestion.
    static Expected<Arguments> parse(const Command& command, std::vector<std::string> words);

    const std::vector<std::string>& operands() const { return operands_; }
    /// The n-th operand; empty where there are fewer.
    std::string operand(std::size_t n) const;

    bool has(std::string_view flag) const;
    /// The value; empty where the flag is not given.
    std::string text(std::string_view flag) const;
    std::vector<std::string> values(std::string_view flag) const;
    /// Nullopt where the flag is not given. Errors: usage, naming the flag.
    Expected<std::optional<Millis>> duration(std::string_view flag) const;
    Expected<std::optional<std::uint64_t>> number(std::string_view flag, std::uint64_t min,
                                                  std::uint64_t max) const;
    /// True if `--help` or `-h` was there.
    bool wants_help() const { return has("help"); }

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> flags_;
    std::vector<std::string> operands_;
};

/// The flags a command has: its own and those of the sets it uses.
std::vector<struct Flag> all_flags(const Command& command);

/// `--name`, as people write it.
std::string dashed(std::string_view flag);

}  // namespace zq::cli
