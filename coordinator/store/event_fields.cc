// What readers are shown of each event: the half of event_codec.h that is for people.
#include "common/base/secret_scan.h"
#include "coordinator/store/event_codec.h"

namespace zq::store {
namespace {

using Fields = std::map<std::string, std::string>;

/// Leaves out what says nothing: empty texts.
void put(Fields& fields, const char* name, std::string_view value) {
    if (!value.empty()) fields.emplace(name, value);
}

void put_count(Fields& fields, const char* name, std::uint64_t value) {
    if (value != 0) fields.emplace(name, std::to_string(value));
}

void put_at(Fields& fields, const char* name, Instant at) {
    if (at.is_set()) fields.emplace(name, std::to_string(at.ms));
}

void show(Fields& fields, const core::EpochStarted& body) {
    put(fields, "journal", to_hex(body.journal));
    put(fields, "program", body.program);
}

void show(Fields& fields, const core::TaskSubmitted& body) {
    put(fields, "to", body.spec->role.text);
    put(fields, "from", body.spec->from);
    put(fields, "group", body.spec->group.text);
    put(fields, "state", to_string(body.state));
    put_at(fields, "due_at", body.due_at);
    put_at(fields, "expires_at", body.expires_at);
    put_at(fields, "deadline_at", body.deadline_at);
    put_count(fields, "inputs", body.spec->inputs.size());
    if (body.spec->allow_secrets) put(fields, "allow_secrets", "true");
}

void show(Fields& fields, const core::TaskReady&) {
    put(fields, "state", to_string(TaskState::kQueued));
}

void show(Fields& fields, const core::TaskAssigned& body) {
    put(fields, "state", to_string(TaskState::kRunning));
    put(fields, "worker", body.lease.holder.worker.text);
    put_count(fields, "attempt", body.lease.attempt);
    if (body.lease.holder.by_hand) put(fields, "by_hand", "true");
}

void show(Fields& fields, const core::LeaseResumed& body) {
    put(fields, "state", to_string(TaskState::kRunning));
    put_count(fields, "losses", body.losses);
}

void show(Fields& fields, const core::ProgressNoted& body) {
    fields.emplace("percent", std::to_string(body.percent));
    put(fields, "step", body.step);
    put(fields, "message", body.message);
}

void show(Fields& fields, const core::AttemptEnded& body) {
    const core::Attempt& attempt = body.attempt;
    put(fields, "worker", attempt.holder.worker.text);
    put_count(fields, "attempt", attempt.attempt);
    put(fields, "outcome", to_string(attempt.outcome));
    if (attempt.failure) put(fields, "failure", to_string(*attempt.failure));
    if (attempt.release) put(fields, "release", to_string(*attempt.release));
    if (attempt.exit_code) fields.emplace("exit_code", std::to_string(*attempt.exit_code));
    put(fields, "summary", attempt.summary);
    put(fields, "reason", attempt.reason);
    put_count(fields, "artifacts", attempt.artifacts.size());
    put(fields, "state", to_string(body.next.state));
    put(fields, "dead_reason", to_string(body.next.dead_reason));
    put_at(fields, "due_at", body.next.due_at);
    put_count(fields, "failures", body.next.failures);
    put_count(fields, "losses", body.next.losses);
}

void show(Fields& fields, const core::CancelRequested& body) {
    put(fields, "state", to_string(TaskState::kCancelling));
    put(fields, "reason", body.reason);
}

void show(Fields& fields, const core::TaskCancelled& body) {
    put(fields, "state", to_string(TaskState::kCancelled));
    put(fields, "reason", body.reason);
}

void show(Fields& fields, const core::TaskExpired& body) {
    put(fields, "state", to_string(body.state));
    put(fields, "reason", body.deadline ? "deadline" : "ttl");
}

void show(Fields& fields, const core::RoleServed& body) {
    put(fields, "role", body.role.text);
}

void show(Fields& fields, const core::ContentStored& body) {
    put(fields, "digest", to_hex(body.digest));
    fields.emplace("size", std::to_string(body.size));
    put(fields, "secrets", kinds_text(body.secrets));
}

void show(Fields& fields, const core::RequestRecorded& body) {
    put(fields, "client", body.client.text);
    fields.emplace("request", std::to_string(body.request));
}

void show(Fields& fields, const core::CheckpointSaved& body) {
    const CheckpointRef& checkpoint = body.checkpoint;
    put_count(fields, "number", checkpoint.number);
    put_count(fields, "attempt", checkpoint.attempt);
    put(fields, "name", checkpoint.ref.name);
    put(fields, "digest", to_hex(checkpoint.ref.digest));
    fields.emplace("size", std::to_string(checkpoint.ref.size));
    put_count(fields, "dropped", body.dropped);
}

void show(Fields& fields, const core::QuestionAsked& body) {
    const Question& question = body.question;
    put(fields, "question_id", question.id);
    put(fields, "question", question.text);
    for (const std::string& choice : question.choices) {
        fields["choices"] += (fields["choices"].empty() ? "" : ", ") + choice;
    }
    put_count(fields, "attempt", question.attempt);
    put_at(fields, "until", question.until);
    if (question.parked) put(fields, "parked", "true");
}

void show(Fields& fields, const core::QuestionClosed& body) {
    put(fields, "question_id", body.question);
    put(fields, "question_state", to_string(body.state));
    put(fields, "choice", body.choice);
    put(fields, "answer", body.answer);
    if (body.allow_secrets) put(fields, "allow_secrets", "true");
    if (body.rank != 0) put(fields, "state", to_string(TaskState::kQueued));
    if (body.budget_from) put(fields, "budget", "granted anew");
    if (body.dead_reason == DeadReason::kNone) return;
    put(fields, "state", to_string(TaskState::kDead));
    put(fields, "dead_reason", to_string(body.dead_reason));
}

void show_usage(Fields& fields, const Usage& usage) {
    if (usage.cost_usd_micros != 0) fields.emplace("cost_usd", usd_text(usage.cost_usd_micros));
    put_count(fields, "input_tokens", usage.input_tokens);
    put_count(fields, "output_tokens", usage.output_tokens);
    put(fields, "model", usage.model);
}

void show(Fields& fields, const core::UsageNoted& body) {
    show_usage(fields, body.usage);
}

void show(Fields& fields, const core::BudgetReached& body) {
    const TaskState state = body.question ? TaskState::kInputRequired : TaskState::kDead;
    put(fields, "state", to_string(state));
    if (body.question) put(fields, "question_id", body.question->id);
    if (!body.question) put(fields, "dead_reason", to_string(DeadReason::kBudget));
    if (body.spent.usd_micros != 0) fields.emplace("spent_usd", usd_text(body.spent.usd_micros));
    put_count(fields, "spent_tokens", body.spent.tokens);
}

void show(Fields& fields, const core::UpstreamEnded& body) {
    put(fields, "upstream", body.upstream.text);
    if (!body.upstream.empty()) put(fields, "went_well", body.well ? "true" : "false");
    put(fields, "state", to_string(body.state));
    if (body.state == TaskState::kDead) {
        put(fields, "dead_reason", to_string(DeadReason::kDependencyFailed));
    }
    put_at(fields, "due_at", body.due_at);
}

void show(Fields& fields, const core::ControlChanged& body) {
    const core::Control& control = body.control;
    put(fields, "kind", to_string(body.kind));
    put(fields, "name", body.name);
    if (control.paused) put(fields, "paused", "true");
    if (control.closed) put(fields, "closed", "true");
    put(fields, "limits", limits_text(control.limits));
    put_at(fields, "held_until", control.held_until);
    put(fields, "held_by", control.held_by.text);
    put_count(fields, "drained_incarnation", control.drained_incarnation);
    put(fields, "reason", body.reason.empty() ? control.reason : body.reason);
}

void show(Fields& fields, const core::AccessChanged& body) {
    put(fields, "fingerprint", body.fingerprint);
    put(fields, "reason", body.reason);
    if (!body.access) {
        put(fields, "removed", "true");
        return;
    }
    put(fields, "key", body.access->identity.text);
    put(fields, "kind", to_string(body.access->kind));
    std::string permissions;
    for (const std::string& text : body.access->permissions) {
        permissions += (permissions.empty() ? "" : " ") + text;
    }
    put(fields, "permissions", permissions);
    put_at(fields, "expires_at", body.access->expires_at);
    put(fields, "invited_by", body.access->invited_by.text);
}

void show(Fields& fields, const core::TextsErased& body) {
    fields.emplace("events", std::to_string(body.bodies.size()));
    put_count(fields, "contents", body.contents.size());
    put(fields, "reason", body.reason);
}

void show(Fields& fields, const core::ContentsCondemned& body) {
    std::uint64_t bytes = 0;
    for (const core::CondemnedContent& content : body.contents) bytes += content.size;
    put_count(fields, "contents", body.contents.size());
    fields.emplace("bytes", std::to_string(bytes));
}

void show(Fields& fields, const core::ArtifactsRemoved& body) {
    put(fields, "kind", to_string(body.kind));
    put_count(fields, "released", body.released.size());
    fields.emplace("bytes", std::to_string(body.bytes));
    fields.emplace("rule", to_string(body.rule));
}

void show(Fields& fields, const core::TaskRemoved& body) {
    put_count(fields, "released", body.released.size());
    fields.emplace("bytes", std::to_string(body.bytes));
    fields.emplace("rule", to_string(body.rule));
    put(fields, "reason", body.reason);
}

void show_revision(Fields& fields, const core::Revision& revision) {
    put(fields, "was", to_string(revision.before.state));
    put(fields, "was_dead_reason", to_string(revision.before.dead_reason));
    for (const std::string& field : revision.changed) {
        fields["changed"] += (fields["changed"].empty() ? "" : ", ") + field;
    }
    if (revision.before.role != revision.after.role) put(fields, "to", revision.after.role.text);
    put(fields, "reason", revision.reason);
}

void show(Fields& fields, const core::TaskReplayed& body) {
    put(fields, "state", to_string(body.revision->after.state));
    show_revision(fields, *body.revision);
    if (body.fresh) put(fields, "fresh", "true");
    put_count(fields, "released", body.released.size());
}

void show(Fields& fields, const core::TaskEdited& body) {
    show_revision(fields, *body.revision);
}

}  // namespace

std::map<std::string, std::string> fields_of(const core::EventBody& body) {
    Fields fields;
    std::visit([&](const auto& alternative) { show(fields, alternative); }, body);
    return fields;
}

}  // namespace zq::store
