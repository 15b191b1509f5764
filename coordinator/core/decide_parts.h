// What the parts of decide share: the call's inputs in one place, and the few sentences that
// several rules say. Internal to core/decide*.cc.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "coordinator/core/decide.h"
#include "coordinator/core/gates.h"
#include "coordinator/core/turns.h"

namespace zq::core {

/// One call of decide.
struct Call {
    const State& state;
    const Policy& policy;
    const Command& command;

    Instant now() const { return command.now; }
    TaskKey key(const TaskId& id) const { return {command.ns, id}; }
};

inline Event event_of(const Call& call, const TaskKey& task, EventBody body) {
    return Event{0, {}, 0, task, call.command.identity, std::move(body)};
}

inline Event event_of(const Call& call, EventBody body) {
    return event_of(call, TaskKey{call.command.ns, {}}, std::move(body));
}

/// An event that nobody asked for: a timer's, or an assignment.
inline Event system_event(const TaskKey& task, EventBody body) {
    return Event{0, {}, 0, task, kSystemIdentity, std::move(body)};
}

inline void answer(Decision& decision, const Call& call, AnswerBody body) {
    decision.effects.emplace_back(Answer{call.command.reply, std::move(body), std::nullopt});
}

inline Decision reject(const Call& call, ErrorCode code, std::string message,
                       std::string field = {}, Millis retry_after = {}) {
    Decision decision;
    answer(decision, call,
           Rejected{Error{code, std::move(message), std::move(field), retry_after}, {}});
    return decision;
}

inline Decision reject_missing(const Call& call) {
    Decision decision;
    answer(decision, call,
           Rejected{Error{ErrorCode::MISSING_CONTENT,
                          "contents are not stored: put them, then say it again",
                          {},
                          {}},
                    call.command.facts.missing});
    return decision;
}

/// The named task: in memory, or a fact. Null if there is none.
inline const Task* look_up(const Call& call, const TaskId& id) {
    const TaskKey key = call.key(id);
    if (const Task* task = find_task(call.state, key)) return task;
    if (call.state.index.removed.contains(key)) return nullptr;
    return call.command.facts.task ? &*call.command.facts.task : nullptr;
}

/// Its ttl has passed before its first attempt, whether or not a Tick has ended it yet.
inline bool has_expired(const Task& task, Instant now) {
    return task.expires_at.is_set() && task.attempts == 0 && task.expires_at <= now;
}

/// Its deadline has passed, whether or not a Tick has ended it yet.
inline bool has_missed_deadline(const Task& task, Instant now) {
    return task.deadline_at.is_set() && task.deadline_at <= now;
}

/// It may not start any more.
inline bool is_too_late(const Task& task, Instant now) {
    return has_expired(task, now) || has_missed_deadline(task, now);
}

/// When the coordinator ends an attempt that has run since then, if its holder, who is heard now,
/// has not: that one has had a while by then to end it and to say so. Unset: never.
inline Instant ends_by(const Task& task, Instant since, Instant now) {
    const Instant end = attempt_ends_at(task, since);
    return end.is_set() ? std::max(end, now) + limits::kRunAllowance : end;
}

/// What an attempt that starts now has of time; 0: no bound.
inline Millis time_for_attempt(const Task& task, Instant now) {
    if (!task.deadline_at.is_set()) return task.run_timeout;
    const Millis left = std::max(task.deadline_at - now, millis(1));
    return task.run_timeout.count > 0 ? std::min(task.run_timeout, left) : left;
}

/// One digest for each reference that ends with the task.
inline std::vector<Digest> held_contents(const EndedTask& task) {
    std::vector<Digest> all = task.inputs;
    all.insert(all.end(), task.logs.begin(), task.logs.end());
    all.insert(all.end(), task.artifacts.begin(), task.artifacts.end());
    return all;
}

/// Next token. `given` counts those this decision gave already.
inline LeaseToken next_token(const Call& call, std::uint64_t given) {
    return {call.state.durable.journal, call.state.durable.last_token + 1 + given};
}

/// Ends the current lease without a report. A task that is held after a loss asks a person.
void end_silently(const Call& call, const Task& task, Outcome outcome, std::string reason,
                  Decision& decision);

/// The end of the current lease now, by nobody's report.
Attempt silent_end(const Call& call, const Task& task, Outcome outcome, std::string reason);

/// Ends the current lease as `attempt` and `next` say, by somebody's word. Counts what it used,
/// sees to the task's budget, and gives the state that the task is then in (decide_budget.cc).
TaskState push_end(const Call& call, const Task& task, const Identity& by, Attempt attempt,
                   Next next, Decision& decision);
/// If the decision so far leaves the task waiting (in `state`, with so much spent) and nothing of
/// its budget is left: stops it, and gives the state it is then in.
std::optional<TaskState> keep_budget(const Call& call, const Task& task, TaskState state,
                                     const Spent& spent, Decision& decision);

/// Asks a person whether a task gets another attempt, as part of the end of the current one.
void hold_task(const Call& call, const Task& task, const Lease& lease, const std::string& how,
               Decision& decision);

/// The claim of a task by hand.
inline Lease lease_by_hand(const Call& call, const Task& task, const std::string& from,
                           Millis term) {
    Lease lease;
    lease.token = next_token(call, 0);
    lease.attempt = task.attempts + 1;
    lease.holder.worker = WorkerName(from);
    lease.holder.identity = call.command.identity;
    lease.holder.by_hand = true;
    lease.term = term;
    lease.since = call.now();
    return lease;
}

/// The open question of an attempt of this task, asked now.
inline Question question_of(const Call& call, const NewQuestion& asked, std::uint32_t attempt) {
    Question question;
    question.id = asked.id;
    question.text = asked.text;
    question.choices = asked.choices;
    question.attempt = attempt;
    question.asked_at = call.now();
    if (asked.timeout.count > 0) question.until = call.now() + asked.timeout;
    return question;
}

/// Closes the open question: the event, and the word to the attempt that waits for it. An identity
/// stands in the event where a person has answered. Gives the state the task is then in.
TaskState close_question(const Call& call, const Task& task, const Identity& by,
                         QuestionClosed closed, Decision& decision);

/// The event that takes a loss back, with the counter after it.
inline Event resume_event(const Call& call, const Task& task) {
    return event_of(
        call, task.key,
        LeaseResumed{task.lost_lease->token, task.losses - (task.lost_lease_charged ? 1U : 0U)});
}

/// Tells those that wait for what ends by the decision so far (decide_after.cc).
void spread_ends(const Call& call, Decision& decision);
/// Acts on what the wait of a blocked task has come to.
void resolve_blocked(const Call& call, const Task& task, Decision& decision);

/// What a batch has submitted so far, for the submits after it: records with what a repetition is
/// compared with.
struct Earlier {
    struct Added {
        std::uint64_t tasks = 0;
        std::uint64_t bytes = 0;
    };
    std::map<TaskId, Task> tasks;
    Added all;
    std::map<RoleName, Added> by_role;
    std::map<std::string, TaskId> by_idempotency_key;
    std::map<std::string, TaskId> by_unique_key;
    std::set<RoleName> unserved;  // of which it was said that no worker ever served them
};

/// What has become of each that a new task waits for, whose tasks are in order; or why it can't.
std::optional<Error> read_upstream(const Call& call, const After& after, const Earlier& earlier,
                                   std::string& upstream);

/// One that is to be added to the open ones.
struct Wanted {
    const RoleName& role;
    const Identity& submitter;
    std::uint64_t bytes = 0;
};
/// Why it cannot be added to the open ones, and to those that this decision adds; nullopt if it can
/// (decide_room.cc).
std::optional<Error> no_room(const Call& call, const Wanted& wanted, const Earlier& earlier = {});

/// What a start uses up: its submitter's turn, and rates (decide_match.cc).
void note_start(const Call& call, const Task& task, const Lease& lease, Gates& gates,
                Decision& decision);
/// A worker that drained is there again, as another process (decide_control.cc).
void end_drain(const Call& call, const OpenSession& open, Decision& decision);
/// A rate limited task holds the others of its limit key, for limits::kKeyHeldMax at most
/// (decide_control.cc).
void hold_limit_key(const Call& call, const Task& task, Instant until, Decision& decision);
/// The open task that has this unique key; null if none has (decide_client.cc).
const Task* find_by_unique_key(const Call& call, const std::string& key);
/// Whether the sender has the task under that token (decide_report.cc).
bool is_holder(const Call& call, const Task& task, const LeaseToken& token);

Decision decide_submit(const Call& call, const SubmitTask& submit, const Earlier& earlier = {});
Decision decide_batch(const Call& call, const SubmitBatch& batch);
Decision decide_claim(const Call& call, const ClaimTask& claim);
Decision decide_cancel(const Call& call, const CancelTask& cancel);
Decision decide_replay(const Call& call, const ReplayTask& replay);
Decision decide_edit(const Call& call, const EditTask& edit);
Decision decide_remove(const Call& call, const RemoveTask& remove);
Decision decide_erase(const Call& call, const EraseTask& erase);
Decision decide_store_content(const Call& call, const StoreContent& store);
Decision decide_open(const Call& call, const OpenSession& open);
Decision decide_renew(const Call& call, const Renew& renew);
Decision decide_renew_by_hand(const Call& call, const RenewByHand& renew);
Decision decide_close(const Call& call, const CloseSession& close);
Decision decide_end(const Call& call, const EndAttempt& end);
Decision decide_progress(const Call& call, const NoteProgress& progress);
Decision decide_checkpoint(const Call& call, const SaveCheckpoint& save);
Decision decide_usage(const Call& call, const NoteUsage& note);
Decision decide_ask(const Call& call, const AskPerson& ask);
Decision decide_answer(const Call& call, const AnswerPerson& answered);
Decision decide_match(const Call& call);
Decision decide_control(const Call& call, const SetControl& set);
Decision decide_access(const Call& call, const NoteAccess& note);
Decision decide_tick(const Call& call);
Decision decide_epoch(const Call& call, const StartEpoch& start);
Decision decide_begin(const Call& call);
Decision decide_policy(const NotePolicy& noted);
Decision decide_stall(const Call& call, const NoteStall& stall);
Decision decide_retain(const Call& call, const Retain& retain);

}  // namespace zq::core
