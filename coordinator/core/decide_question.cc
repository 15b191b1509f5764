// A person is asked, and answers: ASK of an attempt that goes on, ANSWER from outside. An attempt
// that ends with its question does so by a report (decide_report.cc).
#include <algorithm>

#include "coordinator/core/approval.h"
#include "coordinator/core/outcome.h"
#include "coordinator/core/remembered_requests.h"

namespace zq::core {
namespace {

const Question* find_question(const Task& task, const std::string& id) {
    const auto at = std::find_if(task.questions.begin(), task.questions.end(),
                                 [&](const Question& question) { return question.id == id; });
    return at == task.questions.end() ? nullptr : &*at;
}

bool is_same(const Question& known, const NewQuestion& asked) {
    return known.text == asked.text && known.choices == asked.choices;
}

Decision tell(const Call& call, const AskPerson& ask, Question question) {
    Decision decision;
    answer(decision, call, QuestionAnswer{ask.task, ask.token, std::move(question)});
    return decision;
}

/// What the answer says; a text that is one of the choices is that choice.
AnswerPerson spelled_out(const AnswerPerson& answered, const Question& question) {
    AnswerPerson said = answered;
    const auto& choices = question.choices;
    const bool is_choice = std::find(choices.begin(), choices.end(), said.answer) != choices.end();
    if (said.choice.empty() && is_choice) std::swap(said.choice, said.answer);
    return said;
}

/// Why that is no answer to the question; nullopt if it is one.
std::optional<Error> misfit(const AnswerPerson& said, const Question& question) {
    const auto& choices = question.choices;
    if (choices.empty()) {
        if (!said.choice.empty()) {
            return Error{ErrorCode::INVALID, "this question has no choices", "choice", {}};
        }
        if (!said.answer.empty()) return std::nullopt;
        return Error{ErrorCode::INVALID, "an answer is not empty", "answer", {}};
    }
    if (std::find(choices.begin(), choices.end(), said.choice) != choices.end()) {
        return std::nullopt;
    }
    std::string names;
    for (const std::string& choice : choices) names += (names.empty() ? "" : ", ") + choice;
    return Error{ErrorCode::INVALID, "the answer is one of: " + names, "choice", {}};
}

/// Closes the open question with that answer. What the task is then.
TaskState take_answer(const Call& call, const Task& task, const AnswerPerson& said,
                      Decision& decision) {
    const Question& open = *open_question(task);
    QuestionClosed closed;
    closed.question = open.id;
    closed.choice = said.choice;
    closed.answer = said.answer;
    closed.allow_secrets = said.allow_secrets;
    if (open.kind == QuestionKind::kApproval) {
        close_approval(task, closed);
        const bool starts = task.state == TaskState::kInputRequired;
        if (starts) closed.rank = rank_of(task, call.now(), call.policy);
        return close_question(call, task, call.command.identity, std::move(closed), decision);
    }
    const bool ours = open.kind != QuestionKind::kQuestion;
    if (ours && said.choice == kStopChoice) {
        const bool budget = open.kind == QuestionKind::kBudget;
        closed.dead_reason = budget ? DeadReason::kBudget : DeadReason::kRejected;
    } else if (task.state == TaskState::kInputRequired) {
        closed.rank = rank_of(task, call.now(), call.policy);
        if (open.kind == QuestionKind::kBudget) closed.budget_from = task.spent;
    }
    return close_question(call, task, call.command.identity, std::move(closed), decision);
}

/// Nothing is open, or another question than the one that is meant: it may have been answered so.
Decision answer_again(const Call& call, const AnswerPerson& answered, const Task& task) {
    const std::string name = "task " + answered.task.text;
    const Question* known = answered.question.empty()
                                ? (task.questions.empty() ? nullptr : &task.questions.back())
                                : find_question(task, answered.question);
    if (known == nullptr && !answered.question.empty()) {
        return reject(call, ErrorCode::NOT_FOUND, name + " has no question " + answered.question,
                      "question_id");
    }
    if (known == nullptr || known->state != QuestionState::kAnswered) {
        const std::string why = known == nullptr || is_final(task.state)
                                    ? std::string(to_string(task.state))
                                    : "its last question: " + std::string(to_string(known->state));
        return reject(call, ErrorCode::CONFLICT, name + " asks nothing (" + why + ")", "task_id");
    }
    const AnswerPerson said = spelled_out(answered, *known);
    if (said.choice == known->choice && said.answer == known->answer) {
        Decision decision;
        answer(decision, call, AcceptedAnswer{answered.task, task.state, task.attempts});
        return decision;
    }
    return reject(call, ErrorCode::CONFLICT,
                  "that question of " + name + " was answered before, with something else",
                  "question_id");
}

}  // namespace

void hold_task(const Call& call, const Task& task, const Lease& lease, const std::string& how,
               Decision& decision) {
    decision.events.push_back(
        system_event(task.key, QuestionAsked{lease.token, hold_question(lease, how, call.now())}));
}

TaskState close_question(const Call& call, const Task& task, const Identity& by,
                         QuestionClosed closed, Decision& decision) {
    Question question = *open_question(task);
    question.state = closed.state;
    question.choice = closed.choice;
    question.answer = closed.answer;
    question.closed_at = call.now();
    if (closed.state == QuestionState::kAnswered) question.answered_by = by;
    const bool stops = closed.dead_reason != DeadReason::kNone;
    const bool completes = closed.next == TaskState::kCompleted;
    const bool granted_anew = closed.budget_from.has_value();
    Event event = system_event(task.key, std::move(closed));
    event.identity = by;
    decision.events.push_back(std::move(event));
    if (stops) return TaskState::kDead;
    if (completes) return TaskState::kCompleted;
    if (!task.lease) {
        if (granted_anew) return TaskState::kQueued;
        // It may have used up its budget before it asked.
        return keep_budget(call, task, TaskState::kQueued, task.spent, decision)
            .value_or(TaskState::kQueued);
    }
    auto clock = call.state.now.clocks.find(task.lease->token.number);
    if (clock == call.state.now.clocks.end() || clock->second.session == 0) return task.state;
    decision.effects.emplace_back(Push{
        clock->second.session, QuestionNews{task.key.id, task.lease->token, std::move(question)}});
    return task.state;
}

Decision decide_ask(const Call& call, const AskPerson& ask) {
    const Task* task = look_up(call, ask.task);
    if (task == nullptr) {
        return reject(call, ErrorCode::NOT_FOUND, "no task " + ask.task.text, "task_id");
    }
    if (!is_holder(call, *task, ask.token)) {
        return reject(call, ErrorCode::STALE_LEASE,
                      "that lease of task " + ask.task.text + " is not the current one", "lease");
    }
    Question asked = question_of(call, ask.question, task->attempts);
    const Question* known = find_question(*task, ask.question.id);
    if (known != nullptr && (known->attempt != task->attempts || !is_same(*known, ask.question))) {
        return reject(call, ErrorCode::CONFLICT,
                      "task " + ask.task.text + " has asked something else under this id",
                      "question_id");
    }
    if (task->state == TaskState::kCancelling) {
        asked.state = QuestionState::kWithdrawn;
        asked.closed_at = call.now();
        return tell(call, ask, std::move(asked));
    }
    // One that a loss withdrew is asked anew by the holder that is back.
    if (known != nullptr && known->state != QuestionState::kWithdrawn) {
        return tell(call, ask, *known);
    }
    if (open_question(*task) != nullptr) {
        return reject(call, ErrorCode::CONFLICT,
                      "task " + ask.task.text + " waits for the answer to another question",
                      "question_id");
    }
    Decision decision = tell(call, ask, asked);
    decision.events.push_back(
        event_of(call, task->key, QuestionAsked{ask.token, std::move(asked)}));
    return decision;
}

Decision decide_answer(const Call& call, const AnswerPerson& answered) {
    const Task* task = look_up(call, answered.task);
    if (task == nullptr) {
        return reject(call, ErrorCode::NOT_FOUND, "no task " + answered.task.text, "task_id");
    }
    Decision decision;
    if (const RequestRecord* record = find_record(call)) {
        if (record->task != task->key) {
            return reject(call, ErrorCode::CONFLICT,
                          "this request was answered before, about another task");
        }
        answer(decision, call, AcceptedAnswer{answered.task, task->state, task->attempts});
        return decision;
    }
    const Question* open = open_question(*task);
    const bool meant =
        open != nullptr && (answered.question.empty() || answered.question == open->id);
    if (!meant) return answer_again(call, answered, *task);
    AnswerPerson said = spelled_out(answered, *open);
    auto no = misfit(said, *open);
    if (!no) no = approver_error(call, *task, said, *open);
    if (no) return reject(call, no->code, no->message, no->field);
    if (auto full = request_bound(call)) {
        return reject(call, full->code, full->message, {}, full->retry_after);
    }
    const TaskState state = take_answer(call, *task, said, decision);
    answer(decision, call, AcceptedAnswer{answered.task, state, task->attempts});
    if (!call.command.client.empty()) {
        decision.events.push_back(event_of(
            call, task->key, RequestRecorded{call.command.client, call.command.request, {}}));
    }
    return decision;
}

}  // namespace zq::core
