#include "cli/exit_code.h"

#include <algorithm>
#include <array>

#include "cli/text.h"
#include "common/platform/json.h"

namespace zq::cli {
namespace {

constexpr auto kRows = std::to_array<ExitRow>({
    {ExitCode::kDone, "done (for wait, result and run: the task completed or was skipped)"},
    {ExitCode::kUnexpected, "unexpected error"},
    {ExitCode::kUsage, "usage, or a value the coordinator refuses as invalid"},
    {ExitCode::kNotFound, "not found"},
    {ExitCode::kDenied, "not authenticated or not allowed"},
    {ExitCode::kConflict,
     "conflict: already ended, stale lease, held by another, key reused with another body"},
    {ExitCode::kUnreachable, "coordinator unreachable, or protocol mismatch"},
    {ExitCode::kRefused, "refused: queue full, role draining, storage full, busy"},
    {ExitCode::kNotFinished, "not finished yet, healthy, or nothing to claim: ask again"},
    {ExitCode::kNeedsPerson, "needs a person"},
    {ExitCode::kFailed, "the task failed (dead)"},
    {ExitCode::kCancelled, "the task was cancelled"},
    {ExitCode::kExpired, "the task expired"},
    {ExitCode::kUnverified, "the result does not verify"},
    {ExitCode::kNoAnswer, "nobody has answered in time (zq ask)"},
    {ExitCode::kProblems, "a check found problems"},
    {ExitCode::kInterrupted, "interrupted (143: terminated)"},
});

// From the worst to the best.
constexpr auto kSeverity = std::to_array<ExitCode>(
    {ExitCode::kFailed, ExitCode::kUnverified, ExitCode::kExpired, ExitCode::kCancelled,
     ExitCode::kNeedsPerson, ExitCode::kNotFinished, ExitCode::kDone});

ExitCode exit_code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::INVALID:
        case ErrorCode::TOO_LARGE:
        case ErrorCode::CONTRACT:
        case ErrorCode::SECRET_FOUND:
            return ExitCode::kUsage;
        case ErrorCode::NOT_FOUND:
            return ExitCode::kNotFound;
        case ErrorCode::DENIED:
            return ExitCode::kDenied;
        case ErrorCode::CONFLICT:
        case ErrorCode::STALE_LEASE:
        case ErrorCode::NAME_IN_USE:
        case ErrorCode::SUPERSEDED:
            return ExitCode::kConflict;
        case ErrorCode::UNREACHABLE:
        case ErrorCode::SHUTTING_DOWN:
        case ErrorCode::MALFORMED:
        case ErrorCode::UNKNOWN_TYPE:
        case ErrorCode::HELLO_FIRST:
        case ErrorCode::UNSUPPORTED_VERSION:
            return ExitCode::kUnreachable;
        case ErrorCode::QUEUE_FULL:
        case ErrorCode::DRAINING:
        case ErrorCode::STORAGE_FULL:
        case ErrorCode::BUSY:
            return ExitCode::kRefused;
        case ErrorCode::NOTHING_TO_CLAIM:
            return ExitCode::kNotFinished;
        case ErrorCode::DIGEST_MISMATCH:
            return ExitCode::kUnverified;
        case ErrorCode::MISSING_CONTENT:
        case ErrorCode::IO:
            return ExitCode::kUnexpected;
    }
    return ExitCode::kUnexpected;
}

std::string_view own_hint(const Error& error) {
    switch (error.code) {
        case ErrorCode::UNREACHABLE:
            return "run `zq ping` to test the connection; --connect or ZQ_CONNECT names another "
                   "one";
        case ErrorCode::NOT_FOUND:
            if (error.field == "key") return "run `zq access ls` to see the keys";
            return "run `zq ls` to see the tasks";
        case ErrorCode::STALE_LEASE:
            return "the lease has ended; `zq show ID` says who has it now";
        case ErrorCode::QUEUE_FULL:
        case ErrorCode::BUSY:
            return "try again later";
        case ErrorCode::STORAGE_FULL:
            return "free space on the coordinator's disk";
        case ErrorCode::NOTHING_TO_CLAIM:
            return "`--wait 30s` waits for a task";
        case ErrorCode::UNSUPPORTED_VERSION:
            return "use the zq of the coordinator's version; `zq version` prints this one's";
        default:
            return "";
    }
}

}  // namespace

std::span<const ExitRow> exit_rows() {
    return kRows;
}

tl::unexpected<Problem> problem(ErrorCode code, std::string message, std::string hint) {
    return tl::unexpected(Problem(Error{code, std::move(message), {}, {}}, std::move(hint)));
}

tl::unexpected<Problem> problem(Error error, std::string hint) {
    return tl::unexpected(Problem(std::move(error), std::move(hint)));
}

tl::unexpected<Problem> usage(std::string message, std::string hint) {
    return tl::unexpected(Problem(Error{ErrorCode::INVALID, std::move(message), {}, {}},
                                  std::move(hint), ExitCode::kUsage));
}

tl::unexpected<Problem> not_finished(std::string message, std::string hint) {
    Problem problem(Error{ErrorCode::NOTHING_TO_CLAIM, std::move(message), {}, {}}, std::move(hint),
                    ExitCode::kNotFinished);
    problem.word = "NOT_FINISHED";
    return tl::unexpected(std::move(problem));
}

tl::unexpected<Problem> needs_person(std::string message, std::string hint) {
    Problem problem(Error{ErrorCode::NOTHING_TO_CLAIM, std::move(message), {}, {}}, std::move(hint),
                    ExitCode::kNeedsPerson);
    problem.word = "NEEDS_PERSON";
    return tl::unexpected(std::move(problem));
}

ExitCode exit_code_of(const Problem& problem) {
    return problem.exit ? *problem.exit : exit_code_of(problem.error.code);
}

ExitCode exit_code_of(TaskState state) {
    switch (state) {
        case TaskState::kCompleted:
        case TaskState::kSkipped:
            return ExitCode::kDone;
        case TaskState::kDead:
            return ExitCode::kFailed;
        case TaskState::kCancelled:
            return ExitCode::kCancelled;
        case TaskState::kExpired:
            return ExitCode::kExpired;
        case TaskState::kInputRequired:
        case TaskState::kInReview:
            return ExitCode::kNeedsPerson;
        case TaskState::kScheduled:
        case TaskState::kBlocked:
        case TaskState::kQueued:
        case TaskState::kRunning:
        case TaskState::kRetryWait:
        case TaskState::kCancelling:
            return ExitCode::kNotFinished;
    }
    return ExitCode::kUnexpected;
}

ExitCode worst(ExitCode a, ExitCode b) {
    const auto rank = [](ExitCode code) {
        return std::find(kSeverity.begin(), kSeverity.end(), code);
    };
    return rank(a) <= rank(b) ? a : b;
}

std::string hint_of(const Problem& problem) {
    if (!problem.hint.empty()) return problem.hint;
    return std::string(own_hint(problem.error));
}

std::string render_text(const Problem& problem) {
    const Error& error = problem.error;
    std::string text = "error: " + escape_line(error.message);
    if (!error.field.empty()) text += " (" + escape_line(error.field) + ")";
    text += "\n";
    if (auto hint = hint_of(problem); !hint.empty()) text += "hint: " + escape_line(hint) + "\n";
    return text;
}

std::string render_json(const Problem& problem) {
    const Error& error = problem.error;
    Json inner = Json::object();
    inner.set("code", Json::text(problem.word.empty() ? to_string(error.code) : problem.word));
    inner.set("message", Json::text(error.message));
    if (!error.field.empty()) inner.set("field", Json::text(error.field));
    inner.set("hint", Json::text(hint_of(problem)));
    inner.set("retryable", Json::boolean(retryable(error.code)));
    if (error.retry_after.count > 0) {
        inner.set("retry_after_ms", Json::number(error.retry_after.count));
    }
    inner.set("exit", Json::number(static_cast<std::int64_t>(exit_code_of(problem))));
    Json outer = Json::object();
    outer.set("error", std::move(inner));
    return outer.dump() + "\n";
}

}  // namespace zq::cli
