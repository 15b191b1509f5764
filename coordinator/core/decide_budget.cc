// What a task may use of models: attempts say what they have used (SPEND, and with their report),
// and a task whose budget is used up gets no further attempt before a person grants it anew.
#include <algorithm>

#include "common/base/mutant.h"
#include "coordinator/core/decide_parts.h"
#include "coordinator/core/outcome.h"

namespace zq::core {
namespace {

/// The greater of each number.
Usage at_least(const Usage& said, const Usage& noted) {
    return {std::max(said.cost_usd_micros, noted.cost_usd_micros),
            std::max(said.input_tokens, noted.input_tokens),
            std::max(said.output_tokens, noted.output_tokens),
            said.model.empty() ? noted.model : said.model};
}

Question question_about(const Task& task, const Budget& bound, const Spent& spent, Instant now) {
    Question question;
    question.id = "budget-" + std::to_string(task.attempts);
    question.text = "The budget is used up: " + budget_text(bound, spent) +
                    ". Shall the task go on with as much again?";
    question.choices = {std::string(kContinueChoice), std::string(kStopChoice)};
    question.kind = QuestionKind::kBudget;
    question.attempt = task.attempts;
    question.asked_at = now;
    question.parked = true;
    return question;
}

/// What its holder noted while it ran counts at least.
void count_usage(const Task& task, Attempt& attempt, Next& next) {
    const Usage used = at_least(usage_in(attempt.output), task.spending);
    if (task.spending != Usage{}) put_usage(attempt.output, used);
    if (task.budget.is_set()) next.spent = task.spent + spent_in(used);
}

}  // namespace

std::optional<TaskState> keep_budget(const Call& call, const Task& task, TaskState state,
                                     const Spent& spent, Decision& decision) {
    const bool waits = state == TaskState::kQueued || state == TaskState::kRetryWait;
    if (!waits || !task.budget.is_set() || mutant(Mutant::kBudgetIgnored)) return std::nullopt;
    const Budget bound = granted(task.budget, task.budget_from);
    if (!is_used_up(bound, spent)) return std::nullopt;
    BudgetReached reached{spent, std::nullopt};
    const bool asks = bound.on == OnBudget::kAsk;
    if (asks) reached.question = question_about(task, bound, spent, call.now());
    decision.events.push_back(system_event(task.key, std::move(reached)));
    return asks ? TaskState::kInputRequired : TaskState::kDead;
}

TaskState push_end(const Call& call, const Task& task, const Identity& by, Attempt attempt,
                   Next next, Decision& decision) {
    count_usage(task, attempt, next);
    Decision stop;
    const TaskState state =
        keep_budget(call, task, next.state, next.spent, stop).value_or(next.state);
    attempt.answer = state;
    Event event = system_event(task.key, AttemptEnded{std::move(attempt), next});
    event.identity = by;
    decision.events.push_back(std::move(event));
    for (Event& stopped : stop.events) decision.events.push_back(std::move(stopped));
    return state;
}

Attempt silent_end(const Call& call, const Task& task, Outcome outcome, std::string reason) {
    Attempt attempt;
    attempt.task = task.key;
    attempt.attempt = task.lease->attempt;
    attempt.token = task.lease->token;
    attempt.holder = task.lease->holder;
    attempt.started_at = task.lease->since;
    attempt.ended_at = call.now();
    attempt.outcome = outcome;
    attempt.reason = std::move(reason);
    return attempt;
}

void end_silently(const Call& call, const Task& task, Outcome outcome, std::string reason,
                  Decision& decision) {
    Attempt attempt = silent_end(call, task, outcome, std::move(reason));
    const Next next = after_silence(task, outcome);
    if (next.state == TaskState::kInputRequired) {
        hold_task(call, task, *task.lease, "ended without a word: " + attempt.reason, decision);
    }
    push_end(call, task, kSystemIdentity, std::move(attempt), next, decision);
}

Decision decide_usage(const Call& call, const NoteUsage& note) {
    const Task* task = look_up(call, note.task);
    if (task == nullptr) {
        return reject(call, ErrorCode::NOT_FOUND, "no task " + note.task.text, "task_id");
    }
    if (!is_holder(call, *task, note.token)) {
        return reject(call, ErrorCode::STALE_LEASE,
                      "that lease of task " + note.task.text + " is not the current one", "lease");
    }
    Decision decision;
    answer(decision, call, AcceptedAnswer{note.task, task->state, task->attempts});
    // Totals only grow: an older one that comes late, or the same again, says nothing new.
    const Usage used = at_least(note.usage, task->spending);
    if (used == task->spending) return decision;
    decision.events.push_back(event_of(call, task->key, UsageNoted{note.token, used}));
    if (task->state != TaskState::kRunning || !task->budget.is_set()) return decision;
    const Budget bound = granted(task->budget, task->budget_from);
    if (!is_used_up(bound, task->spent + spent_in(used))) return decision;
    auto clock = call.state.now.clocks.find(note.token.number);
    if (clock == call.state.now.clocks.end() || clock->second.session == 0) return decision;
    decision.effects.emplace_back(
        Push{clock->second.session, LeaseWord{note.token, Verdict::kBudget}});
    return decision;
}

}  // namespace zq::core
