// A worker's session: HELLO, READY and HEARTBEAT, GOODBYE; and the heartbeat of a holder by hand.
// Here is decided who still holds what.
#include <set>

#include "common/base/mutant.h"
#include "coordinator/core/decide_parts.h"
#include "coordinator/core/outcome.h"

namespace zq::core {
namespace {

/// Who speaks for a lease: a worker's state folder, or (empty) a client.
struct Speaker {
    const Identity& identity;
    StateId state_id;
    SessionId session = 0;
    Millis term{};
};

bool holds(const Speaker& speaker, const Holder& holder) {
    return holder.identity == speaker.identity && holder.state_id == speaker.state_id;
}

/// What the holder of a task is told.
Verdict verdict_of(const Task& task) {
    if (task.state == TaskState::kCancelling) return Verdict::kCancel;
    return is_over_budget(task) ? Verdict::kBudget : Verdict::kOk;
}

/// Renews one listed lease, or takes its loss back, or says that it is stale.
Verdict renew_one(const Call& call, const Speaker& speaker, const LeaseToken& token,
                  Decision& decision) {
    const Task* task = find_holder(call.state, token);
    const Task* lost = task == nullptr ? find_lost(call.state, token) : nullptr;
    Millis term = speaker.term;
    Verdict verdict = Verdict::kStale;
    if (task != nullptr && holds(speaker, task->lease->holder)) {
        verdict = verdict_of(*task);
        if (task->lease->holder.by_hand) term = task->lease->term;
    } else if (lost != nullptr && holds(speaker, lost->lost_lease->holder)) {
        decision.events.push_back(resume_event(call, *lost));
        verdict = Verdict::kOk;
        if (lost->lost_lease->holder.by_hand) term = lost->lost_lease->term;
    }
    if (verdict != Verdict::kStale) {
        const Task& held = task != nullptr ? *task : *lost;
        const Lease& lease = held.lease ? *held.lease : *held.lost_lease;
        const auto known = call.state.now.clocks.find(token.number);
        const bool bounded = known != call.state.now.clocks.end() && known->second.ends_by.is_set();
        const Instant end =
            bounded ? known->second.ends_by : ends_by(held, lease.since, call.now());
        decision.notices.emplace_back(
            LeaseClockSet{token.number, LeaseClock{call.now() + term, true, speaker.session, end}});
    }
    return verdict;
}

/// Answers every lease a holder lists, each once.
std::vector<LeaseWord> renew_all(const Call& call, const Speaker& speaker,
                                 const std::vector<LeaseToken>& leases,
                                 const std::vector<LeaseToken>& reports, Decision& decision) {
    std::vector<LeaseWord> words;
    std::set<LeaseToken> done;
    for (const auto* list : {&leases, &reports}) {
        for (const LeaseToken& token : *list) {
            if (!done.insert(token).second) continue;
            words.push_back({token, renew_one(call, speaker, token, decision)});
        }
    }
    return words;
}

bool lists(const std::vector<LeaseToken>& tokens, std::uint64_t number, JournalId journal) {
    for (const LeaseToken& token : tokens) {
        if (token.number == number && token.journal == journal) return true;
    }
    return false;
}

std::uint64_t seen_number(const Call& call, const LeaseToken& seen) {
    return seen.journal == call.state.durable.journal ? seen.number : 0;
}

/// Ends the worker's leases that it does not list: those of an earlier incarnation are released,
/// those it has seen and dropped are lost, those it may not have seen yet stay.
void end_unlisted(const Call& call, const Session& session, const std::vector<LeaseToken>& leases,
                  const std::vector<LeaseToken>& reports, const LeaseToken& seen,
                  Decision& decision) {
    auto held = call.state.index.by_holder.find(session.state_id);
    if (held == call.state.index.by_holder.end()) return;
    const JournalId journal = call.state.durable.journal;
    for (std::uint64_t number : held->second) {
        if (lists(leases, number, journal) || lists(reports, number, journal)) continue;
        const Task& task = *find_holder(call.state, {journal, number});
        const Holder& holder = task.lease->holder;
        if (holder.identity != session.identity) continue;
        if (holder.incarnation < session.incarnation) {
            end_silently(call, task, Outcome::kReleased, "the worker was restarted", decision);
        } else if (number <= seen_number(call, seen) || mutant(Mutant::kUnseenAssignmentEnded)) {
            // One that it never listed may have gone down with a connection: that is no loss of
            // its.
            auto clock = call.state.now.clocks.find(number);
            const bool confirmed = clock != call.state.now.clocks.end() && clock->second.confirmed;
            const Outcome outcome = confirmed ? Outcome::kLost : Outcome::kUndelivered;
            end_silently(call, task, outcome, "the worker no longer has it", decision);
        }
    }
}

/// Assignments on their way to a worker that has not seen them: its free slots do not count them
/// yet.
std::uint32_t in_flight(const Call& call, const Session& session, const LeaseToken& seen) {
    auto held = call.state.index.by_holder.find(session.state_id);
    if (held == call.state.index.by_holder.end()) return 0;
    std::uint32_t count = 0;
    for (auto at = held->second.upper_bound(seen_number(call, seen)); at != held->second.end();
         ++at) {
        auto clock = call.state.now.clocks.find(*at);
        if (clock != call.state.now.clocks.end() && !clock->second.confirmed) ++count;
    }
    return count;
}

/// Why a HELLO cannot have the name it asks for; nullopt if it can.
std::optional<Error> name_refusal(const Call& call, const OpenSession& open) {
    auto by_name = call.state.now.by_name.find({call.command.ns, open.worker});
    if (by_name != call.state.now.by_name.end()) {
        const Session& other = call.state.now.sessions.at(by_name->second);
        const bool live = other.heard_at + call.policy.lease >= call.now();
        if (other.state_id != open.state_id && live) {
            return Error{ErrorCode::NAME_IN_USE,
                         "worker " + open.worker.text + " is connected with another state folder",
                         "worker",
                         {}};
        }
    }
    std::uint64_t newest = 0;
    auto by_folder = call.state.now.by_state_id.find(open.state_id);
    if (by_folder != call.state.now.by_state_id.end()) {
        const Session& other = call.state.now.sessions.at(by_folder->second);
        const bool live = other.heard_at + call.policy.lease >= call.now();
        if (other.identity == call.command.identity) {
            newest = other.incarnation;
        } else if (live) {
            return Error{ErrorCode::NAME_IN_USE,
                         "another key is connected with this state folder",
                         "state_id",
                         {}};
        }
    }
    auto held = call.state.index.by_holder.find(open.state_id);
    if (held != call.state.index.by_holder.end()) {
        for (std::uint64_t number : held->second) {
            const Task* task = find_holder(call.state, {call.state.durable.journal, number});
            const Holder& holder = task->lease->holder;
            if (holder.identity != call.command.identity) continue;
            newest = std::max(newest, holder.incarnation);
        }
    }
    if (open.incarnation >= newest) return std::nullopt;
    return Error{ErrorCode::SUPERSEDED,
                 "incarnation " + std::to_string(newest) + " of this worker has spoken",
                 "incarnation",
                 {}};
}

Session session_of(const Call& call, const OpenSession& open) {
    Session session;
    session.id = open.session;
    session.ns = call.command.ns;
    session.worker = open.worker;
    session.identity = call.command.identity;
    session.state_id = open.state_id;
    session.incarnation = open.incarnation;
    session.roles = open.roles;
    session.labels = open.labels;
    std::sort(session.labels.begin(), session.labels.end());
    session.slots = open.slots;
    session.heard = call.command.request;
    session.connected_at = call.now();
    session.heard_at = call.now();
    session.program = open.program;
    return session;
}

/// Sessions that a HELLO replaces: its own earlier one on this connection, of this folder, of this
/// name.
void close_replaced(const Call& call, const OpenSession& open, Decision& decision) {
    std::set<SessionId> replaced;
    if (call.state.now.sessions.contains(open.session)) replaced.insert(open.session);
    auto folder = call.state.now.by_state_id.find(open.state_id);
    if (folder != call.state.now.by_state_id.end()) replaced.insert(folder->second);
    auto name = call.state.now.by_name.find({call.command.ns, open.worker});
    if (name != call.state.now.by_name.end()) replaced.insert(name->second);
    for (SessionId id : replaced) decision.notices.emplace_back(SessionClosed{id});
}

/// A lease listing waits for what happened to these leases only, unless it made something happen.
std::optional<Seq> wait_for(const Call& call, const std::vector<LeaseWord>& words,
                            const Decision& decision) {
    if (!decision.events.empty()) return std::nullopt;
    Seq after = 0;
    for (const LeaseWord& word : words) {
        if (word.verdict == Verdict::kStale) return std::nullopt;
        if (const Task* task = find_holder(call.state, word.token)) {
            after = std::max(after, task->changed_seq);
        }
    }
    return after;
}

void answer_beat(const Call& call, std::vector<LeaseWord> words, bool drain, Decision& decision) {
    const std::optional<Seq> after = drain ? std::nullopt : wait_for(call, words, decision);
    decision.effects.emplace_back(
        Answer{call.command.reply, BeatAnswer{std::move(words), drain}, after});
}

}  // namespace

Decision decide_open(const Call& call, const OpenSession& open) {
    if (auto refused = name_refusal(call, open)) {
        return reject(call, refused->code, refused->message, refused->field);
    }
    Decision decision;
    close_replaced(call, open, decision);
    end_drain(call, open, decision);
    const Session session = session_of(call, open);
    decision.notices.emplace_back(SessionOpened{session});
    for (const RoleName& role : open.roles) {
        // They serve a hint alone: beyond the bound they are not remembered.
        if (call.state.durable.roles_served.size() >= limits::kRolesServed) break;
        if (!call.state.durable.roles_served.contains({call.command.ns, role})) {
            decision.events.push_back(event_of(call, RoleServed{role}));
        }
    }
    const Speaker speaker{call.command.identity, open.state_id, open.session, call.policy.lease};
    auto words = renew_all(call, speaker, open.leases, open.reports, decision);
    end_unlisted(call, session, open.leases, open.reports, open.seen, decision);
    answer(decision, call,
           WelcomeAnswer{call.policy.lease, call.policy.heartbeat, std::move(words)});
    return decision;
}

Decision decide_renew(const Call& call, const Renew& renew) {
    auto at = call.state.now.sessions.find(renew.session);
    if (at == call.state.now.sessions.end() || at->second.identity != call.command.identity) {
        return reject(call, ErrorCode::HELLO_FIRST, "the coordinator does not know this session");
    }
    const Session& session = at->second;
    Decision decision;
    std::vector<LeaseWord> words;
    if (renew.lists_leases) {
        const Speaker speaker{call.command.identity, session.state_id, session.id,
                              call.policy.lease};
        words = renew_all(call, speaker, renew.leases, renew.reports, decision);
        end_unlisted(call, session, renew.leases, renew.reports, renew.seen, decision);
    }
    const std::uint32_t under_way = in_flight(call, session, renew.seen);
    const std::uint32_t offered = std::min(renew.free, session.slots);
    decision.notices.emplace_back(SessionHeard{session.id,
                                               offered > under_way ? offered - under_way : 0,
                                               call.command.request, call.now()});
    answer_beat(call, std::move(words), is_drained(call.state, session), decision);
    return decision;
}

Decision decide_renew_by_hand(const Call& call, const RenewByHand& renew) {
    Decision decision;
    const Speaker speaker{call.command.identity, StateId{}, 0, {}};
    answer_beat(call, renew_all(call, speaker, renew.leases, {}, decision), false, decision);
    return decision;
}

Decision decide_close(const Call& call, const CloseSession& close) {
    Decision decision;
    decision.notices.emplace_back(SessionClosed{close.session});
    if (close.cause == CloseCause::kGoodbye) answer(decision, call, GoodbyeAnswer{});
    return decision;
}

}  // namespace zq::core
