#include "coordinator/store/rollup.h"

#include <algorithm>
#include <bit>

#include "common/base/one_of.h"
#include "common/base/usage.h"

namespace zq::store {
namespace {

constexpr std::uint32_t kSlotsOfOctave = 8;  // 2^3

std::uint32_t slot_of(Millis duration) {
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count, 0));
    if (ms < kSlotsOfOctave) return static_cast<std::uint32_t>(ms);
    const auto exponent = static_cast<std::uint32_t>(std::bit_width(ms)) - 1;
    const auto part = static_cast<std::uint32_t>((ms >> (exponent - 3)) & (kSlotsOfOctave - 1));
    return (exponent - 2) * kSlotsOfOctave + part;
}

Millis end_of(std::uint32_t slot) {
    if (slot < kSlotsOfOctave) return Millis{slot};
    const std::uint32_t exponent = std::min(slot / kSlotsOfOctave + 2, 62U);
    const std::uint64_t first = kSlotsOfOctave + slot % kSlotsOfOctave;
    return Millis{static_cast<std::int64_t>(((first + 1) << (exponent - 3)) - 1)};
}

/// Events that say nothing of what is counted. A new kind of event must be named here, or counted.
template <class T>
inline constexpr bool kCountsNowhere =
    kIsOneOf<T, core::EpochStarted, core::TaskReady, core::LeaseResumed, core::ProgressNoted,
             core::CancelRequested, core::RoleServed, core::ContentStored, core::RequestRecorded,
             core::CheckpointSaved, core::QuestionAsked, core::ContentsCondemned,
             core::ArtifactsRemoved, core::UsageNoted, core::TaskEdited, core::ControlChanged,
             core::AccessChanged, core::TextsErased>;

void count_end(Rollup& rollup, TaskState state) {
    if (state == TaskState::kCompleted) ++rollup.completed;
    if (state == TaskState::kSkipped) ++rollup.skipped;
    if (state == TaskState::kCancelled) ++rollup.cancelled;
    if (state == TaskState::kDead) ++rollup.dead;
    if (state == TaskState::kExpired) ++rollup.expired;
}

/// What one event counts, and of which worker and model.
struct Counted {
    const core::Event& event;
    const core::Task& task;
    Rollup rollup{};
    std::string worker{};
    std::string model{};

    template <class T>
    requires kCountsNowhere<T>
    bool operator()(const T&) { return false; }
    bool operator()(const core::TaskSubmitted&) {
        ++rollup.submitted;
        return true;
    }
    bool operator()(const core::TaskAssigned& body) {
        ++rollup.started;
        if (body.lease.attempt > 1) ++rollup.retries;
        if (body.lease.attempt == 1) rollup.wait.add(event.at - task.submitted_at);
        worker = body.lease.holder.worker.text;
        return true;
    }
    bool operator()(const core::AttemptEnded& body) {
        const core::Attempt& attempt = body.attempt;
        const bool done =
            attempt.outcome == Outcome::kCompleted || attempt.outcome == Outcome::kSkipped;
        const bool failed = attempt.outcome == Outcome::kFailed;
        if (failed) ++rollup.failed;
        if (attempt.outcome == Outcome::kLost) ++rollup.lost;
        if (done || failed) rollup.run.add(attempt.ended_at - attempt.started_at);
        if (done) rollup.total.add(event.at - task.submitted_at);
        count_end(rollup, body.next.state);
        const Usage used = usage_in(attempt.output);
        rollup.cost_usd_micros = used.cost_usd_micros;
        rollup.input_tokens = used.input_tokens;
        rollup.output_tokens = used.output_tokens;
        worker = attempt.holder.worker.text;
        model = used.model;
        return true;
    }
    bool operator()(const core::TaskCancelled&) { return end(TaskState::kCancelled); }
    bool operator()(const core::TaskExpired& body) { return end(body.state); }
    bool operator()(const core::UpstreamEnded& body) {
        return is_final(body.state) && end(body.state);
    }
    bool operator()(const core::QuestionClosed& body) {
        if (body.dead_reason != DeadReason::kNone) return end(TaskState::kDead);
        return is_final(body.next) && end(body.next);
    }
    bool operator()(const core::BudgetReached& body) {
        return !body.question && end(TaskState::kDead);
    }
    bool operator()(const core::TaskReplayed& body) { return leave(body.revision->before.state); }
    bool operator()(const core::TaskRemoved&) { return leave(task.state); }

    bool end(TaskState state) {
        count_end(rollup, state);
        return true;
    }
    bool leave(TaskState state) {
        if (is_dead(state)) ++rollup.dlq_left;
        return is_dead(state);
    }
};

}  // namespace

void Durations::add(Millis duration) {
    ++slots[slot_of(duration)];
}

void Durations::add(const Durations& other) {
    for (const auto& [slot, count] : other.slots) slots[slot] += count;
}

std::uint64_t Durations::count() const {
    std::uint64_t sum = 0;
    for (const auto& [slot, count] : slots) sum += count;
    return sum;
}

Millis Durations::percentile(std::uint32_t percent) const {
    const std::uint64_t wanted = (count() * percent + 99) / 100;
    std::uint64_t seen = 0;
    for (const auto& [slot, count] : slots) {
        seen += count;
        if (seen >= wanted) return end_of(slot);
    }
    return {};
}

void Rollup::add(const Rollup& other) {
    submitted += other.submitted;
    completed += other.completed;
    skipped += other.skipped;
    cancelled += other.cancelled;
    dead += other.dead;
    expired += other.expired;
    dlq_left += other.dlq_left;
    started += other.started;
    retries += other.retries;
    failed += other.failed;
    lost += other.lost;
    cost_usd_micros += other.cost_usd_micros;
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    wait.add(other.wait);
    run.add(other.run);
    total.add(other.total);
}

Instant bucket_of(Instant at, Millis span) {
    return {at.ms - at.ms % span.count};
}

const RollupSpan& span_for(Millis window) {
    const RollupSpan& fine = kRollupSpans.front();
    return window + fine.length <= fine.kept ? fine : kRollupSpans.back();
}

const core::Task* changed_task(const core::Changes& changes, const TaskKey& key) {
    const auto at = std::lower_bound(
        changes.tasks.begin(), changes.tasks.end(), key,
        [](const Shared<core::Task>& task, const TaskKey& wanted) { return task->key < wanted; });
    return at != changes.tasks.end() && (*at)->key == key ? &**at : nullptr;
}

void RollupSum::add(const RollupSum& other) {
    for (const auto& [key, sums] : other.sums_) sums_[key].add(sums);
}

void RollupSum::add(const core::Event& event, const core::Task* task) {
    if (task == nullptr) return;
    Counted counted{event, *task};
    if (!std::visit(counted, event.body)) return;
    const auto add_to = [&](StatsBy by, const std::string& name) {
        for (const RollupSpan& span : kRollupSpans) {
            sums_[{event.task.ns, by, span.length, bucket_of(event.at, span.length), name}].add(
                counted.rollup);
        }
    };
    add_to(StatsBy::kRole, task->role.text);
    add_to(StatsBy::kType, task->type);
    if (!counted.worker.empty()) add_to(StatsBy::kWorker, counted.worker);
    if (!counted.model.empty()) add_to(StatsBy::kModel, counted.model);
    for (const auto& [key, value] : task->labels) {
        std::string name = key;
        add_to(StatsBy::kLabel, name.append("=").append(value));
    }
}

}  // namespace zq::store
