// The control socket's conversation about keys, and what a key may do to a task.
#include <algorithm>
#include <set>

#include "common/platform/log.h"
#include "coordinator/control.h"

namespace zq::coordinator {
namespace {

template <class T>
wire::Body body_of(Result<T> result) {
    if (!result) return edge::error_message(result.error());
    return std::move(*result);
}

}  // namespace

wire::Body Control::keys(const edge::Peer& peer, const wire::Body& request, Instant now) {
    AccessDesk* access = parts_.access;
    if (access == nullptr) {
        if (std::holds_alternative<wire::Access>(request)) return wire::AccessRows{};
        return edge::error_message({ErrorCode::INVALID,
                                    "this coordinator serves its own machine alone and knows no"
                                    " keys: `zq init --bind` opens it to others",
                                    {},
                                    {}});
    }
    if (const auto* m = std::get_if<wire::Access>(&request)) return access->list(peer, *m);
    if (const auto* m = std::get_if<wire::Join>(&request)) {
        return body_of(access->join(peer.invitation, *m, now));
    }
    if (const auto* m = std::get_if<wire::Rotate>(&request)) {
        return body_of(access->rotate(peer, *m, now));
    }
    const auto& set = std::get<wire::SetAccess>(request);
    auto changed = access->change(set, {peer.identity, now, set.reason});
    if (changed) end_unwanted_sessions(now);
    return body_of(std::move(changed));
}

Result<std::optional<core::Task>> Control::find_task(const TaskId& id) {
    const TaskKey key{kDefaultNamespace, id};
    if (const core::Task* task = core::find_task(parts_.pipeline.state(), key)) {
        return std::optional(*task);
    }
    return trailing().task(key);
}

Result<void> Control::check_upstream(const edge::Peer& peer, const TaskSpec& task) {
    for (const TaskId& id : task.after.tasks) {
        auto upstream = find_task(id);
        if (!upstream) return Failure(upstream.error());
        if (*upstream && edge::may_read(peer, **upstream)) continue;
        return fail(ErrorCode::NOT_FOUND,
                    "no task " + id.text +
                        " that this key may read: a task waits for those that"
                        " are there before it",
                    "task.after.tasks");
    }
    return {};
}

Result<void> Control::check_tasks(const edge::Peer& peer, const wire::Body& body) {
    if (peer.rights().is_admin()) return {};
    if (const auto wished = edge::wish_of(body)) {
        auto task = find_task(wished->task);
        if (!task) return Failure(task.error());
        return edge::check_task(peer, *wished, *task ? &**task : nullptr);
    }
    if (edge::may_read_all(peer)) return {};
    // Who waits for a task is told how it went, and its worker what came of it.
    if (const auto* submit = std::get_if<wire::Submit>(&body)) {
        return check_upstream(peer, submit->task);
    }
    const auto* batch = std::get_if<wire::Batch>(&body);
    if (batch == nullptr) return {};
    std::set<TaskId> own;
    for (const TaskSpec& task : batch->tasks) {
        TaskSpec others;
        for (const TaskId& id : task.after.tasks) {
            if (!own.contains(id)) others.after.tasks.push_back(id);
        }
        if (auto ok = check_upstream(peer, others); !ok) return ok;
        own.insert(task.id);
    }
    return {};
}

void Control::follow_keys(Instant now, bool all) {
    if (parts_.access == nullptr) return;
    const bool changed = all ? parts_.access->reload(now) : parts_.access->follow(now);
    if (changed) end_unwanted_sessions(now);
}

/// A worker whose key may not serve its roles any more gets nothing further; what it holds is
/// given to others when its leases end.
void Control::end_unwanted_sessions(Instant now) {
    for (const core::SessionId id : peers_.sessions()) {
        const auto& sessions = parts_.pipeline.state().now.sessions;
        const auto session = sessions.find(id);
        const edge::Route* route = peers_.route_of(id);
        if (session == sessions.end() || route == nullptr) continue;
        const edge::Trust trust = parts_.doors.at(route->connection.door).trust;
        const edge::Peer peer = edge::peer_of({trust, route->connection.user_id}, parts_.keys, now);
        const auto& roles = session->second.roles;
        const bool wanted = std::all_of(roles.begin(), roles.end(), [&](const RoleName& role) {
            return peer.rights().may_work(role);
        });
        if (wanted) continue;
        log_info(
            "a worker's key may not work any more",
            {{"worker", session->second.worker.text}, {"identity", session->second.identity.text}});
        core::Command close;
        close.now = now;
        close.identity = kSystemIdentity;
        close.body = core::CloseSession{id, core::CloseCause::kGone};
        parts_.pipeline.run(close);
        peers_.forget_session(id);
    }
}

}  // namespace zq::coordinator
