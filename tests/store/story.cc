#include "tests/store/story.h"

#include "common/platform/digest.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/event_codec.h"

namespace zq::store {

TaskSpec Story::spec(const std::string& id, const std::string& role) {
    TaskSpec spec;
    spec.id = TaskId(id);
    spec.role = RoleName(role);
    spec.from = "planner";
    spec.instructions = "Review the façade of " + id;
    return spec;
}

void Story::happen(const std::string& id, core::EventBody body, const Identity& identity) {
    now_ = now_ + millis(7);
    core::Event event;
    event.seq = state_.durable.last_seq + 1;
    event.at = now_;
    event.epoch = state_.durable.epoch;
    if (std::holds_alternative<core::EpochStarted>(body)) ++event.epoch;
    event.task = {ns_, TaskId(id)};
    event.identity = identity;
    event.body = std::move(body);
    core::apply(state_, event);
    if (const auto* ended = std::get_if<core::AttemptEnded>(&event.body)) {
        core::Attempt& kept = ended_[{id, ended->attempt.attempt}];
        kept = ended->attempt;
        kept.ended_seq = event.seq;
    }
    if (core::EventBody rest = core::redacted(event.body); rest != event.body) {
        texts_[id].push_back({event.seq, sha256(encode_body(rest))});
    }
    batch_.events.push_back(std::move(event));
}

void Story::start(JournalId journal) {
    happen("", core::EpochStarted{journal, "story"}, kSystemIdentity);
}

void Story::submit(const std::string& id, const std::string& role) {
    submit(spec(id, role));
}

void Story::submit(TaskSpec spec) {
    const std::string id = spec.id.text;
    core::TaskSubmitted body;
    body.request = sha256(id + spec.instructions);
    body.state = spec.delay.count > 0 ? TaskState::kScheduled : TaskState::kQueued;
    if (spec.delay.count > 0) body.due_at = now_ + spec.delay;
    if (spec.ttl.count > 0) body.expires_at = now_ + spec.ttl;
    body.rank = now_.ms - spec.priority * 1000;
    body.bytes = size_of(spec);
    if (!spec.after.tasks.empty()) {
        body.state = TaskState::kBlocked;
        body.upstream.assign(spec.after.tasks.size(), 'w');
    }
    body.labelled = !spec.labels.empty();
    specs_[id] = spec;
    body.spec = std::move(spec);
    happen(id, std::move(body));
}

void Story::end_upstream(const std::string& id, const std::string& upstream, bool well,
                         TaskState state) {
    core::UpstreamEnded body;
    body.upstream = TaskId(upstream);
    body.well = well;
    body.state = state;
    if (state == TaskState::kQueued) body.rank = now_.ms;
    happen(id, std::move(body), kSystemIdentity);
}

LeaseToken Story::assign(const std::string& id, const std::string& worker) {
    const core::Task& task = state_.durable.open.at(key(id));
    core::Lease lease;
    lease.token = {state_.durable.journal, state_.durable.last_token + 1};
    lease.attempt = task.attempts + 1;
    lease.holder = {WorkerName(worker), Identity("w@0123456789abcdef"),
                    StateId("00112233445566778899aabbccddeeff"), 3, false};
    lease.term = seconds(60);
    lease.since = now_;
    happen(id, core::TaskAssigned{lease}, kSystemIdentity);
    return lease.token;
}

void Story::progress(const std::string& id, std::uint32_t percent) {
    const auto token = state_.durable.open.at(key(id)).lease->token;
    happen(id, core::ProgressNoted{token, percent, "reading", "half of it"});
}

void Story::checkpoint(const std::string& id, const std::string& name, const std::string& data) {
    const Digest digest = store_inline(data);
    const core::Task& task = state_.durable.open.at(key(id));
    core::CheckpointSaved body;
    body.token = task.lease->token;
    body.checkpoint.number = task.checkpoints.empty() ? 1 : task.checkpoints.back().number + 1;
    body.checkpoint.attempt = task.attempts;
    body.checkpoint.at = now_;
    body.checkpoint.ref = {name, digest, data.size(), "", ""};
    happen(id, std::move(body), task.lease->holder.identity);
}

void Story::ask(const std::string& id, const std::string& question, bool parked) {
    const core::Task& task = state_.durable.open.at(key(id));
    core::QuestionAsked body;
    body.token = task.lease->token;
    body.question.id = question;
    body.question.text = "What about " + id + "?";
    body.question.choices = {"yes", "no"};
    body.question.attempt = task.attempts;
    body.question.asked_at = now_ + millis(7);  // of the event
    body.question.until = body.question.asked_at + hours(2);
    body.question.parked = parked;
    happen(id, std::move(body), task.lease->holder.identity);
}

void Story::park(const std::string& id, const std::string& question) {
    ask(id, question, true);
    end(id, Outcome::kReleased, TaskState::kInputRequired);
}

void Story::answer(const std::string& id, QuestionState state, const std::string& text) {
    const core::Task& task = state_.durable.open.at(key(id));
    const bool parked = task.state == TaskState::kInputRequired;
    core::QuestionClosed body;
    body.question = task.questions.back().id;
    body.state = state;
    const bool about_budget = task.questions.back().kind == QuestionKind::kBudget;
    if (state == QuestionState::kAnswered) {
        body.choice = about_budget ? kContinueChoice : "yes";
        body.answer = text;
        if (about_budget) body.budget_from = task.spent;
    }
    if (parked) body.rank = now_.ms;
    happen(id, std::move(body));
}

void Story::ask_approval(const std::string& id) {
    const core::Task& task = state_.durable.open.at(key(id));
    core::QuestionAsked body;
    body.question.id = "before-" + std::to_string(task.attempts);
    body.question.text = "May role " + task.role.text + " run this task?";
    body.question.choices = {"approve", "reject"};
    body.question.kind = QuestionKind::kApproval;
    body.question.attempt = task.attempts;
    body.question.asked_at = now_ + millis(7);  // of the event
    body.question.parked = true;
    body.question.digest = task.request;
    happen(id, std::move(body));
}

void Story::approve(const std::string& id) {
    const core::Task& task = state_.durable.open.at(key(id));
    core::QuestionClosed body;
    body.question = task.questions.back().id;
    body.choice = "approve";
    body.answer = "read it";
    const bool reviewed = task.state == TaskState::kInReview;
    if (reviewed) body.next = TaskState::kCompleted;
    if (!reviewed) body.rank = now_.ms;
    happen(id, std::move(body), Identity("boss@1"));
}

void Story::reject(const std::string& id) {
    core::QuestionClosed body;
    body.question = state_.durable.open.at(key(id)).questions.back().id;
    body.choice = "reject";
    body.answer = "not on a Friday";
    body.dead_reason = DeadReason::kRejected;
    happen(id, std::move(body), Identity("boss@1"));
}

void Story::use(const std::string& id, const Usage& usage) {
    const core::Task& task = state_.durable.open.at(key(id));
    happen(id, core::UsageNoted{task.lease->token, usage}, task.lease->holder.identity);
}

void Story::use_up(const std::string& id) {
    end(id, Outcome::kReleased, TaskState::kQueued);
    const core::Task& task = state_.durable.open.at(key(id));
    core::BudgetReached body;
    body.spent = task.spent;
    if (task.budget.on == OnBudget::kAsk) {
        Question& question = body.question.emplace();
        question.id = "budget-1";
        question.text = "More of it?";
        question.choices = {"continue", "stop"};
        question.kind = QuestionKind::kBudget;
        question.attempt = task.attempts;
        question.asked_at = now_ + millis(7);  // of the event
        question.parked = true;
    }
    happen(id, std::move(body), kSystemIdentity);
}

void Story::end(const std::string& id, Outcome outcome, TaskState next) {
    const core::Task& task = state_.durable.open.at(key(id));
    const core::Lease& lease = *task.lease;
    core::AttemptEnded body;
    core::Attempt& attempt = body.attempt;
    attempt.task = key(id);
    attempt.attempt = lease.attempt;
    attempt.token = lease.token;
    attempt.holder = lease.holder;
    attempt.started_at = lease.since;
    attempt.ended_at = now_;
    attempt.outcome = outcome;
    attempt.reason = outcome == Outcome::kCompleted ? "" : reason;
    attempt.answer = next;
    if (outcome == Outcome::kCompleted) {
        attempt.summary = "3 findings";
        attempt.exit_code = 0;
        attempt.output = {{"cost_usd_micros", "90000"},
                          {"findings", "3"},
                          {"model", "small"},
                          {"verdict", "needs work"}};
        attempt.artifacts = std::exchange(artifacts, {});
        attempt.duration = minutes(4);
        attempt.report = sha256(id);
    }
    if (outcome == Outcome::kFailed) {
        attempt.failure = FailureClass::kError;
        attempt.exit_code = -1;
    }
    body.next.state = next;
    if (task.budget.is_set()) body.next.spent = task.spent + spent_in(task.spending);
    body.next.rank = task.rank;
    body.next.failures = task.failures + (outcome == Outcome::kFailed ? 1 : 0);
    body.next.losses = task.losses + (outcome == Outcome::kLost ? 1 : 0);
    if (next == TaskState::kRetryWait) body.next.due_at = now_ + seconds(5);
    if (next == TaskState::kDead) body.next.dead_reason = DeadReason::kAttemptsExhausted;
    happen(id, std::move(body), lease.holder.identity);
}

void Story::resume(const std::string& id) {
    const core::Task& task = state_.durable.open.at(key(id));
    happen(id, core::LeaseResumed{task.lost_lease->token, task.losses - 1});
}

void Story::make_ready(const std::string& id) {
    happen(id, core::TaskReady{now_.ms});
}
void Story::ask_cancel(const std::string& id) {
    happen(id, core::CancelRequested{"no need"});
}
void Story::cancel(const std::string& id) {
    happen(id, core::TaskCancelled{"no need"});
}
void Story::expire(const std::string& id) {
    happen(id, core::TaskExpired{});
}
void Story::serve(const std::string& role) {
    happen("", core::RoleServed{RoleName(role)});
}

void Story::control(ControlKind kind, const std::string& name, core::Control control) {
    if (control != core::Control{}) {
        control.by = kLocalIdentity;
        control.at = now_;
    }
    happen("", core::ControlChanged{kind, name, std::move(control)});
}

void Story::know(const std::string& fingerprint, std::optional<KeyAccess> access) {
    happen("", core::AccessChanged{fingerprint, std::move(access), "as its file says"});
}

void Story::remove_artifacts(const core::Task& task, RemovedKind kind,
                             std::vector<Digest> released) {
    happen(task.key.id.text,
           core::ArtifactsRemoved{task.submitted_seq, kind, std::move(released), 7},
           kSystemIdentity);
}

void Story::remove_task(const core::Task& task, std::vector<Digest> released) {
    happen(task.key.id.text,
           core::TaskRemoved{task.submitted_seq, std::move(released), 7, {}, RetentionRule::kBytes},
           kSystemIdentity);
}

void Story::erase(const std::string& id) {
    erase(id, {true, texts_[id], {}});
}

void Story::erase(const std::string& id, const Erasable& what) {
    happen(id, core::TextsErased{what.bodies, what.contents, "a key was in it"});
}

core::Revision Story::revision_of(const std::string& id) {
    core::Revision revision;
    revision.before = revision.after = *core::find_task(state_, key(id));
    for (const auto& [place, attempt] : ended_) {
        if (place.first == id) revision.attempts.push_back(attempt);
    }
    revision.reason = "it was a mistake";
    return revision;
}

void Story::replay(const std::string& id) {
    const core::Revision revision = revision_of(id);
    replay(revision.before, revision.attempts);
}

void Story::replay(const core::Task& ended, const std::vector<core::Attempt>& attempts) {
    core::TaskReplayed body;
    body.revision = core::Revision{ended, ended, attempts, std::nullopt, {}, "it was a mistake"};
    body.fresh = true;
    core::Task& task = body.revision.edit().after;
    task.state = TaskState::kQueued;
    task.dead_reason = DeadReason::kNone;
    task.ended_at = {};
    task.failures = 0;
    task.reason = body.revision->reason;
    task.rank = now_.ms;
    for (const CheckpointRef& kept : task.checkpoints) body.released.push_back(kept.ref.digest);
    task.checkpoints.clear();
    happen(ended.key.id.text, std::move(body));
}

void Story::edit(const std::string& id) {
    core::TaskEdited body{revision_of(id)};
    core::Revision& revision = body.revision.edit();
    revision.spec = specs_.at(id);
    revision.spec->instructions += ", with care";
    revision.spec->role = RoleName("research");
    revision.after.role = revision.spec->role;
    revision.changed = {"to", "instructions"};
    happen(id, std::move(body));
}

void Story::remove_by_hand(const std::string& id, std::vector<Digest> released) {
    const core::Task& task = *core::find_task(state_, key(id));
    happen(id, core::TaskRemoved{task.submitted_seq, std::move(released), 7, "nobody wants it"});
}

void Story::condemn(const std::vector<core::CondemnedContent>& contents) {
    happen("", core::ContentsCondemned{contents, last_seq()}, kSystemIdentity);
}

Digest Story::store_inline(const std::string& data, std::vector<std::string> secrets) {
    const Digest digest = sha256(data);
    batch_.contents.push_back({digest, data});
    happen("", core::ContentStored{digest, data.size(), true, std::move(secrets)});
    return digest;
}

void Story::store_file(const Digest& digest, std::uint64_t size) {
    happen("", core::ContentStored{digest, size, false});
}

void Story::record_request(const std::string& client, std::uint64_t request,
                           const std::string& id) {
    happen(id, core::RequestRecorded{ClientId(client), request, {}});
}

Batch Story::take_batch() {
    Batch batch = std::exchange(batch_, {});
    batch.changes = core::take_changes(state_);
    return batch;
}

}  // namespace zq::store
