// Who refers to a content. References are born and die by events alone: an input with its task's
// submit, an artifact with the end of its attempt, a checkpoint while it is kept; retention's
// events name what they release. The table `content_use` holds their number (use_writer.h).
#pragma once

#include <span>
#include <vector>

#include "coordinator/core/command.h"
#include "coordinator/core/event.h"

namespace zq::store {

/// One digest for each reference.
struct ReferenceChange {
    std::vector<Digest> gained;
    std::vector<Digest> released;
};
ReferenceChange references_of(const core::EventBody& body);

/// What retention has taken from a task.
struct Removal {
    RemovedKind kind = RemovedKind::kArtifacts;
    Seq seq = 0;
    Instant at;
    friend bool operator==(const Removal&, const Removal&) = default;
};

/// Whether a part of this kind was removed by a later event than this one. What came after the
/// removal, because the task was run again, is there.
bool removed_since(const std::vector<Removal>& removals, RemovedKind kind, Seq seq);
/// Whether the checkpoints in its record are names alone.
bool checkpoints_gone(const core::Task& task, const std::vector<Removal>& removals);

/// What a task refers to, by its records.
struct HeldContents {
    std::vector<Digest> inputs;
    std::vector<Digest> logs;
    std::vector<Digest> artifacts;  // and checkpoints
    std::uint64_t log_bytes = 0;
    std::uint64_t artifact_bytes = 0;
};
HeldContents held_by(const core::Task& task, const std::vector<ArtifactRef>& inputs,
                     const std::vector<core::Attempt>& attempts,
                     const std::vector<Removal>& removals);
/// The same of an ended task, for the core.
core::EndedTask ended_task(const core::Task& task, const std::vector<ArtifactRef>& inputs,
                           const std::vector<core::Attempt>& attempts,
                           const std::vector<Removal>& removals);
/// The sizes of its logs, artifacts and checkpoints alone, in bytes: all references count.
std::uint64_t bytes_held_by(const core::Task& task, std::span<const core::Attempt> attempts,
                            const std::vector<Removal>& removals);

}  // namespace zq::store
