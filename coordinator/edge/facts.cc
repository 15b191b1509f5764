#include "coordinator/edge/facts.h"

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
    auto task = reader_.task(key);
    if (!task) return Failure(task.error());
    return if_ended(std::move(*task));
}

Result<std::optional<core::Task>> FactFinder::ended_by_idempotency_key(const Namespace& ns,
                                                                       const std::string& key) {
    if (key.empty() || state_.index.by_idempotency_key.contains({ns, key})) {
        return std::optional<core::Task>{};
    }
    auto task = reader_.task_by_idempotency_key(ns, key);
    if (!task) return Failure(task.error());
    return if_ended(std::move(*task));
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
    return reader_.attempt(key, number);
}

Result<std::optional<std::uint64_t>> FactFinder::stored_size(const Digest& digest) {
    if (auto size = pending_.size_of(digest)) return size;
    if (state_.index.condemned.contains(digest)) return std::optional<std::uint64_t>{};
    auto place = reader_.content(digest);
    if (!place) return Failure(place.error());
    return *place ? std::optional((*place)->size) : std::nullopt;
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
        auto size = stored_size(artifact.ref.digest);
        if (!size) return Failure(size.error());
        if (!*size) return std::string{};  // it is refused for that
    }
    return contracts_->unmet(task->submitted_seq, report);
}

std::optional<Error> FactFinder::payload_error(const TaskSpec& spec) const {
    return contracts_ ? contracts_->payload_error(spec) : std::nullopt;
}

}  // namespace zq::edge
