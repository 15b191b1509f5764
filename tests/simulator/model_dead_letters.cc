// What must be true when work that has ended is run again, or repaired.
#include "tests/simulator/model.h"

namespace zq::sim {

std::multiset<Digest> Model::named_by(const TaskId& task, const std::string& prefix) const {
    std::multiset<Digest> digests;
    for (const auto& [digest, holders] : names_) {
        for (const auto& [holder, as] : holders) {
            if (holder == task && as.starts_with(prefix)) digests.insert(digest);
        }
    }
    return digests;
}

/// At most one unfinished task has a unique key.
void Model::check_unique(const TaskId& id, const TaskSpec& spec) {
    if (spec.unique_key.empty()) return;
    for (const auto& [other, task] : tasks_) {
        const bool has_it = other != id && !task.removed && !is_final(task.state) &&
                            task.spec.unique_key == spec.unique_key;
        expect(!has_it, "at most one unfinished task has a unique key: " + other.text + " has it");
    }
}

/// The record before is what everybody knew, and nothing of its history is lost.
void Model::revise(Task& task, const core::Event& event, const core::Revision& revision) {
    expect(!task.removed && is_final(task.state), "only what has ended is run again or repaired");
    const std::string about = about_;
    compare(revision.before);
    about_ = about;
    expect(revision.attempts.size() == task.ended.size(), "it keeps every attempt");
    for (const core::Attempt& attempt : revision.attempts) {
        auto ended = task.ended.find(attempt.attempt);
        expect(ended != task.ended.end() && ended->second.token == attempt.token &&
                   ended->second.outcome == attempt.outcome,
               "it keeps the attempts as they ended");
    }
    expect(revision.spec.has_value() == !revision.changed.empty(), "an edit says what it changes");
    expect(!event.identity.empty() && event.identity != kSystemIdentity,
           "somebody has asked for it");
    if (!revision.spec) return;
    expect(*revision.spec != task.spec, "an edit changes something");
    expect(revision.spec->id == task.spec.id && revision.spec->inputs == task.spec.inputs &&
               revision.spec->idempotency_key == task.spec.idempotency_key &&
               revision.spec->unique_key == task.spec.unique_key,
           "an edit leaves the task what it is");
    task.spec = *revision.spec;
    task.rules.role = task.spec.role;
    task.rules.type = task.spec.type;
    task.rules.max_attempts = task.spec.max_attempts;
}

void Model::apply(const core::Event& event, const core::TaskReplayed& body) {
    Task& task = task_of(event);
    revise(task, event, *body.revision);
    check_unique(event.task.id, task.spec);
    const core::Task& after = body.revision->after;
    const auto kept = named_by(event.task.id, "checkpoint/");
    if (after.checkpoints.empty()) {
        expect(std::multiset<Digest>(body.released.begin(), body.released.end()) == kept,
               "checkpoints that are forgotten are let go of");
        expect(kept.empty() || body.fresh, "checkpoints are forgotten where that is asked for");
        for (auto at = names_.begin(); at != names_.end();) {
            std::erase_if(at->second, [&](const auto& holder) {
                return holder.first == event.task.id && holder.second.starts_with("checkpoint/");
            });
            at = at->second.empty() ? names_.erase(at) : std::next(at);
        }
        task.checkpoints.clear();
        task.saved = 0;
    } else {
        expect(body.released.empty(), "what is kept is not let go of");
        expect(kept.size() == after.checkpoints.size(),
               "the checkpoints that it is given are there");
    }
    if (body.fresh) task.feedback = {};
    if (task.checkpoints.empty()) task.checkpoints_gone = false;
    task.failures = task.losses = task.deferrals = task.waits = 0;
    task.budget_from = task.spent;
    task.state = TaskState::kQueued;
    task.dead_reason = DeadReason::kNone;
    task.due = {};
    task.expires = {};
    if (task.attempts == 0 && task.spec.ttl.count > 0) task.expires = event.at + task.spec.ttl;
    expect(after.expires_at == task.expires, "a task that never started has its ttl anew");
    task.deadline = {};
    if (task.spec.deadline.count > 0) task.deadline = event.at + task.spec.deadline;
    task.in_vain = false;
    put_under_rules(task);
    task.lost = {};
    task.charged = false;
    ++open_;
    compare(after);
}

void Model::apply(const core::Event& event, const core::TaskEdited& body) {
    Task& task = task_of(event);
    expect(task.state == TaskState::kDead || task.state == TaskState::kExpired,
           "only dead letters are repaired");
    revise(task, event, *body.revision);
    expect(body.revision->spec.has_value(), "an edit changes something");
    compare(body.revision->after);
}

}  // namespace zq::sim
