#include "coordinator/edge/rows.h"

#include "coordinator/store/event_codec.h"

namespace zq::edge {

wire::TaskRow task_row(const core::Task& task) {
    wire::TaskRow row;
    row.id = task.key.id;
    row.state = task.state;
    row.role = task.role;
    row.type = task.type;
    row.from = task.from;
    row.submitter = task.submitter;
    row.priority = task.priority;
    row.group = task.group;
    row.reply_to = task.reply_to;
    row.trace_id = task.trace_id;
    row.attempts = task.attempts;
    row.failures = task.failures;
    row.losses = task.losses;
    row.max_attempts = task.max_attempts;
    row.submitted_at = task.submitted_at;
    row.started_at = task.started_at;
    row.ended_at = task.ended_at;
    row.due_at = task.due_at;
    row.expires_at = task.expires_at;
    row.deadline_at = task.deadline_at;
    row.dead_reason = task.dead_reason;
    row.summary = task.summary;
    row.reason = task.reason;
    row.worker = task.worker;
    if (const Question* open = core::open_question(task)) row.question = open->text;
    if (task.budget.is_set()) {
        row.budget = granted(task.budget, task.budget_from);
        row.spent = core::spent_so_far(task);
    }
    row.submitted_seq = task.submitted_seq;
    row.changed_seq = task.changed_seq;
    return row;
}

wire::AttemptRow attempt_row(const core::Attempt& attempt) {
    wire::AttemptRow row;
    row.attempt = attempt.attempt;
    row.outcome = to_string(attempt.outcome);
    row.worker = attempt.holder.worker;
    row.identity = attempt.holder.identity;
    row.state_id = attempt.holder.state_id;
    row.incarnation = attempt.holder.incarnation;
    row.started_at = attempt.started_at;
    row.ended_at = attempt.ended_at;
    row.duration = attempt.duration;
    if (attempt.failure) row.failure_class = to_string(*attempt.failure);
    row.reason = attempt.reason;
    if (row.reason.empty() && attempt.release) row.reason = to_string(*attempt.release);
    row.summary = attempt.summary;
    row.exit_code = attempt.exit_code;
    row.output = attempt.output;
    row.artifacts = attempt.artifacts;
    row.command = attempt.command;
    return row;
}

wire::AttemptRow running_row(const core::Lease& lease) {
    wire::AttemptRow row;
    row.attempt = lease.attempt;
    row.outcome = to_string(Outcome::kRunning);
    row.worker = lease.holder.worker;
    row.identity = lease.holder.identity;
    row.state_id = lease.holder.state_id;
    row.incarnation = lease.holder.incarnation;
    row.started_at = lease.since;
    return row;
}

wire::EventRow event_row(const store::ChainedEvent& chained) {
    constexpr std::size_t kFieldBytes = 4096;
    const core::Event& event = chained.event;
    wire::EventRow row;
    row.seq = event.seq;
    row.at = event.at;
    row.epoch = event.epoch;
    row.ns = event.task.ns;
    row.task = event.task.id;
    row.kind = core::kind_of(event.body);
    row.identity = event.identity;
    row.fields = store::fields_of(event.body);
    for (auto& [name, text] : row.fields) text = cut_text(text, kFieldBytes);
    row.body_digest = chained.body_digest;
    row.hash = chained.hash;
    return row;
}

std::string cut_text(const std::string& text, std::size_t most_bytes) {
    if (text.size() <= most_bytes) return text;
    constexpr std::string_view kMark = "\u2026";
    std::size_t end = most_bytes > kMark.size() ? most_bytes - kMark.size() : 0;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + std::string(kMark);
}

}  // namespace zq::edge
