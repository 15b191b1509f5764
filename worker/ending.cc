#include "worker/ending.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

#include "common/base/check.h"

namespace zq::worker {
namespace {

constexpr int kTryLater = 75;
constexpr auto kPermanent = std::to_array({64, 65, 66, 77, 78});
constexpr auto kWorkerFault = std::to_array({126, 127});

bool is_one_of(const auto& codes, int code) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::string with_words(std::string reason, const EndFacts& facts) {
    if (!facts.last_words.empty()) reason += ": " + facts.last_words;
    if (!facts.notes.empty()) reason += " (" + facts.notes + ")";
    return bounded_text(std::move(reason), limits::kReasonBytes);
}

/// A log that is not whole says so, whatever the command wrote under that key.
void note_dropped(wire::Report& report, const char* key, std::uint64_t bytes) {
    report.output.erase(key);
    if (bytes > 0) report.output[key] = std::to_string(bytes);
}

/// What kind of failure the command says it is. How it was ended by others is not its to say.
FailureClass class_said(const Output& output) {
    FailureClass failure = FailureClass::kError;
    from_text(output.value("class"), failure);
    const bool others = failure == FailureClass::kCrashed || failure == FailureClass::kTimedOut;
    return others ? FailureClass::kError : failure;
}

wire::Body failed(wire::Report report, FailureClass failure, std::string reason,
                  const EndFacts& facts) {
    wire::Fail fail;
    fail.report = std::move(report);
    fail.failure = failure == FailureClass::kError ? class_said(facts.output) : failure;
    fail.retry_after = parse_retry_after(facts.output.value("retry_after"));
    fail.reason = with_words(std::move(reason), facts);
    if (facts.end.exit_code) fail.exit_code = *facts.end.exit_code;
    return fail;
}

wire::Body released(wire::Report report, ReleaseCause cause, std::string reason, Millis delay) {
    wire::Release release;
    release.report = std::move(report);
    release.cause = cause;
    release.reason = bounded_text(std::move(reason), limits::kReasonBytes);
    release.delay = delay;
    return release;
}

/// What the check found; empty: it passed, or there is none.
std::string check_failed(const EndFacts& facts) {
    if (!facts.end.verified) return {};
    const VerifyEnd& check = *facts.end.verified;
    if (!check.not_started.empty() || (check.exit_code == 0 && !check.timed_out)) return {};
    std::string text = "the check after the command failed";
    if (check.timed_out) {
        text += ": it took longer than its time limit";
    } else if (check.exit_code) {
        text += " (exit code " + std::to_string(*check.exit_code) + ")";
    } else {
        text += " (signal " + std::to_string(check.signal) + ")";
    }
    return facts.verify_words.empty() ? text : text + ":\n" + facts.verify_words;
}

wire::Body completed(wire::Report report, const EndFacts& facts) {
    std::string unmet = facts.unmet;
    if (const std::string found = check_failed(facts); !found.empty()) {
        unmet += (unmet.empty() ? "" : "; ") + found;
    }
    if (!unmet.empty()) {
        EndFacts quiet = facts;
        quiet.last_words.clear();  // it did not complain
        return failed(std::move(report), FailureClass::kContract, std::move(unmet), quiet);
    }
    if (facts.end.verified && !facts.end.verified->not_started.empty()) {
        return released(std::move(report), ReleaseCause::kWorkerFault,
                        "the check could not be started: " + facts.end.verified->not_started, {});
    }
    wire::Complete complete;
    complete.report = std::move(report);
    return complete;
}

wire::Body succeeded(wire::Report report, const EndFacts& facts) {
    const FinalWord word = final_word(facts.output);
    const std::string reason = facts.output.value("reason");
    if (word == FinalWord::kSkipped) {
        wire::Skip skip;
        skip.report = std::move(report);
        skip.reason = bounded_text(reason, limits::kReasonBytes);
        return skip;
    }
    if (word == FinalWord::kFailed) {
        return failed(std::move(report), FailureClass::kError,
                      reason.empty() ? "the command said: failed" : reason, facts);
    }
    // The tool's own word counts where the command said none.
    if (word == FinalWord::kNone && facts.end.agent && facts.end.agent->is_error) {
        return failed(std::move(report), FailureClass::kError, facts.end.agent->reason, facts);
    }
    return completed(std::move(report), facts);
}

/// The command's final word counts, however its process ended after it.
wire::Body as_said(wire::Report report, const wire::Body& said, const EndFacts& facts) {
    if (const auto* m = std::get_if<wire::Skip>(&said)) {
        return wire::Skip{std::move(report), m->reason};
    }
    if (const auto* m = std::get_if<wire::Fail>(&said)) {
        return wire::Fail{std::move(report), m->reason, m->failure, std::nullopt, m->retry_after};
    }
    if (const auto* m = std::get_if<wire::Release>(&said)) {
        return wire::Release{std::move(report), m->reason, m->cause, m->delay, m->question};
    }
    return completed(std::move(report), facts);
}

wire::Body after_handler(wire::Report report, const EndFacts& facts) {
    const HandlerResult& result = *facts.end.handled;
    if (!result.summary.empty())
        report.summary = bounded_text(result.summary, limits::kSummaryBytes);
    switch (result.outcome) {
        case HandlerOutcome::kDone:
            return succeeded(std::move(report), facts);
        case HandlerOutcome::kSkipped: {
            wire::Skip skip;
            skip.report = std::move(report);
            skip.reason = bounded_text(result.reason, limits::kReasonBytes);
            return skip;
        }
        case HandlerOutcome::kFailed: {
            wire::Body body = failed(std::move(report), result.failure, result.reason, facts);
            std::get<wire::Fail>(body).retry_after = result.delay;
            return body;
        }
        case HandlerOutcome::kFailedForGood:
            return failed(std::move(report), FailureClass::kPermanent, result.reason, facts);
        case HandlerOutcome::kTryLater:
            break;
    }
    return released(std::move(report), ReleaseCause::kTryLater, result.reason, result.delay);
}

wire::Body after_exit(wire::Report report, const EndFacts& facts) {
    const int code = facts.end.exit_code.value_or(0);
    std::string said = "exit code " + std::to_string(code);
    if (facts.end.oom) said += ", after an oom kill";
    if (facts.end.agent && facts.end.agent->is_error) said += ": " + facts.end.agent->reason;
    // Its own word says more than its number.
    const std::string reason = facts.output.value("reason");
    if (!reason.empty()) said = reason + " (" + said + ")";
    if (code == 0) return succeeded(std::move(report), facts);
    if (code == kTryLater) {
        std::string why = facts.output.value("summary");
        return released(std::move(report), ReleaseCause::kTryLater,
                        why.empty() ? with_words("the command said: try later", facts) : why,
                        parse_retry_after(facts.output.value("retry_after")));
    }
    if (is_one_of(kWorkerFault, code)) {
        return released(std::move(report), ReleaseCause::kWorkerFault, with_words(said, facts), {});
    }
    const auto failure =
        is_one_of(kPermanent, code) ? FailureClass::kPermanent : FailureClass::kError;
    return failed(std::move(report), failure, said, facts);
}

}  // namespace

wire::Body report_of(const wire::HeldLease& held, const std::string& worker,
                     const EndFacts& facts) {
    const AttemptEnd& end = facts.end;
    wire::Report report;
    report.task = held.task;
    report.attempt = held.attempt;
    report.lease = held.lease;
    report.from = bounded_text(worker, limits::kFromBytes);
    const std::string summary = facts.output.value("summary");
    report.summary =
        bounded_text(summary.empty() ? facts.first_words : summary, limits::kSummaryBytes);
    report.output = facts.output.values;
    note_dropped(report, "stdout_dropped_bytes", end.stdout_dropped);
    note_dropped(report, "stderr_dropped_bytes", end.stderr_dropped);
    report.duration = end.duration;
    if (facts.said && end.stop != StopCause::kCancelled) {
        return as_said(std::move(report), *facts.said, facts);
    }
    switch (end.stop) {
        case StopCause::kCancelled:
            return released(std::move(report), ReleaseCause::kCancelled, "cancelled", {});
        case StopCause::kDrained:
            return released(std::move(report), ReleaseCause::kDrained, "the worker is ending", {});
        case StopCause::kOverBudget:
            return released(std::move(report), ReleaseCause::kBudget,
                            "stopped: the budget is used up", {});
        case StopCause::kTimedOut:
            return failed(std::move(report), FailureClass::kTimedOut, "run timeout", facts);
        case StopCause::kStalled:
            return failed(std::move(report), FailureClass::kError,
                          "stalled: no output and no change in its folder for the stall timeout",
                          facts);
        case StopCause::kLingered:
            return succeeded(std::move(report), facts);
        case StopCause::kNone:
            break;
    }
    if (!end.not_started.empty()) {
        return released(std::move(report), ReleaseCause::kWorkerFault, end.not_started, {});
    }
    if (!end.not_fetched.empty()) {
        return failed(std::move(report), FailureClass::kError, end.not_fetched, facts);
    }
    if (!end.drifted.empty()) {
        return failed(std::move(report), FailureClass::kPermanent, end.drifted, facts);
    }
    if (end.handled) return after_handler(std::move(report), facts);
    if (end.signal == SIGKILL && end.oom) {
        return failed(std::move(report), FailureClass::kCrashed,
                      "oom: killed by the kernel for want of memory", facts);
    }
    if (end.signal != 0) {
        const char* name = ::sigabbrev_np(end.signal);
        return failed(std::move(report), FailureClass::kCrashed,
                      "killed by signal " + std::to_string(end.signal) +
                          (name == nullptr ? std::string() : " (SIG" + std::string(name) + ")"),
                      facts);
    }
    return after_exit(std::move(report), facts);
}

wire::Report& report_part(wire::Body& body) {
    if (auto* m = std::get_if<wire::Complete>(&body)) return m->report;
    if (auto* m = std::get_if<wire::Skip>(&body)) return m->report;
    if (auto* m = std::get_if<wire::Fail>(&body)) return m->report;
    auto* m = std::get_if<wire::Release>(&body);
    ZQ_CHECK(m != nullptr);
    return m->report;
}

Millis parse_retry_after(const std::string& text) {
    std::int64_t count = 0;
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    Millis delay{};
    if (error == std::errc{} && stop == text.data() + text.size()) {
        if (count > limits::kLongest.count / 1000) return limits::kLongest;
        delay = seconds(count);
    } else if (auto parsed = parse_duration(text, "retry_after")) {
        delay = *parsed;
    }
    return std::clamp(delay, Millis{}, limits::kLongest);
}

std::string bounded_text(std::string text, std::size_t limit) {
    if (text.size() > limit) {
        text.resize(limit);
        // Back to the border of a character: at most three bytes.
        for (int i = 0; i < 3 && !text.empty() && !pack::is_utf8(text); ++i) text.pop_back();
    }
    if (!pack::is_utf8(text)) {
        for (char& c : text) {
            if ((static_cast<unsigned char>(c) & 0x80U) != 0) c = '?';
        }
    }
    return text;
}

}  // namespace zq::worker
