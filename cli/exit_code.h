// What a command ends with: its exit code, or a problem that says what, why and what to run next.
// Owns the mapping from error codes and task states to exit codes (`zq help exit-codes`).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/task_state.h"

namespace zq::cli {

enum class ExitCode : int {
    kDone = 0,
    kUnexpected = 1,
    kUsage = 2,
    kNotFound = 3,
    kDenied = 4,
    kConflict = 5,
    kUnreachable = 6,
    kRefused = 7,
    kNotFinished = 8,
    kNeedsPerson = 9,
    kFailed = 10,
    kCancelled = 11,
    kExpired = 12,
    kUnverified = 13,
    kNoAnswer = 14,
    kProblems = 20,
    kInterrupted = 130,
};

struct ExitRow {
    ExitCode code;
    std::string_view meaning;
};
/// Every exit code with its meaning, in order.
std::span<const ExitRow> exit_rows();

/// `exit` is empty where the error's code decides; `hint` where the code's own hint will do.
struct Problem {
    Error error;
    std::string hint;
    std::optional<ExitCode> exit;
    std::string_view word;  // in place of the error code's name, for what only this program knows

    Problem() = default;
    // Implicit: every `Result` of the common libraries may be passed on as it is.
    Problem(Error e) : error(std::move(e)) {}  // NOLINT(google-explicit-constructor)
    Problem(Error e, std::string h) : error(std::move(e)), hint(std::move(h)) {}
    Problem(Error e, std::string h, ExitCode x)
        : error(std::move(e)), hint(std::move(h)), exit(x) {}
};

template <class T>
using Expected = tl::expected<T, Problem>;
using Ending = Expected<ExitCode>;

/// The failed side of an Expected.
tl::unexpected<Problem> problem(ErrorCode code, std::string message, std::string hint = {});
tl::unexpected<Problem> problem(Error error, std::string hint = {});
/// A wrong command line: exit code 2.
tl::unexpected<Problem> usage(std::string message, std::string hint = {});

/// Time is over, or something else has to happen first: exit code 8.
tl::unexpected<Problem> not_finished(std::string message, std::string hint);
/// Nothing goes on before a person has answered.
tl::unexpected<Problem> needs_person(std::string message, std::string hint);

ExitCode exit_code_of(const Problem& problem);
ExitCode exit_code_of(TaskState state);
/// Of several tasks the worst counts: 10, 13, 12, 11, 9, 8, 0.
ExitCode worst(ExitCode a, ExitCode b);

/// The hint of a problem, or its code's own; may be empty.
std::string hint_of(const Problem& problem);
/// For people: up to two lines, `error: …` and `hint: …`.
std::string render_text(const Problem& problem);
/// For programs: one line, `{"error":{"code","message","hint","retryable","exit"}}`.
std::string render_json(const Problem& problem);

}  // namespace zq::cli
