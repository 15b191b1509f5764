// A batch of submits: each decided by the rules of a single one (decide_client.cc), with what those
// before it add; taken task by task, or all or none.
#include <set>

#include "coordinator/core/decide_parts.h"

namespace zq::core {
namespace {

/// What the submits after it must know of one.
Task record_of(const Call& call, const SubmitTask& submit, TaskState state) {
    Task task;
    task.key = call.key(submit.spec->id);
    task.request = submit.request;
    task.state = state;
    return task;
}

void add(Earlier& earlier, const Call& call, const SubmitTask& submit, TaskState state) {
    const TaskSpec& spec = *submit.spec;
    earlier.tasks.emplace(spec.id, record_of(call, submit, state));
    const std::uint64_t bytes = size_of(spec);
    for (Earlier::Added* added : {&earlier.all, &earlier.by_role[spec.role]}) {
        ++added->tasks;
        added->bytes += bytes;
    }
    if (!spec.idempotency_key.empty()) {
        earlier.by_idempotency_key.emplace(spec.idempotency_key, spec.id);
    }
    if (!spec.unique_key.empty()) earlier.by_unique_key.emplace(spec.unique_key, spec.id);
}

/// Decides the entries one after the other.
class BatchDecision {
  public:
    BatchDecision(const Call& call, const SubmitBatch& batch) : call_(call), batch_(batch) {}

    void take(const BatchEntry& entry) {
        const Command& whole = call_.command;
        const Command command{whole.now,     whole.identity, whole.ns,    0, whole.client,
                              whole.request, whole.seed,     entry.facts, {}};
        Decision one = decide_submit({call_.state, call_.policy, command}, entry.submit, earlier_);
        auto& said = std::get<Answer>(one.effects.front()).body;
        if (auto* rejected = std::get_if<Rejected>(&said)) {
            all_taken_ = false;
            answer_.items.push_back({entry.submit.spec->id, std::move(*rejected)});
            return;
        }
        auto& taken = std::get<SubmitAnswer>(said);
        if (!taken.duplicate) add(earlier_, call_, entry.submit, taken.state);
        if (!taken.role_served) earlier_.unserved.insert(entry.submit.spec->role);
        answer_.items.push_back({entry.submit.spec->id, std::move(taken)});
        if (batch_.dry_run) return;
        for (Event& event : one.events) {
            const auto* stored = std::get_if<ContentStored>(&event.body);
            if (stored != nullptr && !stored_.insert(stored->digest).second) continue;
            decision_.events.push_back(std::move(event));
        }
    }

    Decision finish() {
        if (batch_.atomic && !all_taken_) {
            decision_.events.clear();
            answer_.refused = true;
        }
        answer(decision_, call_, std::move(answer_));
        return std::move(decision_);
    }

  private:
    const Call& call_;
    const SubmitBatch& batch_;
    Decision decision_;
    BatchAnswer answer_;
    Earlier earlier_;
    std::set<Digest> stored_;
    bool all_taken_ = true;
};

}  // namespace

Decision decide_batch(const Call& call, const SubmitBatch& batch) {
    BatchDecision decision(call, batch);
    for (const BatchEntry& entry : batch.entries) decision.take(entry);
    return decision.finish();
}

}  // namespace zq::core
