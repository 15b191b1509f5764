// The fields of the task envelope and its parts, as they stand in every MessagePack map that
// carries them: on the wire, in the journal and in `task.json`. Field names are those of
// protocol.md.
#pragma once

#include "common/base/access.h"
#include "common/base/control.h"
#include "common/base/question.h"
#include "common/base/task_spec.h"
#include "common/platform/pack.h"

namespace zq {

template <class V, Of<ArtifactRef> T>
void describe(V& v, T& r) {
    v("name", r.name);
    v("digest", r.digest);
    v("size", r.size);
    v.optional("media", r.media);
    v.optional("uri", r.uri);
    v.optional("by_reference", r.by_reference);
    v.optional("secrets", r.secrets);
}

template <class V, Of<Feedback> T>
void describe(V& v, T& f) {
    v("attempt", f.attempt);
    v("text", f.text);
}

template <class V, Of<CheckpointRef> T>
void describe(V& v, T& c) {
    v("number", c.number);
    v("attempt", c.attempt);
    v("at", c.at);
    describe(v, c.ref);
}

template <class V, Of<Usage> T>
void describe(V& v, T& u) {
    v.optional("cost_usd_micros", u.cost_usd_micros);
    v.optional("input_tokens", u.input_tokens);
    v.optional("output_tokens", u.output_tokens);
    v.optional("model", u.model);
}

template <class V, Of<Budget> T>
void describe(V& v, T& b) {
    v.optional("usd_micros", b.usd_micros);
    v.optional("tokens", b.tokens);
    v.optional("on", b.on);
}

template <class V, Of<Spent> T>
void describe(V& v, T& s) {
    v.optional("usd_micros", s.usd_micros);
    v.optional("tokens", s.tokens);
}

template <class V, Of<NewQuestion> T>
void describe(V& v, T& q) {
    v("question_id", q.id);
    v("question", q.text);
    v.optional("choices", q.choices);
    v.optional("timeout_ms", q.timeout);
}

template <class V, Of<Question> T>
void describe(V& v, T& q) {
    v("question_id", q.id);
    v("question", q.text);
    v.optional("choices", q.choices);
    v.optional("kind", q.kind);
    v("attempt", q.attempt);
    v("asked_at", q.asked_at);
    v.optional("until", q.until);
    v.optional("parked", q.parked);
    v("state", q.state);
    v.optional("choice", q.choice);
    v.optional("answer", q.answer);
    v.optional("answered_by", q.answered_by);
    v.optional("closed_at", q.closed_at);
    v.optional("digest", q.digest);
}

template <class V, Of<ArtifactRule> T>
void describe(V& v, T& r) {
    v("name", r.name);
    v.optional("media", r.media);
    v.optional("min_bytes", r.min_bytes);
    v.optional("max_bytes", r.max_bytes);
    v.optional("required", r.required, true);
}

template <class V, Of<ExpectedOutput> T>
void describe(V& v, T& e) {
    v.optional("format", e.format);
    v.optional("artifacts", e.artifacts);
    v.optional("rules", e.rules);
    v.optional("schema", e.schema);
    v.optional("headings", e.headings);
    v.optional("max_bytes", e.max_bytes);
}

template <class V, Of<Backoff> T>
void describe(V& v, T& b) {
    v("kind", b.kind);
    v.optional("min_ms", b.min);
    v.optional("max_ms", b.max);
}

template <class V, Of<RetryRule> T>
void describe(V& v, T& r) {
    v.optional("exit_code", r.exit_code);
    v.optional("class", r.failure);
    v("action", r.action);
    v.optional("wait_ms", r.wait);
}

template <class V, Of<After> T>
void describe(V& v, T& a) {
    v("tasks", a.tasks);
    v.optional("mode", a.mode);
    v.optional("count", a.count);
    v.optional("on_unmet", a.on_unmet);
}

template <class V, Of<Rate> T>
void describe(V& v, T& r) {
    v("count", r.count);
    v.optional("period_ms", r.period);
    v.optional("burst", r.burst, 1U);
}

template <class V, Of<Limits> T>
void describe(V& v, T& l) {
    v.optional("concurrency", l.concurrency);
    v.optional("rate", l.rate);
    v.optional("max_open", l.max_open);
    v.optional("max_bytes", l.max_bytes);
}

template <class V, Of<Approval> T>
void describe(V& v, T& a) {
    v.optional("time", a.time);
    v.optional("by_other", a.by_other);
    v.optional("timeout_ms", a.timeout);
}

template <class V, Of<KeyAccess> T>
void describe(V& v, T& k) {
    v("identity", k.identity);
    v("kind", k.kind);
    v.optional("permissions", k.permissions);
    v.optional("expires_at", k.expires_at);
    v.optional("invited_by", k.invited_by);
}

template <class V, Of<TaskSpec> T>
void describe(V& v, T& s) {
    v.optional("ns", s.ns, kDefaultNamespace);
    v("task_id", s.id);
    v("to", s.role);
    v.optional("from", s.from);
    v.optional("type", s.type);
    v.optional("instructions", s.instructions);
    v.optional("payload", s.payload);
    v.optional("priority", s.priority, limits::kPriorityDefault);
    v.optional("ttl_ms", s.ttl);
    v.optional("delay_ms", s.delay);
    v.optional("run_timeout_ms", s.run_timeout);
    v.optional("max_attempts", s.max_attempts, limits::kAttemptsDefault);
    v.optional("max_lost", s.max_lost, limits::kLostDefault);
    v.optional("backoff", s.backoff, Backoff{});
    v.optional("budget", s.budget);
    v.optional("group", s.group);
    v.optional("labels", s.labels);
    v.optional("reply_to", s.reply_to);
    v.optional("expected_output", s.expected);
    v.optional("inputs", s.inputs);
    v.optional("trace_id", s.trace_id);
    v.optional("idempotency_key", s.idempotency_key);
    v.optional("not_before", s.not_before);
    v.optional("deadline_ms", s.deadline);
    v.optional("stall_timeout_ms", s.stall_timeout);
    v.optional("retry_rules", s.retry_rules);
    v.optional("on_lost", s.on_lost);
    v.optional("after", s.after);
    v.optional("unique_key", s.unique_key);
    v.optional("limit_key", s.limit_key);
    v.optional("needs", s.needs);
    v.optional("on_unique", s.on_unique);
    v.optional("approval", s.approval);
    v.optional("allow_secrets", s.allow_secrets);
}

}  // namespace zq
