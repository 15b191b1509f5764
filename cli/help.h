// Help texts, all made from the table of commands and the lists of codes: nothing is said twice.
#pragma once

#include <string>

#include "cli/command.h"

namespace zq::cli {

/// What `zq` alone and `zq help` print.
std::string overview();
/// What `zq help COMMAND` and `zq COMMAND --help` print.
std::string command_help(const Command& command);
/// A page that is about no single command; empty where there is no such page.
std::string topic_help(const std::string& topic);

}  // namespace zq::cli
