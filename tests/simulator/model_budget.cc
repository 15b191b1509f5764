// The model's half about budgets: what attempts use is counted once, and a task that has used up
// its budget waits for a person or is dead.
#include "tests/simulator/model.h"

namespace zq::sim {
namespace {

bool is_reached(std::uint64_t bound, std::uint64_t from, std::uint64_t spent) {
    return bound > 0 && spent >= from + bound;
}

}  // namespace

bool Model::is_over(const Task& task) {
    const Budget& budget = task.spec.budget;
    return is_reached(budget.usd_micros, task.budget_from.usd_micros, task.spent.usd_micros) ||
           is_reached(budget.tokens, task.budget_from.tokens, task.spent.tokens);
}

void Model::count_usage(Task& task, const core::AttemptEnded& body) {
    const Usage used = usage_in(body.attempt.output);
    expect(used.cost_usd_micros >= task.spending.cost_usd_micros &&
               used.input_tokens >= task.spending.input_tokens &&
               used.output_tokens >= task.spending.output_tokens,
           "what an attempt noted is in its record");
    task.spending = {};
    if (task.spec.budget == Budget{}) return;
    task.spent.usd_micros += used.cost_usd_micros;
    task.spent.tokens += used.input_tokens + used.output_tokens;
    expect(body.next.spent == task.spent, "what was spent is counted right");
}

TaskState Model::watch_budget(const TaskId& id, const Task& task) {
    const bool waits = task.state == TaskState::kQueued || task.state == TaskState::kRetryWait;
    if (!waits || !is_over(task)) return task.state;
    over_ = id;
    return task.spec.budget.on == OnBudget::kAsk ? TaskState::kInputRequired : TaskState::kDead;
}

void Model::apply(const core::Event& event, const core::UsageNoted& body) {
    Task& task = task_of(event);
    expect(task.lease.is_set() && task.lease == body.token,
           "usage is noted under the current token alone");
    expect(body.usage.input_tokens >= task.spending.input_tokens &&
               body.usage.cost_usd_micros >= task.spending.cost_usd_micros,
           "totals only grow");
    task.spending = body.usage;
}

void Model::apply(const core::Event& event, const core::BudgetReached& body) {
    Task& task = task_of(event);
    expect(body.spent == task.spent, "it is said what was spent");
    const bool asks = task.spec.budget.on == OnBudget::kAsk;
    expect(body.question.has_value() == asks, "a person is asked where that was wished");
    task.lost = {};
    task.charged = false;
    task.due = {};
    if (!asks) {
        task.dead_reason = DeadReason::kBudget;
        return become(task, TaskState::kDead);
    }
    become(task, TaskState::kInputRequired);
    if (!body.question) return;
    std::erase_if(task.questions, [&](const Question& old) { return old.id == body.question->id; });
    task.questions.push_back(*body.question);
    if (task.questions.size() > limits::kQuestionsKept) {
        task.questions.erase(task.questions.begin());
    }
}

}  // namespace zq::sim
