// Reading tasks and their history: GET, LIST, WAIT, EVENTS, ANSWERS and what they answer
// (protocol.md, "Reading").
#pragma once

#include "common/base/report_words.h"
#include "common/base/task_state.h"
#include "common/wire/envelope.h"

namespace zq::wire {

/// A task as lists show it.
struct TaskRow {
    TaskId id;
    TaskState state = TaskState::kQueued;
    RoleName role;
    std::string type;
    std::string from;
    Identity submitter;
    int priority = limits::kPriorityDefault;
    GroupName group;
    std::string reply_to;
    std::string trace_id;
    std::uint32_t attempts = 0;  // number of the last attempt
    std::uint32_t failures = 0;
    std::uint32_t losses = 0;
    std::uint32_t max_attempts = 0;
    Instant submitted_at;
    Instant started_at;   // of the last attempt; 0: never
    Instant ended_at;     // 0: open
    Instant due_at;       // when a scheduled or retry_wait task is ready, else 0
    Instant expires_at;   // 0: no ttl
    Instant deadline_at;  // 0: no deadline
    DeadReason dead_reason = DeadReason::kNone;
    std::string summary;                 // of the result
    std::string reason;                  // of the last failure, release, cancel or expiry
    WorkerName worker;                   // of the current or last attempt
    std::uint32_t progress_percent = 0;  // of the running attempt, so the next two
    std::string progress_step;
    std::string progress_message;
    std::string question;  // that is open; empty: none
    Budget budget;         // with what was granted since; not set: none
    Spent spent;           // where there is a budget: of all attempts, the running one too
    std::uint64_t submitted_seq = 0;
    std::uint64_t changed_seq = 0;
    friend bool operator==(const TaskRow&, const TaskRow&) = default;
};
template <class V, Of<TaskRow> T>
void describe(V& v, T& m) {
    v("task_id", m.id);
    v("state", m.state);
    v("to", m.role);
    v.optional("type", m.type);
    v.optional("from", m.from);
    v("submitter", m.submitter);
    v.optional("priority", m.priority, limits::kPriorityDefault);
    v.optional("group", m.group);
    v.optional("reply_to", m.reply_to);
    v.optional("trace_id", m.trace_id);
    v.optional("attempts", m.attempts);
    v.optional("failures", m.failures);
    v.optional("losses", m.losses);
    v("max_attempts", m.max_attempts);
    v("submitted_at", m.submitted_at);
    v.optional("started_at", m.started_at);
    v.optional("ended_at", m.ended_at);
    v.optional("due_at", m.due_at);
    v.optional("expires_at", m.expires_at);
    v.optional("deadline_at", m.deadline_at);
    v.optional("dead_reason", m.dead_reason);
    v.optional("summary", m.summary);
    v.optional("reason", m.reason);
    v.optional("worker", m.worker);
    v.optional("progress_percent", m.progress_percent);
    v.optional("progress_step", m.progress_step);
    v.optional("progress_message", m.progress_message);
    v.optional("question", m.question);
    v.optional("budget", m.budget);
    v.optional("spent", m.spent);
    v("submitted_seq", m.submitted_seq);
    v("changed_seq", m.changed_seq);
}

/// One attempt, running or ended. `outcome` is running, completed, skipped, failed, lost,
/// undelivered, released or cancelled.
struct AttemptRow {
    std::uint32_t attempt = 0;
    std::string outcome;
    WorkerName worker;
    Identity identity;
    StateId state_id;
    std::uint64_t incarnation = 0;
    Instant started_at;
    Instant ended_at;
    Millis duration{};  // as the worker measured it
    std::string failure_class;
    std::string reason;
    std::string summary;
    std::optional<std::int64_t> exit_code;
    std::map<std::string, std::string> output;
    std::vector<ArtifactRef> artifacts;
    Digest command;  // of what was run, as its worker said; zero: unsaid
    friend bool operator==(const AttemptRow&, const AttemptRow&) = default;
};
template <class V, Of<AttemptRow> T>
void describe(V& v, T& m) {
    v("attempt", m.attempt);
    v("outcome", m.outcome);
    v("worker", m.worker);
    v("identity", m.identity);
    v.optional("state_id", m.state_id);
    v.optional("incarnation", m.incarnation);
    v("started_at", m.started_at);
    v.optional("ended_at", m.ended_at);
    v.optional("duration_ms", m.duration);
    v.optional("class", m.failure_class);
    v.optional("reason", m.reason);
    v.optional("summary", m.summary);
    v.optional("exit_code", m.exit_code);
    v.optional("output", m.output);
    v.optional("artifacts", m.artifacts);
    v.optional("command", m.command);
}

/// Reads one task whole. `prefix` lets a unique prefix of the id stand for it.
struct Get {
    static constexpr std::string_view kType = "GET";
    TaskId task;
    bool prefix = false;
    friend bool operator==(const Get&, const Get&) = default;
};
template <class V, Of<Get> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v.optional("prefix", m.prefix);
}

/// What retention took from a task that stays: its artifacts' names, sizes and digests are still
/// said.
struct RemovedRow {
    RemovedKind kind = RemovedKind::kArtifacts;
    std::uint32_t attempt = 0;  // the last one that it is about: those after it have their own
    Instant at;
    std::string rule;  // age or bytes; empty: the event that said so is not in the journal any more
    friend bool operator==(const RemovedRow&, const RemovedRow&) = default;
};
template <class V, Of<RemovedRow> T>
void describe(V& v, T& m) {
    v("kind", m.kind);
    v("attempt", m.attempt);
    v("at", m.at);
    v.optional("rule", m.rule);
}

/// The rule that holds a task, or who has it, as of the moment of the answer.
struct Why {
    std::string rule;  // a word: schedule, dependency, no_worker, busy, …
    std::string text;  // for people
    Instant until;     // where a time decides
    friend bool operator==(const Why&, const Why&) = default;
};
template <class V, Of<Why> T>
void describe(V& v, T& m) {
    v("rule", m.rule);
    v("text", m.text);
    v.optional("until", m.until);
}

struct TaskReply {
    static constexpr std::string_view kType = "TASK";
    TaskRow row;
    TaskSpec spec;
    std::vector<AttemptRow> attempts;  // by number
    std::uint32_t progress_percent = 0;
    std::string progress_step;
    std::string progress_message;
    std::vector<CheckpointRef> checkpoints;  // that are kept, oldest first
    std::vector<Question> questions;         // the last ones, oldest first
    std::vector<RemovedRow> removed;         // of each kind, in the order it went
    Why why;
    friend bool operator==(const TaskReply&, const TaskReply&) = default;
};
template <class V, Of<TaskReply> T>
void describe(V& v, T& m) {
    v("row", m.row);
    v("spec", m.spec);
    v.optional("attempts", m.attempts);
    v.optional("progress_percent", m.progress_percent);
    v.optional("progress_step", m.progress_step);
    v.optional("progress_message", m.progress_message);
    v.optional("checkpoints", m.checkpoints);
    v.optional("questions", m.questions);
    v.optional("removed", m.removed);
    v.optional("why", m.why);
}

/// Lists tasks, newest first, all conditions together. Further pages: `before` = `next` of the
/// reply. A page may have no rows and still have one after it: a reply looks at no more than
/// kListLooked tasks.
struct List {
    static constexpr std::string_view kType = "LIST";
    std::vector<TaskState> states;  // empty: any
    RoleName role;
    GroupName group;
    std::string from;
    DeadReason dead_reason = DeadReason::kNone;  // kNone: any
    Instant ended_since;                         // ended then or later; 0: whenever
    Instant ended_before;                        // ended before; 0: whenever
    std::uint64_t before = 0;                    // 0: from the newest
    std::uint32_t limit = 100;
    std::string type;
    std::string trace_id;
    std::string worker;                         // of the current or last attempt
    std::map<std::string, std::string> labels;  // that it has, with these values
    Instant since;  // ended, or while it is open submitted, then or later; 0: whenever
    Instant until;  // likewise, before
    friend bool operator==(const List&, const List&) = default;
};
template <class V, Of<List> T>
void describe(V& v, T& m) {
    v.optional("states", m.states);
    v.optional("to", m.role);
    v.optional("group", m.group);
    v.optional("from", m.from);
    v.optional("dead_reason", m.dead_reason);
    v.optional("ended_since", m.ended_since);
    v.optional("ended_before", m.ended_before);
    v.optional("before", m.before);
    v.optional("limit", m.limit, 100);
    v.optional("type", m.type);
    v.optional("trace_id", m.trace_id);
    v.optional("worker", m.worker);
    v.optional("labels", m.labels);
    v.optional("since", m.since);
    v.optional("until", m.until);
}

struct Tasks {
    static constexpr std::string_view kType = "TASKS";
    std::vector<TaskRow> rows;
    bool more = false;
    std::uint64_t next = 0;  // LIST, with `more`: `before` of the next page
    friend bool operator==(const Tasks&, const Tasks&) = default;
};
template <class V, Of<Tasks> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v.optional("more", m.more);
    v.optional("next", m.next);
}

/// Long poll until tasks have ended: `count` of them (0: all). By ids or by group. Ids may be
/// unique prefixes. Answered by ENDED when the count is reached, or after `wait` with those that
/// have ended by then.
struct Wait {
    static constexpr std::string_view kType = "WAIT";
    std::vector<TaskId> tasks;
    GroupName group;
    std::uint32_t count = 0;
    Millis wait{};  // at most kPollMax
    friend bool operator==(const Wait&, const Wait&) = default;
};
template <class V, Of<Wait> T>
void describe(V& v, T& m) {
    v.optional("tasks", m.tasks);
    v.optional("group", m.group);
    v.optional("count", m.count);
    v.optional("wait_ms", m.wait);
}

/// Answers WAIT. `open` counts the tasks named that have not ended.
struct Ended {
    static constexpr std::string_view kType = "ENDED";
    std::vector<TaskRow> rows;
    std::uint32_t open = 0;
    friend bool operator==(const Ended&, const Ended&) = default;
};
template <class V, Of<Ended> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v.optional("open", m.open);
}

/// Long poll for events after a sequence number, all conditions together. Role, group and trace id
/// are those of the event's task at that event.
struct Events {
    static constexpr std::string_view kType = "EVENTS";
    std::uint64_t after = 0;
    std::uint32_t limit = 100;
    Millis wait{};                   // at most kPollMax
    TaskId task;                     // only of this task; empty: any
    std::vector<std::string> kinds;  // only these; empty: any
    RoleName role;                   // empty: any
    GroupName group;                 // empty: any
    std::string trace_id;            // empty: any
    friend bool operator==(const Events&, const Events&) = default;
};
template <class V, Of<Events> T>
void describe(V& v, T& m) {
    v.optional("after", m.after);
    v.optional("limit", m.limit, 100);
    v.optional("wait_ms", m.wait);
    v.optional("task_id", m.task);
    v.optional("kinds", m.kinds);
    v.optional("to", m.role);
    v.optional("group", m.group);
    v.optional("trace_id", m.trace_id);
}

/// A journal event as readers see it: its header, its fields as text, its place in the hash chain.
struct EventRow {
    std::uint64_t seq = 0;
    Instant at;
    std::uint32_t epoch = 0;
    Namespace ns = kDefaultNamespace;
    TaskId task;  // empty: not about one task
    std::string kind;
    Identity identity;
    std::map<std::string, std::string> fields;
    Digest body_digest;
    Digest hash;
    friend bool operator==(const EventRow&, const EventRow&) = default;
};
template <class V, Of<EventRow> T>
void describe(V& v, T& m) {
    v("seq", m.seq);
    v("at", m.at);
    v("epoch", m.epoch);
    v.optional("ns", m.ns, kDefaultNamespace);
    v.optional("task_id", m.task);
    v("kind", m.kind);
    v("identity", m.identity);
    v.optional("fields", m.fields);
    v("body_digest", m.body_digest);
    v("hash", m.hash);
}

struct EventRows {
    static constexpr std::string_view kType = "EVENT_ROWS";
    std::vector<EventRow> rows;
    std::uint64_t last = 0;  // so far it was looked: pass it as the next `after`
    bool more = false;       // there are events after `last`: ask on at once
    friend bool operator==(const EventRows&, const EventRows&) = default;
};
template <class V, Of<EventRows> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v("last", m.last);
    v.optional("more", m.more);
}

/// Long poll for the answers to a name: ended tasks whose reply_to it is, in the order they ended.
struct Answers {
    static constexpr std::string_view kType = "ANSWERS";
    std::string reply_to;
    std::uint64_t after = 0;  // changed_seq of the last row seen
    std::uint32_t limit = 100;
    Millis wait{};
    friend bool operator==(const Answers&, const Answers&) = default;
};
template <class V, Of<Answers> T>
void describe(V& v, T& m) {
    v("reply_to", m.reply_to);
    v.optional("after", m.after);
    v.optional("limit", m.limit, 100);
    v.optional("wait_ms", m.wait);
}

}  // namespace zq::wire
