#include "tests/simulator/promises.h"

#include "tests/simulator/describe.h"

namespace zq::sim {
namespace {

/// How much of an answer must be the same when it is given again; empty: an error, or no write.
std::string essence(const wire::Body& reply) {
    if (const auto* m = std::get_if<wire::Submitted>(&reply)) return "task " + m->task.text;
    if (const auto* m = std::get_if<wire::Claimed>(&reply)) return "lease " + to_string(m->lease);
    if (const auto* m = std::get_if<wire::Changed>(&reply)) return "changed " + m->task.text;
    return {};
}

/// True if the task that has the unique key was given in its stead: when that has ended, the same
/// request makes a task of its own.
bool is_stead(const wire::Body& request, const wire::Body& reply) {
    const auto* submit = std::get_if<wire::Submit>(&request);
    const auto* submitted = std::get_if<wire::Submitted>(&reply);
    return submit != nullptr && submitted != nullptr && submitted->task != submit->task.id &&
           submit->task.on_unique == OnUnique::kExisting;
}

}  // namespace

void Promises::expect(bool holds, const std::string& rule) {
    if (!holds) world_.violate(rule + " [" + about_ + "]");
}

void Promises::said(const wire::Message& reply) {
    about_ = describe_message(reply);
    expect(reply.header.seq <= model_.last_seq(), "nothing is said before it is on disk");
    expect(reply.header.epoch == model_.epoch(), "every reply carries the epoch");
    std::visit([this](const auto& body) { check(body); }, reply.body);
}

void Promises::check(const wire::Submitted& body) {
    const bool trial = body.task.text.starts_with(kTrialPrefix);
    expect(trial != (model_.find(body.task) != nullptr), "what is said to be submitted is on disk");
}

void Promises::check(const wire::Batched& body) {
    for (const wire::BatchItem& item : body.items) {
        if (item.state) check(wire::Submitted{item.task, *item.state, false, true, {}});
    }
}

void Promises::check(const wire::Accepted& body) {
    const Model::Task* task = model_.find(body.task);
    expect(task != nullptr, "an accepted report is about a task");
    if (task == nullptr) return;
    auto ended = task->ended.find(body.attempt);
    const bool as_ended = ended != task->ended.end() && ended->second.answer == body.state;
    expect(!is_final(body.state) || as_ended || task->state == body.state,
           "what is accepted is on disk");
}

void Promises::check(const wire::Changed& body) {
    expect(model_.find(body.task) != nullptr, "what is changed is a task that is on disk");
}

void Promises::check_lease(const LeaseToken& token) {
    expect(model_.gave(token), "a lease is on disk before it is told");
}

void Promises::check(const wire::Assign& body) {
    check_lease(body.lease);
    const Model::Task* task = model_.find(body.task.id);
    expect(task == nullptr || task->lease != body.lease || task->checkpoints == body.checkpoints,
           "an attempt is given what the ones before it saved");
    expect(task == nullptr || task->lease != body.lease || task->closed() == body.questions,
           "an attempt is told what the ones before it asked");
    expect(task == nullptr || task->lease != body.lease || task->feedback == body.feedback,
           "an attempt is told why the task was sent back");
    expect(task == nullptr || task->lease != body.lease || task->spec == body.task,
           "an attempt is given the envelope as it is now");
}
void Promises::check(const wire::Claimed& body) {
    check_lease(body.lease);
    const Model::Task* task = model_.find(body.task.id);
    expect(task == nullptr || task->lease != body.lease || task->spec == body.task,
           "a claim is given the envelope as it is now");
}
void Promises::check(const wire::Welcome& body) {
    for (const auto& word : body.leases) {
        if (word.verdict != Verdict::kStale) check_lease(word.lease);
    }
}
void Promises::check(const wire::Beat& body) {
    for (const auto& word : body.leases) {
        if (word.verdict != Verdict::kStale) check_lease(word.lease);
    }
}

void Promises::check(const wire::Asked& body) {
    const Model::Task* task = model_.find(body.task);
    expect(task != nullptr, "a question is of a task that is on disk");
    if (task == nullptr || body.question.state == QuestionState::kWithdrawn) return;
    bool known = false;
    for (const Question& question : task->questions) {
        if (question.id != body.question.id) continue;
        known = true;
        expect(body.question.state == QuestionState::kOpen || body.question == question,
               "an answer that is told is on disk");
    }
    const bool forgotten = task->questions.size() == limits::kQuestionsKept;
    expect(known || forgotten, "a question that is told of is on disk");
}
void Promises::check(const wire::QuestionRows& body) {
    for (const wire::QuestionRow& row : body.rows) {
        expect(model_.find(row.task) != nullptr, "a task that is shown is on disk");
    }
}

void Promises::check_rows(const std::vector<wire::TaskRow>& rows) {
    for (const wire::TaskRow& row : rows) {
        const Model::Task* task = model_.find(row.id);
        expect(task != nullptr, "a task that is shown is on disk");
        if (task == nullptr || !is_final(row.state)) continue;
        expect(task->state == row.state || task->ends.contains(row.state),
               "an end that is shown is on disk");
    }
}
void Promises::check(const wire::Ended& body) {
    check_rows(body.rows);
}
void Promises::check(const wire::Tasks& body) {
    check_rows(body.rows);
}
void Promises::check(const wire::TaskReply& body) {
    check_rows({body.row});
}
void Promises::check(const wire::EventRows& body) {
    for (const wire::EventRow& row : body.rows) {
        expect(row.seq <= model_.last_seq(), "an event that is shown is on disk");
    }
}

void Promises::settled(const TaskId& id, const LeaseToken& lease, TaskState state) {
    about_ = id.text + " " + short_token(lease);
    const Model::Task* task = model_.find(id);
    expect(task != nullptr, "a settled report is about a task");
    if (task == nullptr) return;
    for (const auto& [number, attempt] : task->ended) {
        if (attempt.token != lease) continue;
        expect(attempt.reported && attempt.answer == state, "a settled report ended its attempt");
        return;
    }
    expect(false, "a settled report ended its attempt");
}

void Promises::saved(const TaskId& task, const Digest& content) {
    about_ = "checkpoint of " + task.text;
    expect(model_.saved(task, content), "a checkpoint is on disk before it is said to be");
}

void Promises::answered(const ClientId& client, const wire::Message& request,
                        const wire::Body& reply) {
    about_ = describe_message(request);
    if (is_stead(request.body, reply)) return;
    const std::string now = essence(reply);
    const auto key = std::pair(client, request.header.id);
    auto before = answers_.find(key);
    if (before == answers_.end()) {
        if (!now.empty() || std::holds_alternative<wire::Accepted>(reply)) {
            answers_.emplace(key, Answered{reply, model_.last_at()});
        }
        return;
    }
    if (before->second.at + limits::kRequestMemory < model_.last_at()) return;
    const auto* refusal = std::get_if<wire::ErrorReply>(&reply);
    if (refusal != nullptr) {
        // Its own answer may have ended meanwhile; what was done is never denied otherwise.
        const bool ended =
            refusal->code == ErrorCode::CONFLICT || refusal->code == ErrorCode::STALE_LEASE;
        const bool later = refusal->code == ErrorCode::SHUTTING_DOWN;
        return expect(ended || later, "a repeated request is not refused");
    }
    expect(now == essence(before->second.reply), "a repeated request gets the same answer");
}

}  // namespace zq::sim
