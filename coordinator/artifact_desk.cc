#include "coordinator/artifact_desk.h"

#include <algorithm>

#include "common/platform/clock.h"
#include "common/platform/log.h"
#include "coordinator/edge/check_fields.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kPlaces = 1'024;  // remembered

TaskKey key_of(const TaskId& id) {
    return {kDefaultNamespace, id};
}

Result<ArtifactRef> find_ref(const std::vector<ArtifactRef>& refs, const wire::Fetch& fetch) {
    auto at = std::find_if(refs.begin(), refs.end(),
                           [&](const ArtifactRef& ref) { return ref.name == fetch.name; });
    if (at != refs.end()) return *at;
    return fail(ErrorCode::NOT_FOUND, "no artifact of this name", "name");
}

Failure no_such_task(const wire::Fetch& fetch) {
    return fail(ErrorCode::NOT_FOUND, "no task " + fetch.task.text, "task_id");
}

}  // namespace

void ArtifactDesk::handle(std::size_t door, Received received, Instant now) {
    std::string routing_id = received.frames.front();
    edge::SplitFrames split = edge::split_frames(std::move(received.frames));
    Caller caller{
        edge::peer_of({parts_.doors.at(door), received.user_id}, parts_.keys, now),
        {{door, std::move(routing_id), std::move(received.user_id)}, std::move(split.envelope), 0}};
    if (received.too_many) {
        return refuse(caller.route, {ErrorCode::MALFORMED, "too many frames", {}, {}});
    }
    auto message = wire::decode(split.message);
    if (!message) {
        caller.route.request = wire::peek_header(split.message).id;
        return refuse(caller.route, message.error());
    }
    caller.route.request = message->header.id;
    auto allowed = edge::check_access(caller.peer, edge::Door::kArtifacts, message->body);
    if (!allowed) return refuse(caller.route, allowed.error());
    if (auto ok = edge::check_fields(*message); !ok) return refuse(caller.route, ok.error());
    if (auto ok = check_readable(caller, message->body); !ok) {
        return refuse(caller.route, ok.error());
    }
    serve(caller, std::move(*message), now);
}

void ArtifactDesk::serve(const Caller& caller, wire::Message message, Instant now) {
    if (const auto* body = std::get_if<wire::Put>(&message.body)) return put(caller, *body, now);
    if (const auto* body = std::get_if<wire::Fetch>(&message.body)) return fetch(caller, *body);
    if (const auto* body = std::get_if<wire::Upstream>(&message.body)) {
        return tell_upstream(caller, *body);
    }
    if (const auto* body = std::get_if<wire::Chunk>(&message.body)) {
        return chunk(caller, *body, message.payload, now);
    }
    if (auto* body = std::get_if<wire::Log>(&message.body)) {
        return write_log(caller, std::move(*body));
    }
    if (const auto* body = std::get_if<wire::ReadLog>(&message.body)) {
        return read_log(caller, *body);
    }
    if (std::holds_alternative<wire::Ping>(message.body)) {
        reply(caller.route, wire::Pong{parts_.self.program, to_hex(parts_.self.journal),
                                       caller.peer.identity, now});
    }
}

void ArtifactDesk::handle(const RemoveOrder& order) {
    places_.clear();
    recent_.clear();
    if (order.digests.empty()) return;
    if (auto ok = parts_.store.remove(order.digests); !ok) {
        log_error("a file that retention has condemned stays", {{"error", ok.error().message}});
    }
    StoreRequest done;
    done.removed = order.digests;
    parts_.requests.put(std::move(done));
}

void ArtifactDesk::fetch(const Caller& caller, const wire::Fetch& fetch) {
    auto place = find_place(fetch);
    if (!place) return refuse(caller.route, place.error());
    if (fetch.offset > place->size) {
        return refuse(
            caller.route,
            {ErrorCode::INVALID, "it has " + std::to_string(place->size) + " bytes", "offset", {}});
    }
    auto bytes = place->inlined
                     ? parts_.reader.inline_content(place->digest, fetch.offset, fetch.length)
                     : parts_.store.read(place->digest, fetch.offset, fetch.length);
    if (!bytes && bytes.error().code == ErrorCode::NOT_FOUND) {
        // Removed since it was found.
        if (auto kept = check_kept(fetch, place->digest); !kept) {
            return refuse(caller.route, kept.error());
        }
    }
    if (!bytes) return refuse(caller.route, bytes.error());
    reply(caller.route, wire::Chunk{place->digest, fetch.offset, place->size}, std::move(*bytes));
}

/// What a task, attempt, name and checkpoint's number stand for never changes, so what was found
/// once is remembered.
Result<ArtifactDesk::Place> ArtifactDesk::find_place(const wire::Fetch& fetch) {
    PlaceName name{fetch.task, fetch.attempt, fetch.name, fetch.checkpoint};
    auto known = places_.find(name);
    if (known != places_.end()) {
        recent_.splice(recent_.begin(), recent_, known->second.second);
        return known->second.first;
    }
    auto place = look_up(fetch);
    if (!place) return place;
    recent_.push_front(name);
    places_.emplace(std::move(name), std::pair(*place, recent_.begin()));
    if (places_.size() > kPlaces) {
        places_.erase(recent_.back());
        recent_.pop_back();
    }
    return place;
}

Result<ArtifactDesk::Place> ArtifactDesk::look_up(const wire::Fetch& fetch) {
    auto ref = fetch.checkpoint != 0 ? checkpoint_ref(fetch)
               : fetch.attempt == 0  ? input_ref(fetch)
                                     : output_ref(fetch);
    if (!ref) return Failure(ref.error());
    if (auto kept = check_kept(fetch, ref->digest); !kept) return Failure(kept.error());
    auto content = parts_.reader.content(ref->digest);
    if (!content) return Failure(content.error());
    if (!*content) return fail(ErrorCode::NOT_FOUND, "its content is not stored", "name");
    return Place{ref->digest, (*content)->size, (*content)->inlined};
}

/// Errors: NOT_FOUND, with the day on which retention removed it.
Result<void> ArtifactDesk::check_kept(const wire::Fetch& fetch, const Digest& digest) {
    auto task = parts_.reader.task(key_of(fetch.task));
    if (!task) return Failure(task.error());
    std::optional<Instant> at;
    if (*task && fetch.attempt != 0) {
        auto removals = parts_.reader.removals((*task)->submitted_seq);
        if (!removals) return Failure(removals.error());
        const RemovedKind kind =
            fetch.checkpoint != 0 ? RemovedKind::kArtifacts : removed_kind_of(fetch.name);
        auto since = kept_since(fetch, **task);
        if (!since) return Failure(since.error());
        for (const store::Removal& removal : *removals) {
            if (removal.kind == kind && removal.seq > *since) at = removal.at;
        }
    }
    if (!at) {
        auto content = parts_.reader.content(digest);
        if (!content) return Failure(content.error());
        if (*content) return {};
        auto condemned = parts_.reader.condemned_at(digest);
        if (!condemned) return Failure(condemned.error());
        at = *condemned;
    }
    if (!at) return {};
    return fail(ErrorCode::NOT_FOUND, "removed by retention on " + to_rfc3339(*at), "name");
}

/// The event by which it was there: removals before it were of another attempt's.
Result<Seq> ArtifactDesk::kept_since(const wire::Fetch& fetch, const core::Task& task) {
    if (fetch.checkpoint != 0) return task.changed_seq;
    auto attempt = parts_.reader.attempt(task.key, fetch.attempt);
    if (!attempt) return Failure(attempt.error());
    return *attempt ? (*attempt)->ended_seq : task.changed_seq;
}

Result<ArtifactRef> ArtifactDesk::input_ref(const wire::Fetch& fetch) {
    auto task = parts_.reader.task(key_of(fetch.task));
    if (!task) return Failure(task.error());
    if (!*task) return no_such_task(fetch);
    auto spec = parts_.reader.spec(core::spec_seq(**task));
    if (!spec) return Failure(spec.error());
    auto ref = find_ref(*spec ? (*spec)->inputs : std::vector<ArtifactRef>{}, fetch);
    if (ref && ref->by_reference) {
        return fail(ErrorCode::NOT_FOUND, "it is by reference: read it at " + ref->uri, "name");
    }
    return ref;
}

Result<ArtifactRef> ArtifactDesk::output_ref(const wire::Fetch& fetch) {
    auto attempt = parts_.reader.attempt(key_of(fetch.task), fetch.attempt);
    if (!attempt) return Failure(attempt.error());
    if (!*attempt) return fail(ErrorCode::NOT_FOUND, "no such attempt has ended", "attempt");
    return find_ref((*attempt)->artifacts, fetch);
}

Result<ArtifactRef> ArtifactDesk::checkpoint_ref(const wire::Fetch& fetch) {
    auto task = parts_.reader.task(key_of(fetch.task));
    if (!task) return Failure(task.error());
    if (!*task) return no_such_task(fetch);
    for (const CheckpointRef& kept : (*task)->checkpoints) {
        const bool meant = kept.number == fetch.checkpoint && kept.attempt == fetch.attempt &&
                           kept.ref.name == fetch.name;
        if (meant) return kept.ref;
    }
    return fail(ErrorCode::NOT_FOUND, "no such checkpoint is kept", "checkpoint");
}

void ArtifactDesk::write_log(const Caller& caller, wire::Log log) {
    auto logged = logs_.write(caller.peer.identity, std::move(log));
    if (!logged) return refuse(caller.route, logged.error());
    reply(caller.route, *logged);
}

void ArtifactDesk::read_log(const Caller& caller, const wire::ReadLog& query) {
    auto page = logs_.read(caller.route, query, boottime());
    if (!page) return refuse(caller.route, page.error());
    if (*page) reply(caller.route, std::move(**page));
}

void ArtifactDesk::serve_logs(Millis now) {
    for (LogAnswer& answer : logs_.answers(now)) reply(answer.route, std::move(answer.page));
}

void ArtifactDesk::reply(const edge::Route& route, wire::Body body, std::string payload) {
    wire::Message message;
    message.header.id = route.request;
    message.header.epoch = parts_.epoch;
    message.body = std::move(body);
    message.payload = std::move(payload);
    // A peer that takes nothing more has asked for more than its credit, or is gone: it asks again.
    const SendStatus sent = parts_.sender.send(
        route.connection.door, edge::join_frames(route.envelope, wire::encode(message)));
    if (sent != SendStatus::kSent) parts_.counters.count(edge::Tally::kRepliesDropped);
}

void ArtifactDesk::refuse(const edge::Route& route, Error error) {
    if (error.code == ErrorCode::IO) {
        log_error("the artifact store failed", {{"error", error.message}});
        error = {ErrorCode::BUSY, "the artifact store failed just now", {}, seconds(1)};
    }
    // Everyone who puts something asks again and again: one line a minute says it.
    if (error.code == ErrorCode::STORAGE_FULL &&
        (told_full_.count == 0 || boottime() - told_full_ > minutes(1))) {
        told_full_ = boottime();
        log_warn("no room for artifacts: uploads are refused", {{"error", error.message}});
    }
    parts_.counters.count_refusal(error.code);
    reply(route, edge::error_message(error));
}

}  // namespace zq::coordinator
