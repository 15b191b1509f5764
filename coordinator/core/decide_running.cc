// What a holder says while it works: PROGRESS and CHECKPOINT. Nothing is accepted under a token
// that is not the current one.
#include <algorithm>

#include "coordinator/core/decide_parts.h"

namespace zq::core {
namespace {

/// Why the sender may not speak about that task; `task` is null where there is none.
std::optional<Decision> refusal(const Call& call, const Task* task, const TaskId& id,
                                const LeaseToken& token) {
    if (task == nullptr) {
        return reject(call, ErrorCode::NOT_FOUND, "no task " + id.text, "task_id");
    }
    if (is_holder(call, *task, token)) return std::nullopt;
    return reject(call, ErrorCode::STALE_LEASE,
                  "that lease of task " + id.text + " is not the current one", "lease");
}

/// The newest checkpoint of that name; null if there is none.
const CheckpointRef* newest_of(const Task& task, const std::string& name) {
    const auto at = std::find_if(task.checkpoints.rbegin(), task.checkpoints.rend(),
                                 [&](const CheckpointRef& c) { return c.ref.name == name; });
    return at == task.checkpoints.rend() ? nullptr : &*at;
}

/// Which one makes room for a new checkpoint called `name`: the oldest that a later one of its name
/// has replaced, so that a name which was saved once stays; else the oldest. Null: there is room.
const CheckpointRef* dropped_for(const Task& task, const std::string& name) {
    if (task.checkpoints.size() < limits::kCheckpointsKept) return nullptr;
    const auto replaced =
        std::find_if(task.checkpoints.begin(), task.checkpoints.end(), [&](const CheckpointRef& c) {
            return c.ref.name == name || newest_of(task, c.ref.name)->number != c.number;
        });
    return replaced == task.checkpoints.end() ? &task.checkpoints.front() : &*replaced;
}

}  // namespace

Decision decide_progress(const Call& call, const NoteProgress& progress) {
    const Task* task = look_up(call, progress.task);
    if (auto refused = refusal(call, task, progress.task, progress.token)) return *refused;
    Decision decision;
    answer(decision, call, AcceptedAnswer{progress.task, task->state, task->attempts});
    auto view = call.state.now.progress.find(task->key);
    const Instant last =
        view == call.state.now.progress.end() ? Instant{} : view->second.journaled_at;
    // The journal gets a sample and the end; everything else is visible while it is the latest.
    if (last + limits::kProgressJournalEvery <= call.now() || progress.percent == 100) {
        decision.events.push_back(event_of(
            call, task->key,
            ProgressNoted{progress.token, progress.percent, progress.step, progress.message}));
    } else {
        decision.notices.emplace_back(ProgressSeen{
            task->key, {progress.percent, progress.step, progress.message, call.now(), {}}});
    }
    return decision;
}

Decision decide_checkpoint(const Call& call, const SaveCheckpoint& save) {
    const Task* task = look_up(call, save.task);
    if (auto refused = refusal(call, task, save.task, save.token)) return *refused;
    if (!call.command.facts.missing.empty()) return reject_missing(call);
    Decision decision;
    answer(decision, call, AcceptedAnswer{save.task, task->state, task->attempts});
    // Sent again because its answer was lost: it is there already.
    const CheckpointRef* newest = newest_of(*task, save.ref.name);
    if (newest != nullptr && newest->attempt == task->attempts && newest->ref == save.ref) {
        return decision;
    }
    for (const ArtifactRef& content : save.contents) {
        decision.events.push_back(
            event_of(call, ContentStored{content.digest, content.size, true, content.secrets}));
    }
    CheckpointSaved saved;
    saved.token = save.token;
    saved.checkpoint.number = task->checkpoints.empty() ? 1 : task->checkpoints.back().number + 1;
    saved.checkpoint.attempt = task->attempts;
    saved.checkpoint.at = call.now();
    saved.checkpoint.ref = save.ref;
    if (const CheckpointRef* dropped = dropped_for(*task, save.ref.name)) {
        saved.dropped = dropped->number;
        saved.released = dropped->ref.digest;
    }
    decision.events.push_back(event_of(call, task->key, std::move(saved)));
    return decision;
}

}  // namespace zq::core
