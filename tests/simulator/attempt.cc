#include "tests/simulator/attempt.h"

#include <algorithm>
#include <csignal>

#include "common/platform/digest.h"

namespace zq::sim {
namespace {

constexpr Millis kGrace = millis(500);
constexpr std::size_t kLargeSize = limits::kInlineBytes + 1;

worker::AttemptEnd end_of(Fate fate) {
    worker::AttemptEnd end;
    switch (fate) {
        case Fate::kSucceed:
        case Fate::kSkip:
        case Fate::kHang:
        case Fate::kDeaf:
        case Fate::kUnmetUnseen:
        case Fate::kWrongText:
        case Fate::kTooLong:
        case Fate::kLargeResult:
        case Fate::kForgottenPut:
        case Fate::kPark:
            end.exit_code = 0;
            break;
        case Fate::kFail:
        case Fate::kBusyService:
        case Fate::kRefuse:
            end.exit_code = 1;
            break;
        case Fate::kFailForGood:
            end.exit_code = 65;
            break;
        case Fate::kCrash:
            end.signal = SIGSEGV;
            break;
        case Fate::kTryLater:
            end.exit_code = 75;
            break;
        case Fate::kNotStarted:
            end.not_started = "no such command";
            break;
    }
    return end;
}

ArtifactRef result_ref(const std::string& text, std::uint64_t size) {
    return {"result.md", sha256(text), size, "", ""};
}

/// Most are answered; the rest goes on when its time is over.
NewQuestion question_of(const wire::HeldLease& held) {
    NewQuestion question;
    question.id = "park-" + std::to_string(held.attempt);
    question.text = "How does " + held.task.text + " go on?";
    if (held.attempt % 2 == 0) question.choices = {"on", "back"};
    question.timeout = seconds(10 + 10 * (held.attempt % 5));
    return question;
}

}  // namespace

void Attempt::account(Millis boot) {
    if (runs() && !suspended_) {
        const Millis ran = boot - counted_;
        left_ = left_ - ran;
        if (timeout_left_) *timeout_left_ = *timeout_left_ - ran;
    }
    counted_ = boot;
}

void Attempt::freeze(Millis boot) {
    account(boot);
    frozen_ = true;
}

void Attempt::thaw(Millis boot) {
    account(boot);
    frozen_ = false;
}

void Attempt::suspend(Millis boot) {
    account(boot);
    suspended_ = true;
}

void Attempt::resume(Millis boot) {
    account(boot);
    suspended_ = false;
}

void Attempt::stop(worker::StopCause cause, Millis boot) {
    if (stop_ != worker::StopCause::kNone || has_ended()) return;
    stop_ = cause;
    account(boot);
    if (stage_ == Stage::kPreparing) due_ = boot;
    // The child is asked to end, and is killed after its grace, frozen or not.
    if (stage_ == Stage::kRunning) left_ = std::min(left_, kGrace);
}

void Attempt::start(Millis boot) {
    stage_ = Stage::kRunning;
    counted_ = boot;
}

void Attempt::conclude(Millis boot) {
    stage_ = Stage::kConcluding;
    due_ = boot + work_.conclude;
}

void Attempt::step(Millis boot, bool blocked) {
    account(boot);
    if (killed_) {
        stage_ = Stage::kOver;
        return;
    }
    if (stage_ == Stage::kPreparing && boot >= due_) stage_ = Stage::kPrepared;
    if (stage_ == Stage::kPrepared) {
        const bool never = stop_ != worker::StopCause::kNone || work_.fate == Fate::kNotStarted;
        if (never) {
            conclude(boot);
        } else if (!frozen_ && !blocked) {
            start(boot);
        }
    }
    if (stage_ != Stage::kRunning) return;
    if (timeout_left_ && timeout_left_->count <= 0 && stop_ == worker::StopCause::kNone) {
        stop(worker::StopCause::kTimedOut, boot);
    }
    const bool killed_frozen = frozen_ && stop_ != worker::StopCause::kNone;
    if (left_.count <= 0 || killed_frozen) conclude(boot);
}

std::optional<Millis> Attempt::deadline() const {
    switch (stage_) {
        case Stage::kPreparing:
        case Stage::kConcluding:
            return due_;
        case Stage::kRunning:
            if (frozen_) return std::nullopt;
            return counted_ + (timeout_left_ && stop_ == worker::StopCause::kNone
                                   ? std::min(left_, *timeout_left_)
                                   : left_);
        case Stage::kPrepared:
        case Stage::kOver:
            break;
    }
    return std::nullopt;
}

std::optional<ArtifactRef> Attempt::large_result() const {
    if (stop_ != worker::StopCause::kNone || work_.fate != Fate::kLargeResult) return std::nullopt;
    return result_ref(result_text(held().task, held().attempt, Text::kRight), kLargeSize);
}

wire::Body Attempt::report(const std::string& name) const {
    worker::EndFacts facts;
    facts.end = end_of(work_.fate);
    facts.end.stop = stop_;
    facts.end.duration = work_.run;
    facts.output.values["summary"] = "done by " + name;
    put_usage(facts.output.values, work_.used);
    if (work_.fate == Fate::kSkip) facts.output.values["status"] = "skipped";
    if (work_.fate == Fate::kBusyService) {
        facts.output.values["class"] = "rate_limited";
        if (held().attempt % 2 == 0) facts.output.values["retry_after"] = "4";
    }
    if (work_.fate == Fate::kRefuse) facts.output.values["class"] = "refusal";
    if (work_.fate == Fate::kTryLater) facts.output.values["retry_after"] = "3";
    const bool parks = work_.fate == Fate::kPark && stop_ == worker::StopCause::kNone;
    if (parks) {
        wire::Release release;
        release.cause = ReleaseCause::kInputRequired;
        release.reason = "waits for an answer";
        release.question = question_of(held());
        facts.said = release;
    }
    wire::Body body = worker::report_of(held(), name, facts);
    if (parks || stop_ != worker::StopCause::kNone || facts.end.exit_code != 0) return body;
    wire::Report& report = worker::report_part(body);
    const Text text = work_.fate == Fate::kWrongText ? Text::kWrong : Text::kRight;
    const std::string result = result_text(held().task, held().attempt, text);
    const bool inlined = work_.fate != Fate::kLargeResult && work_.fate != Fate::kForgottenPut;
    if (work_.fate != Fate::kUnmetUnseen) {
        const ArtifactRef ref = result_ref(result, inlined ? result.size() : kLargeSize);
        report.artifacts.push_back({ref, inlined ? std::optional(Bytes{result}) : std::nullopt});
    }
    if (work_.fate == Fate::kTooLong) report.summary.assign(limits::kSummaryBytes + 1, 'x');
    return body;
}

}  // namespace zq::sim
