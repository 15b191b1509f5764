// The artifacts of the task around this command, while its attempt runs: files of its own folders.
// Everything in $ZQ_OUT becomes an artifact when the attempt ends; the inputs lie in `context`.
#pragma once

#include "cli/own_task.h"

namespace zq::cli {

/// Lays a file into $ZQ_OUT under its name, or the one of --name.
Ending put_own_artifact(const Context& context, const OwnTask& own, const std::string& file);
/// Lists what is in $ZQ_OUT and among the inputs.
Ending list_own_artifacts(const Context& context, const OwnTask& own);
/// Prints the file of this name: of $ZQ_OUT, else of the inputs.
Ending print_own_artifact(const Context& context, const OwnTask& own, const std::string& name);

/// Files below a folder, by their names there, sorted.
std::vector<std::string> own_files(const std::string& folder);
/// Prints a file's bytes: escaped on a terminal unless `--raw` is given.
Ending print_own_file(const Context& context, const std::string& path);

}  // namespace zq::cli
