// The fields of the core's records and event bodies as they stand in the journal's MessagePack.
// Named once, for both ways. A field is never renamed or given another meaning: a new one is
// optional, and what can't be said so raises kBodyVersion (event_codec.h).
#pragma once

#include "common/wire/envelope.h"
#include "coordinator/core/event.h"

namespace zq::core {

template <class V, Of<Holder> T>
void describe(V& v, T& h) {
    v.optional("worker", h.worker);
    v("identity", h.identity);
    v.optional("state_id", h.state_id);
    v.optional("incarnation", h.incarnation);
    v.optional("by_hand", h.by_hand);
}

template <class V, Of<Lease> T>
void describe(V& v, T& l) {
    v("token", l.token);
    v("attempt", l.attempt);
    v("holder", l.holder);
    v("term_ms", l.term);
    v("since", l.since);
}

template <class V, Of<Next> T>
void describe(V& v, T& n) {
    v("state", n.state);
    v.optional("dead_reason", n.dead_reason);
    v.optional("rank", n.rank);
    v.optional("due_at", n.due_at);
    v.optional("failures", n.failures);
    v.optional("losses", n.losses);
    v.optional("deferrals", n.deferrals);
    v.optional("waits", n.waits);
    v.optional("feedback", n.feedback);
    v.optional("spent", n.spent);
}

template <class V, Of<Attempt> T>
void describe(V& v, T& a) {
    v("ns", a.task.ns);
    v("task_id", a.task.id);
    v("attempt", a.attempt);
    v("token", a.token);
    v("holder", a.holder);
    v("started_at", a.started_at);
    v("ended_at", a.ended_at);
    v("outcome", a.outcome);
    v.optional("failure", a.failure);
    v.optional("release", a.release);
    v.optional("exit_code", a.exit_code);
    v.optional("summary", a.summary);
    v.optional("reason", a.reason);
    v.optional("output", a.output);
    v.optional("artifacts", a.artifacts);
    v.optional("duration_ms", a.duration);
    v.optional("report", a.report);
    v("answer", a.answer);
    v.optional("ended_seq", a.ended_seq);
    v.optional("command", a.command);
}

/// What the submitter said.
template <class V, Of<Task> T>
void describe_envelope(V& v, T& t) {
    v("ns", t.key.ns);
    v("task_id", t.key.id);
    v("to", t.role);
    v.optional("type", t.type);
    v.optional("from", t.from);
    v("submitter", t.submitter);
    v.optional("group", t.group);
    v.optional("reply_to", t.reply_to);
    v.optional("trace_id", t.trace_id);
    v.optional("idempotency_key", t.idempotency_key);
    v.optional("unique_key", t.unique_key);
    v.optional("limit_key", t.limit_key);
    v.optional("needs", t.needs);
    v.optional("labels", t.labels);
    v("request", t.request);
    v.optional("expected", t.expected);
    v.optional("expected_format", t.expected_format);
    v.optional("has_rules", t.has_rules);
    v.optional("inputs", t.inputs);
    v.optional("bytes", t.bytes);
    v.optional("priority", t.priority, limits::kPriorityDefault);
    v.optional("backoff", t.backoff, Backoff{});
    v.optional("max_attempts", t.max_attempts, limits::kAttemptsDefault);
    v.optional("max_lost", t.max_lost, limits::kLostDefault);
    v.optional("run_timeout_ms", t.run_timeout);
    v.optional("budget", t.budget);
    v.optional("retry_rules", t.retry_rules);
    v.optional("on_lost", t.on_lost);
    v.optional("approval", t.approval);
    v.optional("approved", t.approved);
    v.optional("after", t.after);
    v.optional("ttl_ms", t.ttl);
}

template <class V, Of<Task> T>
void describe(V& v, T& t) {
    describe_envelope(v, t);
    v("state", t.state);
    v.optional("dead_reason", t.dead_reason);
    v.optional("rank", t.rank);
    v("submitted_at", t.submitted_at);
    v.optional("due_at", t.due_at);
    v.optional("expires_at", t.expires_at);
    v.optional("deadline_at", t.deadline_at);
    v.optional("started_at", t.started_at);
    v.optional("ended_at", t.ended_at);
    v.optional("attempts", t.attempts);
    v.optional("failures", t.failures);
    v.optional("losses", t.losses);
    v.optional("deferrals", t.deferrals);
    v.optional("waits", t.waits);
    v.optional("lease", t.lease);
    v.optional("lost_lease", t.lost_lease);
    v.optional("lost_lease_charged", t.lost_lease_charged);
    v.optional("worker", t.worker);
    v.optional("checkpoints", t.checkpoints);
    v.optional("questions", t.questions);
    v.optional("feedback", t.feedback);
    v.optional("budget_from", t.budget_from);
    v.optional("spent", t.spent);
    v.optional("spending", t.spending);
    v.optional("upstream", t.upstream);
    v.optional("summary", t.summary);
    v.optional("reason", t.reason);
    v("submitted_seq", t.submitted_seq);
    v.optional("edited_seq", t.edited_seq);
    v("changed_seq", t.changed_seq);
}

template <class V, Of<EpochStarted> T>
void describe(V& v, T& e) {
    v("journal", e.journal);
    v.optional("program", e.program);
}

template <class V, Of<TaskSubmitted> T>
void describe(V& v, T& e) {
    v("spec", e.spec);
    v("request", e.request);
    v("state", e.state);
    v.optional("rank", e.rank);
    v.optional("due_at", e.due_at);
    v.optional("expires_at", e.expires_at);
    v.optional("deadline_at", e.deadline_at);
    v.optional("upstream", e.upstream);
    v.optional("labelled", e.labelled);
    v.optional("bytes", e.bytes);
}

template <class V, Of<TaskReady> T>
void describe(V& v, T& e) {
    v("rank", e.rank);
}

template <class V, Of<TaskAssigned> T>
void describe(V& v, T& e) {
    v("lease", e.lease);
}

template <class V, Of<LeaseResumed> T>
void describe(V& v, T& e) {
    v("token", e.token);
    v("losses", e.losses);
}

template <class V, Of<ProgressNoted> T>
void describe(V& v, T& e) {
    v("token", e.token);
    v("percent", e.percent);
    v.optional("step", e.step);
    v.optional("message", e.message);
}

template <class V, Of<AttemptEnded> T>
void describe(V& v, T& e) {
    v("attempt", e.attempt);
    v("next", e.next);
}

template <class V, Of<CancelRequested> T>
void describe(V& v, T& e) {
    v.optional("reason", e.reason);
}

template <class V, Of<TaskCancelled> T>
void describe(V& v, T& e) {
    v.optional("reason", e.reason);
}

template <class V, Of<TaskExpired> T>
void describe(V& v, T& e) {
    v.optional("state", e.state, TaskState::kExpired);
    v.optional("deadline", e.deadline);
}

template <class V, Of<RoleServed> T>
void describe(V& v, T& e) {
    v("role", e.role);
}

template <class V, Of<ContentStored> T>
void describe(V& v, T& e) {
    v("digest", e.digest);
    v("size", e.size);
    v.optional("inlined", e.inlined);
    v.optional("secrets", e.secrets);
}

template <class V, Of<RequestRecorded> T>
void describe(V& v, T& e) {
    v("client", e.client);
    v("request", e.request);
    v.optional("token", e.token);
}

template <class V, Of<CheckpointSaved> T>
void describe(V& v, T& e) {
    v("token", e.token);
    v("checkpoint", e.checkpoint);
    v.optional("dropped", e.dropped);
    v.optional("released", e.released);
}

template <class V, Of<CondemnedContent> T>
void describe(V& v, T& c) {
    v("digest", c.digest);
    v("size", c.size);
    v.optional("inlined", c.inlined);
}

template <class V, Of<ContentsCondemned> T>
void describe(V& v, T& e) {
    v("contents", e.contents);
    v.optional("removed_upto", e.removed_upto);
}

template <class V, Of<ArtifactsRemoved> T>
void describe(V& v, T& e) {
    v("submitted_seq", e.submitted_seq);
    v("kind", e.kind);
    v("released", e.released);
    v.optional("bytes", e.bytes);
    v.optional("rule", e.rule);
}

template <class V, Of<TaskRemoved> T>
void describe(V& v, T& e) {
    v("submitted_seq", e.submitted_seq);
    v.optional("released", e.released);
    v.optional("bytes", e.bytes);
    v.optional("reason", e.reason);
    v.optional("rule", e.rule);
}

/// A revision's fields stand beside those of what brings it.
template <class V, Of<Shared<Revision>> T>
void describe_revision(V& v, T& shared) {
    auto& r = [&]() -> auto& {
        if constexpr (std::is_const_v<T>) {
            return *shared;
        } else {
            return shared.edit();
        }
    }
    ();
    v("before", r.before);
    v("after", r.after);
    v.optional("attempts", r.attempts);
    v.optional("spec", r.spec);
    v.optional("changed", r.changed);
    v.optional("reason", r.reason);
}

template <class V, Of<TaskReplayed> T>
void describe(V& v, T& e) {
    describe_revision(v, e.revision);
    v.optional("fresh", e.fresh);
    v.optional("released", e.released);
}

template <class V, Of<TaskEdited> T>
void describe(V& v, T& e) {
    describe_revision(v, e.revision);
}

template <class V, Of<QuestionAsked> T>
void describe(V& v, T& e) {
    v("token", e.token);
    v("question", e.question);
}

template <class V, Of<QuestionClosed> T>
void describe(V& v, T& e) {
    v("question_id", e.question);
    v("state", e.state);
    v.optional("choice", e.choice);
    v.optional("answer", e.answer);
    v.optional("rank", e.rank);
    v.optional("budget_from", e.budget_from);
    v.optional("dead_reason", e.dead_reason);
    v.optional("next", e.next, TaskState::kQueued);
    v.optional("allow_secrets", e.allow_secrets);
}

template <class V, Of<UsageNoted> T>
void describe(V& v, T& e) {
    v("token", e.token);
    v("usage", e.usage);
}

template <class V, Of<Control> T>
void describe(V& v, T& c) {
    v.optional("paused", c.paused);
    v.optional("closed", c.closed);
    v.optional("reason", c.reason);
    v.optional("by", c.by);
    v.optional("at", c.at);
    v.optional("limits", c.limits);
    v.optional("held_until", c.held_until);
    v.optional("held_by", c.held_by);
    v.optional("drained", c.drained);
    v.optional("drained_incarnation", c.drained_incarnation);
}

template <class V, Of<AccessChanged> T>
void describe(V& v, T& e) {
    v("fingerprint", e.fingerprint);
    v.optional("access", e.access);
    v.optional("reason", e.reason);
}

template <class V, Of<ErasedBody> T>
void describe(V& v, T& e) {
    v("seq", e.seq);
    v("digest", e.digest);
}

template <class V, Of<TextsErased> T>
void describe(V& v, T& e) {
    v("bodies", e.bodies);
    v.optional("contents", e.contents);
    v.optional("reason", e.reason);
}

template <class V, Of<ControlChanged> T>
void describe(V& v, T& e) {
    v("kind", e.kind);
    v("name", e.name);
    v.optional("control", e.control);
    v.optional("reason", e.reason);
}

template <class V, Of<UpstreamEnded> T>
void describe(V& v, T& e) {
    v.optional("upstream", e.upstream);
    v.optional("well", e.well);
    v("state", e.state);
    v.optional("rank", e.rank);
    v.optional("due_at", e.due_at);
    v.optional("expires_at", e.expires_at);
}

template <class V, Of<BudgetReached> T>
void describe(V& v, T& e) {
    v("spent", e.spent);
    v.optional("question", e.question);
}

}  // namespace zq::core
