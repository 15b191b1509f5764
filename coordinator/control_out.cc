// What goes out by the control socket: answers when they may leave, pushes, polls that were woken.
#include <algorithm>

#include "common/platform/log.h"
#include "coordinator/control.h"

namespace zq::coordinator {
namespace {

/// A query's answer as of now.
struct Found {
    wire::Body reply;
    bool done = true;
    std::vector<edge::Topic> topics;
};

template <class T>
Result<Found> found(Result<T> reply) {
    if (!reply) return Failure(reply.error());
    return Found{std::move(*reply), true, {}};
}

template <class T>
Result<Found> found(Result<edge::Polled<T>> polled) {
    if (!polled) return Failure(polled.error());
    return Found{std::move(polled->reply), polled->done, std::move(polled->topics)};
}

struct LookUp {
    const edge::View& view;

    Result<Found> operator()(const wire::Get& q) const { return found(edge::get_task(view, q)); }
    Result<Found> operator()(const wire::List& q) const { return found(edge::list_tasks(view, q)); }
    Result<Found> operator()(const wire::Wait& q) const { return found(edge::wait_tasks(view, q)); }
    Result<Found> operator()(const wire::Events& q) const {
        return found(edge::read_events(view, q));
    }
    Result<Found> operator()(const wire::Answers& q) const {
        return found(edge::read_answers(view, q));
    }
    Result<Found> operator()(const wire::UsageQuery& q) const {
        return found(edge::read_usage(view, q));
    }
    template <class T>
    Result<Found> operator()(const T&) const {
        return fail(ErrorCode::UNKNOWN_TYPE, std::string(T::kType) + " is no query");
    }
};

/// By the rights that the asker has now, not by those it had when it asked.
Result<Found> look_up(const edge::View& view, const wire::Body& request) {
    auto allowed = edge::check_access(view.asker, edge::Door::kControl, request);
    if (!allowed) return Failure(allowed.error());
    return std::visit(LookUp{view}, request);
}

/// A poll for events that has found none need not look at the same ones again.
wire::Body looked_so_far(wire::Body request, const wire::Body& reply) {
    auto* events = std::get_if<wire::Events>(&request);
    const auto* rows = std::get_if<wire::EventRows>(&reply);
    if (events != nullptr && rows != nullptr) events->after = rows->last;
    return request;
}

/// The disk's failures are not a peer's business: it may ask again.
Error outward(Error error) {
    if (error.code != ErrorCode::IO) return error;
    log_error("the store could not be read", {{"error", error.message}});
    return {ErrorCode::BUSY, "the store could not be read just now", {}, seconds(1)};
}

std::vector<edge::Topic> topics_of(const Committed& committed) {
    std::vector<edge::Topic> topics{{edge::Topic::Kind::kAnything, {}}};
    for (const Shared<core::Task>& task : committed.changed) {
        topics.push_back({edge::Topic::Kind::kTask, task->key.id.text});
        if (!task->group.empty()) topics.push_back({edge::Topic::Kind::kGroup, task->group.text});
        if (is_final(task->state) && !task->reply_to.empty()) {
            topics.push_back({edge::Topic::Kind::kReplyTo, task->reply_to});
        }
    }
    return topics;
}

}  // namespace

void Control::say(core::ReturnPath to, wire::Body body) {
    pending_.emplace(++last_ticket_, Pending{to, std::move(body)});
    parts_.pipeline.defer(last_ticket_, After::kDurable);
}

void Control::refuse(const edge::Route& route, const Error& error) {
    say(peers_.keep(route), edge::error_message(error));
}

void Control::turn_away(std::size_t door, Received received) {
    std::string routing_id = received.frames.front();
    edge::SplitFrames split = edge::split_frames(std::move(received.frames));
    edge::Route route{{door, std::move(routing_id), std::move(received.user_id)},
                      std::move(split.envelope),
                      wire::peek_header(split.message).id};
    say(peers_.keep(std::move(route)),
        edge::error_message({ErrorCode::BUSY,
                             "too many messages of this peer wait to be served",
                             {},
                             millis(100)}));
}

void Control::send(core::ReturnPath to, wire::Body body, Seq seq) {
    auto route = peers_.take(to);
    if (!route) return;
    auto* refusal = std::get_if<wire::ErrorReply>(&body);
    if (refusal != nullptr) {
        const Error error =
            outward({refusal->code, refusal->message, refusal->field, refusal->retry_after});
        refusal->code = error.code;
        refusal->message = error.message;
        refusal->retry_after = error.retry_after;
        parts_.counters.count_refusal(error.code);
    }
    if (route->connection.door >= parts_.doors.size()) {
        StoreResult result{route->request, std::nullopt};
        if (refusal != nullptr) {
            result.error =
                Error{refusal->code, refusal->message, refusal->field, refusal->retry_after};
        }
        return parts_.store_results.put(std::move(result));
    }
    wire::Message message;
    message.header.id = route->request;
    message.header.epoch = parts_.pipeline.state().durable.epoch;
    message.header.seq = seq;
    const ArtifactsPlace& place = parts_.doors[route->connection.door].artifacts;
    message.header.artifacts_port = place.port;
    message.header.artifacts_endpoint = place.endpoint;
    message.body = std::move(body);
    outlet_.send(*route, edge::encode_bounded(message));
}

void Control::push(const core::Push& push) {
    const edge::Route* route = peers_.route_of(push.to);
    if (route == nullptr) return;  // it was closed meanwhile; the lease's clock sorts it out
    auto body = edge::to_message(push.body, specs());
    if (!body) {
        log_error("a push could not be made", {{"error", body.error().message}});
        return;
    }
    wire::Message message;
    message.header.epoch = parts_.pipeline.state().durable.epoch;
    message.body = std::move(*body);
    parts_.counters.count("pushes");
    outlet_.send(*route, edge::encode_bounded(message));
}

void Control::count_stale(const wire::Body& answer) {
    const auto count = [&](const std::vector<wire::LeaseVerdict>& verdicts) {
        const auto stale = std::count_if(verdicts.begin(), verdicts.end(), [](const auto& each) {
            return each.verdict == Verdict::kStale;
        });
        parts_.counters.count(edge::Tally::kStaleVerdicts, static_cast<std::uint64_t>(stale));
    };
    if (const auto* beat = std::get_if<wire::Beat>(&answer)) count(beat->leases);
    if (const auto* welcome = std::get_if<wire::Welcome>(&answer)) count(welcome->leases);
}

void Control::release(Outgoing outgoing, Instant now) {
    if (const auto* answer = std::get_if<core::Answer>(&outgoing.what)) {
        auto body = edge::to_message(answer->body, parts_.self, specs());
        if (body) count_stale(*body);
        send(answer->to, body ? std::move(*body) : edge::error_message(body.error()), outgoing.seq);
        return;
    }
    if (const auto* pushed = std::get_if<core::Push>(&outgoing.what)) return push(*pushed);
    auto at = pending_.find(std::get<Deferred>(outgoing.what).ticket);
    Pending pending = std::move(at->second);
    pending_.erase(at);
    if (auto* query = std::get_if<Query>(&pending.what)) {
        return answer_query(pending.to, std::move(*query), now);
    }
    send(pending.to, std::move(std::get<wire::Body>(pending.what)), 0);
}

void Control::answer_query(core::ReturnPath to, Query query, Instant now) {
    auto answer = look_up(view(query.asker, now), query.request);
    if (!answer) return send(to, edge::error_message(answer.error()), 0);
    if (answer->done || query.until <= now || shutting_down_) {
        return send(to, std::move(answer->reply), 0);
    }
    auto replaced = polls_.park({query.key, query.asker, to, query.until,
                                 looked_so_far(std::move(query.request), answer->reply),
                                 std::move(answer->topics)});
    if (!replaced) return send(to, edge::error_message(replaced.error()), 0);
    if (*replaced != 0) peers_.take(*replaced);
}

/// Looks again for a parked poll; true if it could be answered or its time is over.
bool Control::answer_poll(edge::PollId id, Instant now) {
    const edge::Poll& parked = polls_.get(id);
    if (std::holds_alternative<wire::Claim>(parked.request)) {
        if (parked.until > now) return false;
        const edge::Poll poll = polls_.take(id);
        run_claim(poll.reply, poll.key, poll.asker, std::get<wire::Claim>(poll.request), now, now);
        return true;
    }
    auto answer = look_up(view(parked.asker, now), parked.request);
    if (answer && !answer->done && parked.until > now) {
        if (std::holds_alternative<wire::Events>(parked.request)) {
            polls_.narrow(id, looked_so_far(parked.request, answer->reply));
        }
        return false;
    }
    const edge::Poll poll = polls_.take(id);
    send(poll.reply,
         answer ? std::move(answer->reply) : wire::Body(edge::error_message(answer.error())), 0);
    return true;
}

bool Control::wakes(const Committed& committed) const {
    return polls_.size() != 0 && !polls_.woken_by(topics_of(committed)).empty();
}

void Control::wake(const std::vector<Committed>& committed, Instant now) {
    if (polls_.size() == 0) return;
    for (const Committed& batch : committed) {
        for (const edge::PollId id : polls_.woken_by(topics_of(batch))) answer_poll(id, now);
    }
}

void Control::expire(Instant now) {
    for (const edge::PollId id : polls_.due(now)) answer_poll(id, now);
}

void Control::flush(Instant now) {
    for (Outgoing& outgoing : parts_.pipeline.release()) release(std::move(outgoing), now);
    if (!outlet_.is_empty()) outlet_.retry();
    close_lost(now);
}

void Control::close_lost(Instant now) {
    for (const edge::Connection& connection : outlet_.take_lost()) {
        parts_.counters.count("peers_lost");
        gone_.push_back(connection);
        const core::SessionId session = peers_.session_of(connection);
        if (session == 0) continue;
        peers_.forget_session(session);
        if (!parts_.pipeline.state().now.sessions.contains(session)) continue;
        log_info("a worker's connection is gone",
                 {{"worker", parts_.pipeline.state().now.sessions.at(session).worker.text}});
        core::Command command;
        command.now = now;
        command.identity = kSystemIdentity;
        command.body = core::CloseSession{session, core::CloseCause::kGone};
        parts_.pipeline.run(command);
    }
}

void Control::shut_down() {
    shutting_down_ = true;
    const Error error{ErrorCode::SHUTTING_DOWN, "the coordinator is closing", {}, seconds(1)};
    for (const edge::PollId id : polls_.all()) {
        const edge::Poll poll = polls_.take(id);
        say(poll.reply, edge::error_message(error));
    }
}

}  // namespace zq::coordinator
