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
    expect(!is_needed(event.task.id), "an open task's input is kept");
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
            expect(bytes == 0 || other.ended_seq >= task.ended_seq || is_needed(id),
                   "what ended first goes first by bytes, but for an open task's input");
        }
        expect(retention_.finished_bytes > 0 && held > retention_.finished_bytes,
               "by bytes something goes only while more is held than may be");
        expect(!is_dead(task.state), "what is dead keeps all it has");
    }
    if (by_bytes) let_go_ = {event.task.id, event.seq};
    task.left[body.kind] = 0;
    if (body.kind == RemovedKind::kArtifacts) task.checkpoints_gone = true;
}

/// What a task refers to as `input/NAME`, `output/NAME` or `checkpoint/NUMBER`.
void Model::name(const Digest& digest, const TaskId& task, const std::string& as) {
    expect(stored_.contains(digest), "what is referred to is stored");
    names_[digest].insert({task, as});
}

void Model::unname(const TaskId& task, const std::function<bool(const std::string&)>& goes) {
    for (auto at = names_.begin(); at != names_.end();) {
        std::erase_if(at->second, [&](const auto& holder) {
            return holder.first == task && goes(holder.second);
        });
        at = at->second.empty() ? names_.erase(at) : std::next(at);
    }
}

void Model::apply(const core::Event&, const core::ContentsCondemned& body) {
    for (const core::CondemnedContent& content : body.contents) {
        expect(!names_.contains(content.digest), "nothing that is referred to is condemned");
        expect(stored_.erase(content.digest) == 1, "only what is stored is condemned");
    }
}

void Model::apply(const core::Event& event, const core::ArtifactsRemoved& body) {
    expect(is_final(task_of(event).state), "only ended tasks lose artifacts");
    check_removed_bytes(event, body);
    const bool logs = body.kind == RemovedKind::kLogs;
    unname(event.task.id, [&](const std::string& as) {
        const bool log = as == "output/stdout.log" || as == "output/stderr.log";
        return !as.starts_with("input/") && log == logs;
    });
}

void Model::apply(const core::Event& event, const core::TaskRemoved& body) {
    Task& task = task_of(event);
    expect(!task.removed && is_final(task.state), "only what has ended is removed");
    if (!is_dead(task.state)) erased_next_ = event.task.id;
    expect(!is_needed(event.task.id), "what an open task waits for is not removed");
    expect(std::multiset<Digest>(body.released.begin(), body.released.end()) ==
               named_by(event.task.id, ""),
           "a removed task lets go of all that it names");
    unname(event.task.id, [](const std::string&) { return true; });
    task.removed = true;
    task.left.clear();
    task.checkpoints_gone = true;
    by_key_.erase(task.spec.idempotency_key);
}

void Model::apply(const core::Event& event, const core::TextsErased& body) {
    expect(task_of(event).removed, "the texts of a task go with it, or after it");
    Seq last = 0;
    for (const core::ErasedBody& erased : body.bodies) {
        expect(erased.seq > last && erased.seq < event.seq, "earlier events are erased, in order");
        last = erased.seq;
    }
}

}  // namespace zq::sim
