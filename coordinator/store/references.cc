#include "coordinator/store/references.h"

#include <algorithm>

namespace zq::store {
namespace {

struct Gather {
    ReferenceChange& change;

    void operator()(const core::TaskSubmitted& body) const {
        for (const ArtifactRef& ref : body.spec.inputs) {
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
    template <class T>
    void operator()(const T&) const {}
};

bool has_gone(const std::vector<Removal>& removals, RemovedKind kind) {
    return std::any_of(removals.begin(), removals.end(),
                       [&](const Removal& removal) { return removal.kind == kind; });
}

}  // namespace

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
    const bool logs = !has_gone(removals, RemovedKind::kLogs);
    const bool artifacts = !has_gone(removals, RemovedKind::kArtifacts);
    const auto hold = [&](const ArtifactRef& ref, RemovedKind kind) {
        if (kind == RemovedKind::kLogs && logs) {
            held.logs.push_back(ref.digest);
            held.log_bytes += ref.size;
        }
        if (kind == RemovedKind::kArtifacts && artifacts) {
            held.artifacts.push_back(ref.digest);
            held.artifact_bytes += ref.size;
        }
    };
    for (const core::Attempt& attempt : attempts) {
        for (const ArtifactRef& ref : attempt.artifacts) hold(ref, removed_kind_of(ref.name));
    }
    for (const CheckpointRef& kept : task.checkpoints) hold(kept.ref, RemovedKind::kArtifacts);
    return held;
}

}  // namespace zq::store
