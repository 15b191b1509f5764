#include "coordinator/store/references.h"

#include <algorithm>

namespace zq::store {
namespace {

struct Gather {
    ReferenceChange& change;

    void operator()(const core::TaskSubmitted& body) const {
        for (const ArtifactRef& ref : body.spec->inputs) {
            if (!ref.by_reference) change.gained.push_back(ref.digest);
        }
    }
    void operator()(const core::AttemptEnded& body) const {
        for (const ArtifactRef& ref : body.attempt.artifacts) change.gained.push_back(ref.digest);
    }
    void operator()(const core::CheckpointSaved& body) const {
        change.gained.push_back(body.checkpoint.ref.digest);
        if (body.dropped != 0) change.released.push_back(body.released);
    }
    void operator()(const core::ArtifactsRemoved& body) const { change.released = body.released; }
    void operator()(const core::TaskRemoved& body) const { change.released = body.released; }
    void operator()(const core::TaskReplayed& body) const { change.released = body.released; }
    template <class T>
    void operator()(const T&) const {}
};

}  // namespace

bool removed_since(const std::vector<Removal>& removals, RemovedKind kind, Seq seq) {
    return std::any_of(removals.begin(), removals.end(), [&](const Removal& removal) {
        return removal.kind == kind && removal.seq > seq;
    });
}

bool checkpoints_gone(const core::Task& task, const std::vector<Removal>& removals) {
    return removed_since(removals, RemovedKind::kArtifacts, task.changed_seq);
}

ReferenceChange references_of(const core::EventBody& body) {
    ReferenceChange change;
    std::visit(Gather{change}, body);
    return change;
}

HeldContents held_by(const core::Task& task, const std::vector<ArtifactRef>& inputs,
                     const std::vector<core::Attempt>& attempts,
                     const std::vector<Removal>& removals) {
    HeldContents held;
    for (const ArtifactRef& ref : inputs) {
        if (!ref.by_reference) held.inputs.push_back(ref.digest);
    }
    const auto hold = [&](const ArtifactRef& ref, RemovedKind kind, Seq since) {
        if (removed_since(removals, kind, since)) return;
        if (kind == RemovedKind::kLogs) {
            held.logs.push_back(ref.digest);
            held.log_bytes += ref.size;
        } else {
            held.artifacts.push_back(ref.digest);
            held.artifact_bytes += ref.size;
        }
    };
    for (const core::Attempt& attempt : attempts) {
        for (const ArtifactRef& ref : attempt.artifacts) {
            hold(ref, removed_kind_of(ref.name), attempt.ended_seq);
        }
    }
    for (const CheckpointRef& kept : task.checkpoints) {
        hold(kept.ref, RemovedKind::kArtifacts, task.changed_seq);
    }
    return held;
}

core::EndedTask ended_task(const core::Task& task, const std::vector<ArtifactRef>& inputs,
                           const std::vector<core::Attempt>& attempts,
                           const std::vector<Removal>& removals) {
    HeldContents held = held_by(task, inputs, attempts, removals);
    core::EndedTask ended;
    ended.key = task.key;
    ended.role = task.role;
    ended.state = task.state;
    ended.submitted_seq = task.submitted_seq;
    ended.ended_at = task.ended_at;
    ended.inputs = std::move(held.inputs);
    ended.logs = std::move(held.logs);
    ended.artifacts = std::move(held.artifacts);
    ended.log_bytes = held.log_bytes;
    ended.artifact_bytes = held.artifact_bytes;
    return ended;
}

std::uint64_t bytes_held_by(const core::Task& task, std::span<const core::Attempt> attempts,
                            const std::vector<Removal>& removals) {
    std::uint64_t bytes = 0;
    const auto hold = [&](const ArtifactRef& ref, RemovedKind kind, Seq since) {
        if (!removed_since(removals, kind, since)) bytes += ref.size;
    };
    for (const core::Attempt& attempt : attempts) {
        for (const ArtifactRef& ref : attempt.artifacts) {
            hold(ref, removed_kind_of(ref.name), attempt.ended_seq);
        }
    }
    for (const CheckpointRef& kept : task.checkpoints) {
        hold(kept.ref, RemovedKind::kArtifacts, task.changed_seq);
    }
    return bytes;
}

}  // namespace zq::store
