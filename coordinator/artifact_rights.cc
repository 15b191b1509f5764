// What a peer may put and read at the artifacts socket: its own bytes, and what lies under tasks
// that it may read or that the task it holds has waited for.
#include <algorithm>

#include "coordinator/artifact_desk.h"

namespace zq::coordinator {
namespace {

TaskKey key_of(const TaskId& id) {
    return {kDefaultNamespace, id};
}

}  // namespace

/// Bytes of a peer that may not know of content that is there already: all of them are its own.
void ArtifactDesk::take_proof(const Caller& caller, const wire::Chunk& chunk,
                              const std::string& bytes, Instant now) {
    const Identity& identity = caller.peer.identity;
    auto proof = proofs_.take(identity, chunk.digest, chunk.offset, bytes);
    if (!proof) return refuse(caller.route, proof.error());
    auto place = parts_.reader.content(chunk.digest);
    if (!place) return refuse(caller.route, place.error());
    const bool taken = proof->offset == chunk.offset + bytes.size();
    if (!*place && taken) {
        auto kept = keep_chunk({chunk.digest, chunk.offset, proof->size}, bytes);
        if (!kept) return refuse(caller.route, kept.error());
        // What was kept of it went meanwhile, for room: it begins anew.
        if (*kept < proof->offset) {
            proofs_.forget(identity, chunk.digest);
            proofs_.begin(identity, chunk.digest, proof->size);
            *proof = {0, proof->size, false};
        }
    }
    if (!proof->complete) {
        const auto credit = static_cast<std::uint32_t>(limits::kChunkCredit);
        return reply(caller.route, wire::Pull{chunk.digest, proof->offset, credit});
    }
    parts_.shown.add(identity, chunk.digest);
    take_put(caller, {chunk.digest, proof->size, {}, {}}, now);
}

/// Gives how many bytes of the content are there, whoever sent them.
Result<std::uint64_t> ArtifactDesk::keep_chunk(const wire::Chunk& chunk, const std::string& bytes) {
    auto begun = parts_.store.begin(chunk.digest, chunk.size);
    if (!begun) return begun;
    const std::uint64_t end = chunk.offset + bytes.size();
    if (*begun < chunk.offset || *begun >= end) return begun;
    return parts_.store.append(chunk.digest, *begun,
                               std::string_view(bytes).substr(*begun - chunk.offset));
}

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
