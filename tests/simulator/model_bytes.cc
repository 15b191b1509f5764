// What ended tasks hold, counted by the model itself: whatever goes by bytes goes because its role
// holds more than it may, and the oldest goes first.
#include "tests/simulator/model.h"

namespace zq::sim {

std::uint64_t Model::held_by(const Task& task, RemovedKind kind) {
    auto left = task.left.find(kind);
    std::uint64_t bytes = left == task.left.end() ? 0 : left->second;
    if (kind == RemovedKind::kArtifacts && !task.checkpoints_gone) {
        for (const CheckpointRef& checkpoint : task.checkpoints) bytes += checkpoint.ref.size;
    }
    return bytes;
}

void Model::check_removed_bytes(const core::Event& event, const core::ArtifactsRemoved& body) {
    Task& task = task_of(event);
    expect(body.bytes == held_by(task, body.kind), "a removal counts what it removes");
    const bool by_bytes = body.rule == RetentionRule::kBytes;
    // Of one task logs and artifacts go together.
    const bool goes_on = let_go_ == std::pair(event.task.id, event.seq - 1);
    if (by_bytes && !goes_on) {
        std::uint64_t held = 0;
        for (const auto& [id, other] : tasks_) {
            if (!is_final(other.state) || is_dead(other.state)) continue;
            if (other.spec.role != task.spec.role) continue;
            const std::uint64_t bytes =
                held_by(other, RemovedKind::kLogs) + held_by(other, RemovedKind::kArtifacts);
            held += bytes;
            expect(bytes == 0 || other.ended_seq >= task.ended_seq,
                   "what ended first goes first by bytes");
        }
        expect(retention_.finished_bytes > 0 && held > retention_.finished_bytes,
               "by bytes something goes only while more is held than may be");
        expect(!is_dead(task.state), "what is dead keeps all it has");
    }
    if (by_bytes) let_go_ = {event.task.id, event.seq};
    task.left[body.kind] = 0;
    if (body.kind == RemovedKind::kArtifacts) task.checkpoints_gone = true;
}

}  // namespace zq::sim
