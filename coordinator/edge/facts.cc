#include "coordinator/edge/facts.h"

#include "coordinator/core/dependencies.h"
#include "coordinator/edge/revised_spec.h"
#include "coordinator/edge/secret_check.h"
#include "coordinator/store/erasable.h"

namespace zq::edge {
namespace {

/// Rows of open tasks are older than memory: only ended ones are facts.
std::optional<core::Task> if_ended(std::optional<core::Task> task) {
    if (task && !is_final(task->state)) return std::nullopt;
    return task;
}

}  // namespace

Result<std::optional<core::Task>> FactFinder::ended_task(const TaskKey& key) {
    if (core::find_task(state_, key) != nullptr) return std::optional<core::Task>{};
    auto task = trailing_.task(key);
    if (!task) return Failure(task.error());
    return if_ended(std::move(*task));
}

Result<std::optional<core::Task>> FactFinder::ended_by_idempotency_key(const Namespace& ns,
                                                                       const std::string& key) {
    if (key.empty() || state_.index.by_idempotency_key.contains({ns, key})) {
        return std::optional<core::Task>{};
    }
    auto task = trailing_.task_by_idempotency_key(ns, key);
    if (!task) return Failure(task.error());
    return if_ended(std::move(*task));
}

Result<void> FactFinder::add_former(const TaskSpec& spec, core::Facts& facts) {
    auto task = ended_task({spec.ns, spec.id});
    if (!task) return Failure(task.error());
    facts.task = std::move(*task);
    auto by_key = ended_by_idempotency_key(spec.ns, spec.idempotency_key);
    if (!by_key) return Failure(by_key.error());
    facts.by_key = std::move(*by_key);
    return {};
}

Result<std::optional<core::Attempt>> FactFinder::attempt(const TaskKey& key, std::uint32_t number,
                                                         const std::optional<core::Task>& ended) {
    const core::Task* task = core::find_task(state_, key);
    if (task == nullptr && ended) task = &*ended;
    if (task == nullptr) return std::optional<core::Attempt>{};
    if (number == 0) number = task->attempts;
    if (task->lease && task->lease->attempt == number) return std::optional<core::Attempt>{};
    auto in_memory = state_.index.attempts.find({key, number});
    if (in_memory != state_.index.attempts.end()) return std::optional(in_memory->second);
    return trailing_.attempt(key, number);
}

Result<std::optional<StoredContent>> FactFinder::stored(const Digest& digest) {
    if (auto pending = pending_.find(digest)) return pending;
    if (state_.index.condemned.contains(digest)) return std::optional<StoredContent>{};
    auto place = trailing_.content(digest);
    if (!place) return Failure(place.error());
    if (!*place) return std::optional<StoredContent>{};
    return StoredContent{(*place)->size, std::move((*place)->secrets)};
}

Result<std::string> FactFinder::unmet(const TaskKey& key, const wire::Report& report) {
    const core::Task* task = core::find_task(state_, key);
    if (!contracts_ || task == nullptr || !task->has_rules) return std::string{};
    // Only who may end the task is worth the reading.
    const bool has_it = (task->lease && task->lease->token == report.lease) ||
                        (task->lost_lease && task->lost_lease->token == report.lease) ||
                        !report.lease.is_set();
    if (!has_it || task->state == TaskState::kCancelling) return std::string{};
    for (const wire::ReportArtifact& artifact : report.artifacts) {
        if (artifact.data) continue;
        auto content = stored(artifact.ref.digest);
        if (!content) return Failure(content.error());
        if (!*content) return std::string{};  // it is refused for that
    }
    return contracts_->unmet(core::spec_seq(*task), report);
}

std::optional<Error> FactFinder::payload_error(const TaskSpec& spec) const {
    return contracts_ ? contracts_->payload_error(spec) : std::nullopt;
}

/// Memory wins over rows; rows of an earlier life of the id are not its own.
Result<std::vector<core::Attempt>> FactFinder::attempts(const core::Task& task) {
    auto stored = reader_.attempts(task.key);
    if (!stored) return Failure(stored.error());
    std::map<std::uint32_t, core::Attempt> all;
    for (core::Attempt& attempt : *stored) {
        if (attempt.ended_seq > task.submitted_seq) all[attempt.attempt] = std::move(attempt);
    }
    const auto first = state_.index.attempts.lower_bound({task.key, 0});
    const auto last = state_.index.attempts.upper_bound({task.key, UINT32_MAX});
    for (auto at = first; at != last; ++at) all[at->second.attempt] = at->second;
    std::vector<core::Attempt> attempts;
    attempts.reserve(all.size());
    for (auto& [number, attempt] : all) attempts.push_back(std::move(attempt));
    return attempts;
}

Result<TaskSpec> FactFinder::envelope(const core::Task& task) {
    const Seq seq = core::spec_seq(task);
    if (contracts_) {
        if (const TaskSpec* recent = contracts_->specs.cache.find(seq)) return *recent;
    }
    auto spec = reader_.spec(seq);
    if (!spec) return Failure(spec.error());
    if (*spec) return std::move(**spec);
    return Failure(
        Error{ErrorCode::BUSY, "the task's envelope is stored just now", {}, millis(100)});
}

Result<void> FactFinder::add_ended(const TaskKey& key, const wire::Changes& changes,
                                   core::Facts& facts) {
    const core::Task* task = core::find_task(state_, key);
    if (task == nullptr && facts.task && !state_.index.removed.contains(key)) task = &*facts.task;
    if (task == nullptr || !is_final(task->state)) return {};  // it is refused for that
    auto found = attempts(*task);
    if (!found) return Failure(found.error());
    auto spec = envelope(*task);
    if (!spec) return Failure(spec.error());
    auto removals = reader_.removals(task->submitted_seq);
    if (!removals) return Failure(removals.error());
    facts.held = store::ended_task(*task, spec->inputs, *found, *removals);
    facts.attempts = std::move(*found);
    facts.checkpoints_gone = store::checkpoints_gone(*task, *removals);
    auto revised = revised_spec(*spec, changes);
    if (!revised) return Failure(revised.error());
    if (auto ok = check_no_secrets(changes, *revised); !ok) return ok;
    facts.changed = changed_fields(*spec, *revised);
    if (!facts.changed.empty()) facts.payload = payload_error(*revised);
    if (facts.payload) facts.payload->field = "changes.payload";
    facts.spec = std::move(*revised);
    return {};
}

Result<void> FactFinder::add_erasable(const TaskKey& key, core::Facts& facts) {
    auto found = store::erasable(reader_, key);
    if (!found) return Failure(found.error());
    facts.bodies = std::move(found->bodies);
    facts.contents = std::move(found->contents);
    facts.known = found->known;
    return {};
}

Result<void> FactFinder::add_upstream(const Namespace& ns, const After& after, core::Facts& facts) {
    for (const TaskId& id : after.tasks) {
        auto task = ended_task({ns, id});
        if (!task) return Failure(task.error());
        if (*task) facts.upstream[id] = core::went_well((*task)->state, (*task)->attempts);
    }
    return {};
}

}  // namespace zq::edge
