// The flags of the result contract: `--expect`, `--format`, `--schema`, `--heading`,
// `--max-result`.
#pragma once

#include "cli/arguments.h"
#include "common/base/task_spec.h"

namespace zq::cli {

/// Reads them, and the schema's file. A schema makes the format json, a heading markdown, where
/// --format does not say. Errors: usage, naming the flag; INVALID and IO of the schema's file.
Expected<void> read_expected(const Arguments& args, ExpectedOutput& expected);

/// `64KiB`, `2GiB`, `4096`. Errors: usage, naming the flag.
Expected<std::uint64_t> parse_size(const std::string& text, const std::string& flag);

}  // namespace zq::cli
