#include "coordinator/core/state.h"

#include <algorithm>
#include <iterator>

namespace zq::core {
namespace {

const Task* find_by_token(const State& state, const std::map<std::uint64_t, TaskKey>& index,
                          const LeaseToken& token) {
    if (token.journal != state.durable.journal) return nullptr;
    auto at = index.find(token.number);
    return at == index.end() ? nullptr : find_task(state, at->second);
}

}  // namespace

const Question* open_question(const Task& task) {
    if (task.questions.empty()) return nullptr;
    const Question& last = task.questions.back();
    return last.state == QuestionState::kOpen ? &last : nullptr;
}

std::vector<Question> closed_questions(const Task& task) {
    std::vector<Question> closed;
    std::copy_if(task.questions.begin(), task.questions.end(), std::back_inserter(closed),
                 [](const Question& question) {
                     return question.kind == QuestionKind::kQuestion && has_outcome(question.state);
                 });
    return closed;
}

Spent spent_so_far(const Task& task) {
    return task.spent + spent_in(task.spending);
}

Instant attempt_ends_at(const Task& task, Instant since) {
    if (task.run_timeout.count == 0) return task.deadline_at;
    const Instant end = since + task.run_timeout;
    return task.deadline_at.is_set() ? std::min(end, task.deadline_at) : end;
}

bool is_over_budget(const Task& task) {
    return task.budget.is_set() &&
           is_used_up(granted(task.budget, task.budget_from), spent_so_far(task));
}

const Task* find_task(const State& state, const TaskKey& key) {
    if (const Task* open = state.durable.open.find(key)) return open;
    if (auto at = state.index.ended.find(key); at != state.index.ended.end()) return &*at->second;
    return nullptr;
}

const Task* find_holder(const State& state, const LeaseToken& token) {
    return find_by_token(state, state.index.leases, token);
}

const Task* find_lost(const State& state, const LeaseToken& token) {
    return find_by_token(state, state.index.lost, token);
}

Instant next_deadline(const State& state, const Policy& policy) {
    Instant next = kNever;
    if (!state.index.timers.empty()) next = std::min(next, state.index.timers.begin()->due);
    if (!state.now.deadlines.empty()) {
        next = std::min(next, state.now.deadlines.begin()->first + policy.heartbeat);
    }
    if (!state.now.overdue.empty()) next = std::min(next, state.now.overdue.begin()->first);
    if (!state.now.wakes.empty()) next = std::min(next, state.now.wakes.begin()->first);
    if (!state.now.by_heard.empty()) {
        next = std::min(next, state.now.by_heard.begin()->first + policy.lease + policy.heartbeat);
    }
    return next;
}

}  // namespace zq::core
