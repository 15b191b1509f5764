#include "worker/attempts.h"

#include <algorithm>

#include "common/platform/clock.h"
#include "common/platform/log.h"
#include "worker/command.h"
#include "worker/ending.h"
#include "worker/executor/handler_thread.h"
#include "worker/task_socket/kept.h"
#include "worker/workspace/output_file.h"

namespace zq::worker {
namespace {

/// The shorter of two limits, 0 standing for none.
Millis shorter(Millis a, Millis b) {
    if (a.count == 0) return b;
    if (b.count == 0) return a;
    return std::min(a, b);
}

/// True if nothing yet says that the attempt is anything but done: worth the check.
bool may_be_done(const AttemptEnd& end, const Workspace& workspace) {
    const bool ended_itself = end.stop == StopCause::kNone;
    if (!ended_itself && end.stop != StopCause::kLingered) return false;
    if (const auto said = read_final_word(workspace)) {
        return std::holds_alternative<wire::Complete>(*said);
    }
    const FinalWord word = final_word(read_output(workspace.output_file()));
    if (word == FinalWord::kSkipped || word == FinalWord::kFailed) return false;
    if (end.handled) return end.handled->outcome == HandlerOutcome::kDone;
    if (word == FinalWord::kNone && end.agent && end.agent->is_error) return false;
    return !ended_itself || (end.signal == 0 && end.exit_code == 0);
}

}  // namespace

Attempts::Attempts(const WorkerOptions& options, const Handlers& handlers, const StateFolder& state,
                   Uploader& uploader, LogSender& logs)
    : options_(options),
      handlers_(handlers),
      state_(state),
      uploader_(uploader),
      logs_(logs),
      resume_ids_(state.sessions()) {
    resume_ids_.prune();
}

void Attempts::start(const wire::Assign& assign, const std::string& socket) {
    Attempt attempt;
    attempt.assign = assign;
    attempt.workspace = workspace_of(attempt.held());
    attempt.workspace.socket = socket;
    attempt.run_until = kNoTime;
    uploader_.add(PrepareJob{assign, attempt.workspace});
    attempts_[assign.lease] = std::move(attempt);
}

void Attempts::freeze(const LeaseToken& lease) {
    restless_ = true;
    auto found = attempts_.find(lease);
    if (found == attempts_.end() || found->second.frozen) return;
    found->second.frozen = true;
    found->second.frozen_at = boottime();
    if (found->second.execution) found->second.execution->freeze();
}

void Attempts::thaw(const LeaseToken& lease, Millis now) {
    restless_ = true;
    auto found = attempts_.find(lease);
    if (found == attempts_.end() || !found->second.frozen) return;
    Attempt& attempt = found->second;
    attempt.frozen = false;
    // What it could not run does not count as its run time.
    if (attempt.run_until != kNoTime) {
        attempt.run_until = attempt.run_until + (now - attempt.frozen_at);
    }
    if (attempt.watch) attempt.watch->shift(now - attempt.frozen_at);
    if (attempt.execution) attempt.execution->thaw();
    log_info("thawed", {{"task", attempt.assign.task.id.text}});
}

void Attempts::stop(const LeaseToken& lease, StopCause cause, Millis now) {
    restless_ = true;
    auto found = attempts_.find(lease);
    if (found == attempts_.end() || found->second.stop != StopCause::kNone) return;
    Attempt& attempt = found->second;
    if (attempt.stage == Stage::kConcluding) return;
    attempt.stop = cause;
    if (attempt.stage == Stage::kPreparing) uploader_.abandon(lease);
    if (!attempt.execution) return;
    if (cause == StopCause::kCancelled || cause == StopCause::kOverBudget) {
        const char* why = cause == StopCause::kCancelled ? "cancelled\n" : "budget\n";
        (void)write_file(attempt.workspace.cancel_file(), why, 0600, Durability::kNone);
    }
    attempt.execution->stop(cause, now);
}

void Attempts::kill(const LeaseToken& lease) {
    restless_ = true;
    auto found = attempts_.find(lease);
    if (found == attempts_.end()) {
        news_.push_back(Gone{lease});
        return;
    }
    found->second.killed = true;
    uploader_.abandon(lease);
    if (found->second.execution) found->second.execution->kill();
}

void Attempts::stop_all(StopCause cause, Millis now) {
    for (auto& [lease, attempt] : attempts_) stop(lease, cause, now);
}

void Attempts::kill_all() {
    for (auto& [lease, attempt] : attempts_) {
        attempt.killed = true;
        if (attempt.execution) attempt.execution->kill();
    }
}

void Attempts::reap() const {
    reap_orphans(mains());
}

void Attempts::settled(const wire::HeldLease& held, TaskState state) const {
    // A dead one may be replayed, and goes on then.
    if (is_final(state) && state != TaskState::kDead) resume_ids_.forget(held.task);
}

void Attempts::take(News news) {
    if (auto* stored = std::get_if<ContentStored>(&news)) {
        news_.push_back(*stored);
        return;
    }
    if (auto* stored = std::get_if<WordStored>(&news)) {
        news_.push_back(*stored);
        return;
    }
    if (auto* fetched = std::get_if<PreviousFetched>(&news)) {
        news_.push_back(std::move(*fetched));
        return;
    }
    const LeaseToken lease = std::visit([](const auto& n) { return n.lease; }, news);
    auto found = attempts_.find(lease);
    if (found == attempts_.end()) {
        // A report that is not of this start's attempts was replaced.
        if (auto* done = std::get_if<Concluded>(&news)) {
            news_.push_back(Reported{lease, std::move(done->report)});
        }
        return;
    }
    Attempt& attempt = found->second;
    if (attempt.stage == Stage::kPreparing) {
        attempt.stage = Stage::kPrepared;
        const auto* prepared = std::get_if<Prepared>(&news);
        if (prepared != nullptr && !prepared->secrets.empty()) {
            attempt.secrets = prepared->secrets;
            news_.push_back(Hidden{lease, attempt.secrets});
        }
        if (attempt.killed || attempt.stop != StopCause::kNone || prepared == nullptr) return;
        const bool ready = prepared->not_started.empty() && prepared->not_fetched.empty() &&
                           prepared->drifted.empty();
        if (ready) return;
        AttemptEnd end;
        end.drifted = prepared->drifted;
        end.not_started = prepared->not_started;
        end.not_fetched = prepared->not_fetched;
        conclude(attempt, std::move(end));
        return;
    }
    if (attempt.killed) {
        uploader_.add(RemoveJob{lease, attempt.workspace, options_.keep, {}, attempt.secrets});
        news_.push_back(Gone{lease});
    } else if (auto* done = std::get_if<Concluded>(&news)) {
        const auto& output = report_part(done->report).output;
        const auto session = output.find("session_id");
        if (session != output.end()) resume_ids_.remember(attempt.assign.task.id, session->second);
        news_.push_back(Reported{lease, std::move(done->report)});
    } else if (std::holds_alternative<Disowned>(news)) {
        news_.push_back(Disowned{lease});
    }
    attempts_.erase(found);
}

std::vector<AttemptNews> Attempts::step(Millis now) {
    restless_ = false;
    for (auto& [lease, attempt] : attempts_) step(attempt, now);
    std::erase_if(attempts_, [this](const auto& entry) {
        const Attempt& attempt = entry.second;
        if (!attempt.killed || attempt.stage != Stage::kPrepared) return false;
        uploader_.add(
            RemoveJob{entry.first, attempt.workspace, options_.keep, {}, attempt.secrets});
        news_.push_back(Gone{entry.first});
        return true;
    });
    return std::exchange(news_, {});
}

void Attempts::step(Attempt& attempt, Millis now) {
    if (attempt.stage == Stage::kPrepared && !attempt.killed) {
        if (attempt.stop != StopCause::kNone) {
            AttemptEnd end;
            end.stop = attempt.stop;
            conclude(attempt, std::move(end));
        } else if (!attempt.frozen && !blocked_by_another(attempt)) {
            run(attempt, now);
        }
    }
    if (!attempt.runs()) return;
    if (!attempt.frozen && attempt.stop == StopCause::kNone) watch(attempt, now);
    auto end = attempt.execution->step(now);
    if (!end) return;
    attempt.execution.reset();
    logs_.close(attempt.assign.lease);
    restless_ = true;  // another attempt of the task may have waited for this
    if (running() == 0) kill_strays();
    reap();
    if (attempt.killed) {
        attempt.stage = Stage::kPrepared;  // nothing of it lives: `step` lets it go
        return;
    }
    if (attempt.stage == Stage::kVerifying) {
        AttemptEnd whole = std::move(attempt.ended);
        const bool late = end->stop == StopCause::kTimedOut;
        whole.verified = VerifyEnd{end->exit_code, end->signal, late, {}};
        const bool ended_by_us = attempt.stop == StopCause::kCancelled ||
                                 attempt.stop == StopCause::kOverBudget ||
                                 attempt.stop == StopCause::kDrained;
        if (ended_by_us) whole.stop = attempt.stop;
        return conclude(attempt, std::move(whole));
    }
    if (!options_.verify.empty() && may_be_done(*end, attempt.workspace)) {
        return verify(attempt, std::move(*end), now);
    }
    conclude(attempt, std::move(*end));
}

/// Runs the worker's own check over what a command left.
void Attempts::verify(Attempt& attempt, AttemptEnd end, Millis now) {
    attempt.stage = Stage::kVerifying;
    attempt.stop = StopCause::kNone;  // a command that lingered has ended
    attempt.watch.reset();
    attempt.meter.reset();
    attempt.run_until = kNoTime;
    if (options_.verify_timeout.count > 0) attempt.run_until = now + options_.verify_timeout;
    auto child = start_check(
        {options_, attempt.assign, attempt.workspace, {}, {}, nullptr, attempt.secrets}, now);
    if (!child) {
        end.verified = VerifyEnd{std::nullopt, 0, false, child.error().message};
        return conclude(attempt, std::move(end));
    }
    attempt.ended = std::move(end);
    attempt.execution = std::move(*child);
    if (attempt.frozen) attempt.execution->freeze();
    log_info("checking", {{"task", attempt.assign.task.id.text}});
}

/// Ends what has run, lingered or been silent for too long.
void Attempts::watch(Attempt& attempt, Millis now) {
    if (now >= attempt.run_until) {
        log_info(attempt.stage == Stage::kVerifying ? "verify timeout" : "run timeout",
                 {{"task", attempt.assign.task.id.text}});
        attempt.run_until = kNoTime;
        attempt.stop = StopCause::kTimedOut;
        return attempt.execution->stop(attempt.stop, now);
    }
    if (attempt.meter) {
        if (auto used = attempt.meter->look(now)) news_.push_back(Used{attempt.held(), *used});
    }
    if (!attempt.watch) return;
    const auto cause = attempt.watch->look(attempt.execution->signs(), now);
    if (!cause) return;
    attempt.stop = *cause;
    attempt.execution->stop(*cause, now);
    if (*cause == StopCause::kLingered) {
        log_info("killed: it had said its final word and did not end",
                 {{"task", attempt.assign.task.id.text}});
        attempt.execution->kill();  // it had its time already
    } else {
        log_warn("stalled: no output and no change in its folder",
                 {{"task", attempt.assign.task.id.text},
                  {"for", to_string(attempt.watch->limits().stall)}});
    }
}

void Attempts::run(Attempt& attempt, Millis now) {
    const Millis timeout = shorter(options_.run_timeout, attempt.assign.run_timeout);
    if (auto started = execute(attempt, timeout, now); !started) {
        log_error("cannot start",
                  {{"task", attempt.assign.task.id.text}, {"reason", started.error().message}});
        AttemptEnd end;
        end.not_started = started.error().message;
        return conclude(attempt, std::move(end));
    }
    attempt.stage = Stage::kRunning;
    if (timeout.count > 0) attempt.run_until = now + timeout;
    log_info("started", {{"task", attempt.assign.task.id.text},
                         {"attempt", std::to_string(attempt.assign.attempt)},
                         {"folder", attempt.workspace.folder}});
}

Result<void> Attempts::execute(Attempt& attempt, Millis timeout, Millis now) {
    const wire::Assign& assign = attempt.assign;
    if (auto handler = handlers_.find(assign.task.role.text); handler != handlers_.end()) {
        attempt.execution = std::make_unique<HandlerThread>(
            handler->second, assign.task, assign.attempt, attempt.workspace.folder, now);
        return {};
    }
    if (options_.command.empty()) {
        return fail(ErrorCode::IO,
                    "no command and no handler for the role " + assign.task.role.text);
    }
    const Millis stall =
        assign.task.stall_timeout.count > 0 ? assign.task.stall_timeout : options_.stall_timeout;
    attempt.watch.emplace(attempt.workspace, WatchLimits{stall, options_.linger}, now);
    attempt.meter.emplace(attempt.workspace, now);
    auto child =
        start_command({options_, assign, attempt.workspace, timeout, resume_ids_.of(assign.task.id),
                       &logs_.open(attempt.held()), attempt.secrets},
                      now);
    if (!child) {
        logs_.close(assign.lease);
        return Failure(child.error());
    }
    attempt.execution = std::move(*child);
    return {};
}

void Attempts::conclude(Attempt& attempt, AttemptEnd end) {
    attempt.stage = Stage::kConcluding;
    log_info("ended", {{"task", attempt.assign.task.id.text},
                       {"exit", end.exit_code ? std::to_string(*end.exit_code) : "-"},
                       {"signal", std::to_string(end.signal)}});
    news_.push_back(ChildEnded{attempt.assign.lease});
    uploader_.add(ConcludeJob{attempt.held(), attempt.assign.task.expected, attempt.workspace,
                              std::move(end), attempt.secrets});
}

bool Attempts::blocked_by_another(const Attempt& attempt) const {
    // An older attempt of the same task may still be dying here: never two children of one task.
    return std::any_of(attempts_.begin(), attempts_.end(), [&](const auto& entry) {
        return entry.second.execution != nullptr &&
               entry.second.assign.task.id == attempt.assign.task.id;
    });
}

std::vector<pid_t> Attempts::mains() const {
    std::vector<pid_t> pids;
    for (const auto& [lease, attempt] : attempts_) {
        const auto* child = dynamic_cast<const Child*>(attempt.execution.get());
        if (child != nullptr) pids.push_back(child->mark().main);
    }
    return pids;
}

Millis Attempts::deadline() const {
    if (restless_) return Millis{};
    Millis next = kNoTime;
    for (const auto& [lease, attempt] : attempts_) {
        if (attempt.execution) next = std::min(next, attempt.execution->deadline());
        const bool unwatched = attempt.stop != StopCause::kNone || attempt.frozen;
        if (!attempt.runs() || unwatched) continue;
        next = std::min(next, attempt.run_until);
        if (attempt.watch) next = std::min(next, attempt.watch->deadline());
        if (attempt.meter) next = std::min(next, attempt.meter->deadline());
    }
    return next;
}

std::vector<int> Attempts::wake_fds() const {
    std::vector<int> fds;
    for (const auto& [lease, attempt] : attempts_) {
        if (attempt.execution) fds.push_back(attempt.execution->wake_fd());
    }
    return fds;
}

std::size_t Attempts::running() const {
    return static_cast<std::size_t>(
        std::count_if(attempts_.begin(), attempts_.end(),
                      [](const auto& entry) { return entry.second.execution != nullptr; }));
}

Workspace Attempts::workspace_of(const wire::HeldLease& held) const {
    return {state_.attempts() + "/" + attempt_folder_name(held), {}};
}

}  // namespace zq::worker
