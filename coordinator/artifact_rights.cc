// What a peer may read at the artifacts socket: what lies under tasks that it may read, or that the
// task it holds has waited for.
#include <algorithm>

#include "coordinator/artifact_desk.h"

namespace zq::coordinator {
namespace {

TaskKey key_of(const TaskId& id) {
    return {kDefaultNamespace, id};
}

}  // namespace

Result<core::Task> ArtifactDesk::check_holder(const Caller& caller, const TaskId& task,
                                              const LeaseToken& lease) {
    auto found = parts_.reader.task(key_of(task));
    if (!found) return Failure(found.error());
    const bool held = *found && (*found)->lease && (*found)->lease->token == lease &&
                      (*found)->lease->holder.identity == caller.peer.identity;
    if (held) return std::move(**found);
    return fail(ErrorCode::STALE_LEASE, "this lease is over, or another's", "lease");
}

Result<void> ArtifactDesk::check_readable(const Caller& caller, const wire::Body& body) {
    if (edge::may_read_all(caller.peer)) return {};
    if (const auto* fetch = std::get_if<wire::Fetch>(&body)) return check_fetch(caller, *fetch);
    const auto wished = edge::wish_of(body);
    if (!wished) return {};
    auto task = parts_.reader.task(key_of(wished->task));
    if (!task) return Failure(task.error());
    return edge::check_task(caller.peer, *wished, *task ? &**task : nullptr);
}

/// Read by whoever may read the task, or holds one that waited for it.
Result<void> ArtifactDesk::check_fetch(const Caller& caller, const wire::Fetch& fetch) {
    if (!fetch.for_task.empty()) {
        auto holder = check_holder(caller, fetch.for_task, fetch.lease);
        if (!holder) return Failure(holder.error());
        const auto& tasks = holder->after.tasks;
        const bool waited = std::find(tasks.begin(), tasks.end(), fetch.task) != tasks.end();
        if (waited) return {};
    }
    auto task = parts_.reader.task(key_of(fetch.task));
    if (!task) return Failure(task.error());
    return edge::check_task(caller.peer, {fetch.task, edge::Wish::kRead},
                            *task ? &**task : nullptr);
}

}  // namespace zq::coordinator
