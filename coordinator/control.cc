// What comes in by the control socket. What goes out is control_out.cc.
#include "coordinator/control.h"

#include "common/platform/log.h"
#include "coordinator/edge/check_fields.h"
#include "coordinator/edge/cluster.h"
#include "coordinator/edge/controls.h"
#include "coordinator/edge/stats.h"
#include "coordinator/store/erase.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kSpecCacheBytes = 8UL << 20;

template <class T>
inline constexpr bool kIsAboutKeys =
    std::is_same_v<T, wire::Join> || std::is_same_v<T, wire::Rotate> ||
    std::is_same_v<T, wire::Access> || std::is_same_v<T, wire::SetAccess>;

template <class T>
inline constexpr bool kIsQuery =
    std::is_same_v<T, wire::Get> || std::is_same_v<T, wire::List> ||
    std::is_same_v<T, wire::Wait> || std::is_same_v<T, wire::Events> ||
    std::is_same_v<T, wire::Answers> || std::is_same_v<T, wire::UsageQuery>;

Millis wait_of(const wire::Body& body) {
    return std::visit(
        [](const auto& message) -> Millis {
            if constexpr (requires { message.wait; }) return message.wait;
            return {};
        },
        body);
}

bool nothing_to_claim(const core::Decision& decision) {
    if (decision.effects.size() != 1) return false;
    const auto* answer = std::get_if<core::Answer>(&decision.effects.front());
    const auto* rejected = answer == nullptr ? nullptr : std::get_if<core::Rejected>(&answer->body);
    return rejected != nullptr && rejected->error.code == ErrorCode::NOTHING_TO_CLAIM;
}

}  // namespace

Control::Control(ControlParts parts)
    : parts_(std::move(parts)),
      outlet_(parts_.sender),
      spec_cache_(kSpecCacheBytes),
      seeds_(parts_.seed) {
    parts_.pipeline.watch_specs(
        [this](Seq seq, const Shared<TaskSpec>& spec) { spec_cache_.put(seq, spec); });
    parts_.pipeline.watch_commits([this](const Committed& committed) { return wakes(committed); });
}

/// Texts that are erased are not read from tables that have them still.
edge::Specs Control::specs() {
    const bool has_erased = parts_.pipeline.readable_seq() >= erased_seq_;
    return {spec_cache_, has_erased ? trailing() : parts_.reader, parts_.reader};
}

/// Who asks has waited until the tables had all that was acknowledged before: nothing more is to be
/// brought into them now, on this thread.
edge::View Control::view(const edge::Asker& asker, Instant now) {
    return {parts_.pipeline.state(),
            parts_.pipeline.policy(),
            now,
            trailing(),
            specs(),
            parts_.pipeline.readable_seq(),
            edge::peer_of(asker, parts_.keys, now)};
}

void Control::handle(std::size_t door, Received received, Instant now) {
    parts_.counters.count("messages");
    const edge::Trust trust = parts_.doors.at(door).trust;
    std::string routing_id = received.frames.front();
    edge::SplitFrames split = edge::split_frames(std::move(received.frames));
    edge::Asker asker{trust, received.user_id};
    edge::Peer peer = edge::peer_of(asker, parts_.keys, now);
    Caller caller{
        std::move(asker),
        std::move(peer),
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
    auto allowed = edge::check_access(caller.peer, edge::Door::kControl, message->body);
    if (!allowed) return refuse(caller.route, allowed.error());
    if (shutting_down_) {
        return refuse(caller.route,
                      {ErrorCode::SHUTTING_DOWN, "the coordinator is closing", {}, seconds(1)});
    }
    if (auto ok = edge::check_fields(*message); !ok) return refuse(caller.route, ok.error());
    if (auto ok = check_tasks(caller.peer, message->body); !ok) {
        return refuse(caller.route, ok.error());
    }
    dispatch(std::move(caller), std::move(*message), now);
}

void Control::dispatch(Caller caller, wire::Message&& message, Instant now) {
    const Pipeline& pipeline = parts_.pipeline;
    const auto reply = [&](wire::Body body) {
        say(peers_.keep(std::move(caller.route)), std::move(body));
    };
    std::visit(
        [&](const auto& body) {
            using T = std::decay_t<decltype(body)>;
            if constexpr (kIsQuery<T>) {
                const Millis wait = wait_of(message.body);
                ask(std::move(caller), std::move(message), now, wait);
            } else if constexpr (std::is_same_v<T, wire::Ping>) {
                reply(wire::Pong{parts_.self.program, to_hex(parts_.self.journal),
                                 caller.peer.identity, now});
            } else if constexpr (kIsAboutKeys<T>) {
                reply(keys(caller.peer, message.body, now));
            } else if constexpr (std::is_same_v<T, wire::Backup>) {
                reply(back_up(body, message.header.client));
            } else if constexpr (std::is_same_v<T, wire::Gc>) {
                reply(collect(body, message.header.client, now));
            } else if constexpr (std::is_same_v<T, wire::Workers>) {
                reply(edge::list_workers(pipeline.state()));
            } else if constexpr (std::is_same_v<T, wire::Leases>) {
                reply(edge::list_leases(pipeline.state(), caller.peer, body));
            } else if constexpr (std::is_same_v<T, wire::Controls>) {
                reply(edge::list_controls(pipeline.state(), pipeline.policy(), body, now));
            } else if constexpr (std::is_same_v<T, wire::Questions>) {
                reply(edge::list_questions(pipeline.state(), caller.peer, body));
            } else if constexpr (std::is_same_v<T, wire::Status>) {
                reply(status(now));
            } else if constexpr (std::is_same_v<T, wire::Stats>) {
                parts_.pipeline.catch_up();
                auto stats =
                    edge::read_stats(pipeline.state(), pipeline.policy(), parts_.reader, body, now);
                reply(stats ? wire::Body(std::move(*stats)) : edge::error_message(stats.error()));
            } else if constexpr (std::is_same_v<T, wire::Hello>) {
                run_hello(std::move(caller), std::move(message), now);
            } else if constexpr (std::is_same_v<T, wire::Claim>) {
                const wire::Claim claim = body;
                const edge::PollKey key{caller.peer.identity, message.header.client,
                                        message.header.id};
                run_claim(peers_.keep(std::move(caller.route)), key, caller.asker, claim, now,
                          now + claim.wait);
            } else {
                run_command(std::move(caller), std::move(message), now);
            }
        },
        message.body);
}

edge::Origin Control::origin_of(const Caller& caller, core::ReturnPath reply, Instant now) {
    edge::Possession* shown = edge::may_read_all(caller.peer) ? nullptr : &parts_.shown;
    return {now,      caller.peer.identity, reply, peers_.session_of(caller.route.connection),
            seeds_(), storage_full_,        shown, parts_.artifact_secrets};
}

void Control::run_command(Caller caller, wire::Message&& message, Instant now) {
    const core::SessionId session = peers_.session_of(caller.route.connection);
    if (std::holds_alternative<wire::Goodbye>(message.body) && session == 0) {
        // There is no session to end: what was asked for is so already.
        return say(peers_.keep(std::move(caller.route)), wire::Goodbye{});
    }
    const bool goodbye = std::holds_alternative<wire::Goodbye>(message.body);
    edge::Origin origin = origin_of(caller, 0, now);
    edge::FactFinder facts(parts_.pipeline.state(), trailing(), parts_.reader,
                           parts_.pipeline.pending_contents(),
                           edge::ContractReader{specs(), parts_.contents, parts_.payload_schemas});
    const core::ReturnPath path = peers_.keep(std::move(caller.route));
    origin.reply = path;
    auto incoming = edge::to_command(std::move(message), origin, facts);
    if (!incoming) return say(path, edge::error_message(incoming.error()));
    core::Decision decision = parts_.pipeline.decide(incoming->command);
    const bool erases = store::erases_texts(decision.events);
    parts_.pipeline.accept(std::move(decision), incoming->command, std::move(incoming->contents));
    if (erases) erased_seq_ = parts_.pipeline.state().durable.last_seq;
    if (erases && parts_.retention != nullptr) parts_.retention->hurry();
    if (goodbye) peers_.forget_session(session);
}

void Control::run_hello(Caller caller, wire::Message&& message, Instant now) {
    // Whoever had this routing id before, under another key, is gone.
    for (const core::SessionId other : peers_.sessions_at(caller.route.connection)) {
        if (other == peers_.session_of(caller.route.connection)) continue;
        core::Command close;
        close.now = now;
        close.identity = kSystemIdentity;
        close.body = core::CloseSession{other, core::CloseCause::kGone};
        parts_.pipeline.run(close);
        peers_.forget_session(other);
    }
    const core::SessionId session = peers_.open_session(caller.route);
    run_command(std::move(caller), std::move(message), now);
    if (!parts_.pipeline.state().now.sessions.contains(session)) peers_.forget_session(session);
    forget_closed_sessions();
}

void Control::forget_closed_sessions() {
    const auto& open = parts_.pipeline.state().now.sessions;
    const std::vector<core::SessionId> known = peers_.sessions();
    constexpr std::size_t kSlack = 64;
    if (known.size() <= open.size() * 2 + kSlack) return;
    for (const core::SessionId session : known) {
        if (!open.contains(session)) peers_.forget_session(session);
    }
}

bool Control::run_claim(core::ReturnPath reply, const edge::PollKey& key, const edge::Asker& asker,
                        const wire::Claim& claim, Instant now, Instant until) {
    const edge::Peer peer = edge::peer_of(asker, parts_.keys, now);
    if (auto ok = edge::check_access(peer, edge::Door::kControl, claim); !ok) {
        say(reply, edge::error_message(ok.error()));
        return true;
    }
    edge::FactFinder facts(parts_.pipeline.state(), trailing(), parts_.reader,
                           parts_.pipeline.pending_contents());
    wire::Message message;
    message.header.client = key.client;
    message.header.id = key.request;
    message.body = claim;
    auto incoming =
        edge::to_command(std::move(message), {now, key.identity, reply, 0, seeds_(), false}, facts);
    if (!incoming) {
        say(reply, edge::error_message(incoming.error()));
        return true;
    }
    core::Decision decision = parts_.pipeline.decide(incoming->command);
    if (!nothing_to_claim(decision) || until <= now) {
        parts_.pipeline.accept(std::move(decision), incoming->command);
        return true;
    }
    // Nothing is said yet; but when more may start is to be remembered.
    decision.effects.clear();
    parts_.pipeline.accept(std::move(decision), incoming->command);
    auto replaced = polls_.park(
        {key, asker, reply, until, claim, {{edge::Topic::Kind::kRole, claim.role.text}}});
    if (!replaced) {
        say(reply, edge::error_message(replaced.error()));
    } else if (*replaced != 0) {
        peers_.take(*replaced);
    }
    return false;
}

void Control::serve_claims(Instant now) {
    for (const edge::Topic& topic : polls_.topics_of(edge::Topic::Kind::kRole)) {
        const RoleKey role{kDefaultNamespace, RoleName(topic.name)};
        for (const edge::PollId id : polls_.woken_by({topic})) {
            const auto& roles = parts_.pipeline.state().index.roles;
            auto at = roles.find(role);
            if (at == roles.end() || at->second.ready.empty()) break;
            const edge::Poll poll = polls_.take(id);
            const auto& claim = std::get<wire::Claim>(poll.request);
            // What one may not start, no other may.
            if (!run_claim(poll.reply, poll.key, poll.asker, claim, now, poll.until)) break;
        }
    }
}

void Control::handle(StoreRequest request, Instant now) {
    if (!request.removed.empty()) return parts_.retention->removed(request.removed);
    edge::Route route;
    route.connection.door = parts_.doors.size();  // the artifacts thread, see send()
    route.request = request.ticket;
    core::Command command;
    command.now = now;
    command.identity = request.identity;
    command.reply = peers_.keep(std::move(route));
    command.body = core::StoreContent{request.digest, request.size, std::move(request.secrets),
                                      request.data.has_value()};
    edge::FactFinder facts(parts_.pipeline.state(), trailing(), parts_.reader,
                           parts_.pipeline.pending_contents());
    auto stored = facts.stored(request.digest);
    if (!stored) return say(command.reply, edge::error_message(stored.error()));
    if (*stored && !request.renewed) {
        return say(command.reply, wire::Stored{request.digest, request.size});
    }
    // Condemned since it was looked for: its bytes are gone, or will be before an event could say
    // that they are there.
    const bool gone = request.inlined && !*stored;
    if (gone || (parts_.retention && !parts_.retention->keep(request.digest))) {
        return say(command.reply, edge::error_message({ErrorCode::BUSY,
                                                       "this content is just being removed: put it"
                                                       " again",
                                                       {},
                                                       millis(100)}));
    }
    std::vector<store::InlineContent> contents;
    if (request.data) contents.push_back({request.digest, std::move(*request.data)});
    parts_.pipeline.accept(parts_.pipeline.decide(command), command, std::move(contents));
}

void Control::retain(Instant now) {
    if (parts_.retention != nullptr && !shutting_down_) parts_.retention->step(now);
}

wire::Body Control::status(Instant now) {
    const Pipeline& pipeline = parts_.pipeline;
    auto roles = edge::list_roles(pipeline.state(), pipeline.policy(), parts_.reader, now);
    if (!roles) return edge::error_message(roles.error());
    wire::StatusReply reply;
    reply.program = parts_.self.program;
    reply.journal = to_hex(parts_.self.journal);
    reply.started_at = parts_.started_at;
    reply.now = now;
    reply.last_seq = pipeline.durable_seq();
    reply.chain_head = pipeline.chain_head();
    reply.roles = std::move(*roles);
    reply.counters = parts_.counters.texts();
    const core::State& state = pipeline.state();
    reply.counters["open_tasks"] = std::to_string(state.durable.open.size());
    reply.counters["sessions"] = std::to_string(state.now.sessions.size());
    reply.counters["leases"] = std::to_string(state.index.leases.size());
    reply.counters["polls"] = std::to_string(polls_.size());
    reply.storage_full = storage_full_;
    return reply;
}

wire::Body Control::back_up(const wire::Backup& backup, const ClientId& client) {
    if (parts_.backups == nullptr) {
        return edge::error_message(
            {ErrorCode::INVALID, "this coordinator keeps nothing on a disk", "folder", {}});
    }
    parts_.pipeline.catch_up();  // it copies the database alone
    if (!parts_.pipeline.has_current_tables()) {
        return edge::error_message({ErrorCode::BUSY,
                                    "what was acknowledged just now is not in the tables yet",
                                    {},
                                    seconds(1)});
    }
    auto answer = parts_.backups->ask(backup, client);
    return answer ? wire::Body(std::move(*answer)) : edge::error_message(answer.error());
}

wire::Body Control::collect(const wire::Gc& gc, const ClientId& client, Instant now) {
    if (parts_.retention == nullptr) {
        return edge::error_message({ErrorCode::INVALID, "this coordinator keeps all", {}, {}});
    }
    auto answer = parts_.retention->ask(gc, client, now);
    return answer ? wire::Body(std::move(*answer)) : edge::error_message(answer.error());
}

void Control::ask(Caller caller, wire::Message message, Instant now, Millis wait) {
    Query query{std::move(message.body),
                {caller.peer.identity, message.header.client, message.header.id},
                caller.asker,
                now + wait};
    const core::ReturnPath to = peers_.keep(std::move(caller.route));
    if (parts_.pipeline.is_all_readable()) return answer_query(to, std::move(query), now);
    pending_.emplace(++last_ticket_, Pending{to, std::move(query)});
    parts_.pipeline.defer(last_ticket_, After::kReadable);
}

}  // namespace zq::coordinator
