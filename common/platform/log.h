// The log, by spdlog: one line a fact, on stderr, key=value. Never payloads, never keys:
// what looks like a secret all the same is taken out (`[redacted:KIND]`).
//
//     log_info("task assigned", {{"task", id.text}, {"attempt", "1"}});
//     -> 2026-11-20T12:31:07.042Z info task assigned task=t-01… attempt=1
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"

namespace zq {

using LogField = std::pair<std::string_view, std::string>;
using LogFields = std::initializer_list<LogField>;

/// `debug`, `info`, `warn` or `error`; default `info`. `off`, for tests alone, drops everything.
/// Errors: INVALID.
Result<void> set_log_level(std::string_view level);

void log_debug(std::string_view fact, LogFields fields = {});
void log_info(std::string_view fact, LogFields fields = {});
void log_warn(std::string_view fact, LogFields fields = {});
void log_error(std::string_view fact, LogFields fields = {});

}  // namespace zq
