// Carries out what a worker's session asks, as worker/loop.cc does.
#include "common/platform/digest.h"
#include "tests/simulator/describe.h"
#include "tests/simulator/worker_process.h"

namespace zq::sim {
namespace {

bool is_report(const wire::Body& body) {
    return std::holds_alternative<wire::Complete>(body) ||
           std::holds_alternative<wire::Skip>(body) || std::holds_alternative<wire::Fail>(body) ||
           std::holds_alternative<wire::Release>(body);
}

}  // namespace

void WorkerHost::perform(const worker::Actions& actions) {
    for (const worker::Action& action : actions) {
        stage_.coverage.acted(action);
        std::visit([this](const auto& a) { perform(a); }, action);
    }
}

void WorkerHost::perform(const worker::Send& action) {
    Process& p = *process_;
    stage_.world.note(setup_.name, describe_message(action.message));
    Frames frames = wire::encode(action.message);
    frames.insert(frames.begin(), std::string());
    const Repeat repeat = is_report(action.message.body) ? Repeat::kMaybe : Repeat::kNever;
    if (sleep_after_speaking_) {
        sleep_for_ = *std::exchange(sleep_after_speaking_, std::nullopt);
        plan({}, &WorkerHost::fall_asleep);
    }
    if (p.link != 0 && stage_.network.send(p.link, std::move(frames), repeat)) return;
    p.session.unsent(action.message, boot());
}

void WorkerHost::perform(const worker::Reopen&) {
    open_socket();
}

void WorkerHost::perform(const worker::Start& action) {
    const wire::Assign& assign = action.assign;
    const Work work = stage_.workload.work(assign.task, assign.attempt);
    process_->attempts.insert_or_assign(assign.lease, Attempt(assign, work, boot()));
    speak_later(assign.lease);
    plan_pass(stage_.world.now());
}

void WorkerHost::speak_later(const LeaseToken& lease) {
    stage_.world.after(speech_.between(millis(100), seconds(20)),
                       [this, lease, generation = generation_] {
                           if (generation == generation_) speak(lease);
                       });
}

/// What a child says through its socket while it runs: how far it is, and what it has so far.
void WorkerHost::speak(const LeaseToken& lease) {
    const Attempt* attempt = find(lease);
    if (attempt == nullptr || attempt->has_ended() || attempt->is_killed()) return;
    speak_later(lease);
    if (!attempt->runs() || stage_.world.now() < paused_until_) return;
    Process& p = *process_;
    const TaskId& task = attempt->assign().task.id;
    worker::Word word;
    if (speech_.per_mille(300)) {
        word.body = wire::Progress{task, lease, static_cast<std::uint32_t>(speech_.below(100)),
                                   "1/2", "half of it"};
    } else if (speech_.per_mille(300)) {
        // Not in order: totals that come late say nothing new.
        word.body = wire::Spend{task, lease, {speech_.below(2'000), speech_.below(2'000), 0, ""}};
    } else if (speech_.per_mille(300)) {
        word.number = ++p.words;
        p.asking.insert(word.number);
        word.body = some_question(task, lease);
    } else {
        word.number = ++p.words;
        const std::string content =
            setup_.name + "." + std::to_string(incarnation_) + "." + std::to_string(word.number);
        wire::Checkpoint checkpoint{task, lease, {}};
        checkpoint.artifact.ref = {"state" + std::to_string(speech_.below(3)), sha256(content),
                                   content.size(), "", ""};
        if (speech_.per_mille(700)) {
            checkpoint.artifact.data = Bytes{content};
        } else {
            word.contents = {checkpoint.artifact.ref};
        }
        p.saying.emplace(word.number, checkpoint.artifact.ref.digest);
        word.body = std::move(checkpoint);
    }
    perform(p.session.tell(lease, std::move(word), boot()));
    plan_pass(stage_.world.now());
}

/// One of a few, so that the same is asked again now and then.
wire::Ask WorkerHost::some_question(const TaskId& task, const LeaseToken& lease) {
    NewQuestion question;
    question.id = "ask-" + short_token(lease) + "-" + std::to_string(speech_.below(3));
    question.text = "Is " + question.id + " right?";
    question.choices = {"yes", "no"};
    if (speech_.per_mille(500)) question.timeout = speech_.between(millis(1), seconds(20));
    return {task, lease, question};
}

void WorkerHost::perform(const worker::QuestionNews& action) {
    stage_.world.note(setup_.name, "is told of " + action.asked.question.id);
    if (action.asked.question.state == QuestionState::kOpen) {
        stage_.world.violate("news of a question say that it is closed");
    }
}

void WorkerHost::perform(const worker::Freeze& action) {
    Attempt* attempt = find(action.lease);
    if (attempt == nullptr) return;
    attempt->freeze(boot());
    watch(*attempt);
}

void WorkerHost::perform(const worker::Thaw& action) {
    stage_.world.note(setup_.name, "thaws " + short_token(action.lease));
    Attempt* attempt = find(action.lease);
    if (attempt == nullptr) return;
    attempt->thaw(boot());
    watch(*attempt);
    plan_pass(stage_.world.now());
}

void WorkerHost::perform(const worker::Cancel& action) {
    Attempt* attempt = find(action.lease);
    if (attempt == nullptr) return;
    attempt->stop(worker::StopCause::kCancelled, boot());
    plan_pass(stage_.world.now());
}

void WorkerHost::perform(const worker::EndForBudget& action) {
    Attempt* attempt = find(action.lease);
    if (attempt == nullptr) return;
    attempt->stop(worker::StopCause::kOverBudget, boot());
    plan_pass(stage_.world.now());
}

void WorkerHost::perform(const worker::Kill& action) {
    stage_.world.note(setup_.name, "kills " + short_token(action.lease));
    Attempt* attempt = find(action.lease);
    if (attempt == nullptr) {
        process_->killed.push_back(action.lease);
    } else {
        attempt->kill();
        watch(*attempt);
    }
    plan_pass(stage_.world.now());
}

void WorkerHost::perform(const worker::Settled& action) {
    stage_.promises.settled(action.held.task, action.held.lease, action.state);
    outbox_.erase(action.held.lease);
}

void WorkerHost::perform(const worker::Refused& action) {
    stage_.world.note(setup_.name, "is refused " + short_token(action.held.lease) + ": " +
                                       std::string(to_string(action.error.code)));
    if (action.error.code != ErrorCode::STALE_LEASE) {
        stage_.world.violate("a report of " + action.held.task.text +
                             " is refused: " + std::string(to_string(action.error.code)) + " " +
                             action.error.message);
    }
    outbox_.erase(action.held.lease);
}

void WorkerHost::perform(const worker::PutAgain& action) {
    for (const ArtifactRef& content : action.artifacts) {
        process_->stored.erase(content.digest);  // a restart forgets who has sent what
        put_content(content,
                    [this, lease = action.held.lease] { process_->put_again.push_back(lease); });
    }
}

void WorkerHost::perform(const worker::StoreForWord& action) {
    for (const ArtifactRef& content : action.contents) {
        const auto stored = [this, lease = action.held.lease, word = action.word] {
            process_->words_stored.emplace_back(lease, word);
        };
        process_->stored.erase(content.digest);
        put_content(content, stored);
    }
}

void WorkerHost::perform(const worker::WordAnswered& action) {
    if (const auto* refusal = std::get_if<wire::ErrorReply>(&action.answer.body)) {
        stage_.world.note(setup_.name, "is not heard: " + std::string(to_string(refusal->code)));
        if (refusal->code == ErrorCode::STALE_LEASE) return;
        // Another question of it is open.
        const bool asked = process_->asking.contains(action.word);
        if (asked && refusal->code == ErrorCode::CONFLICT) return;
        stage_.world.violate("what an attempt said is refused: " + refusal->message);
    } else if (auto word = process_->saying.find(action.word); word != process_->saying.end()) {
        stage_.promises.saved(std::get<wire::Accepted>(action.answer.body).task, word->second);
    }
}

void WorkerHost::perform(const worker::Replace& action) {
    outbox_[action.held.lease] = action.report;
    process_->replaced.emplace_back(action.held.lease, action.report);
    plan_pass(stage_.world.now());
}

void WorkerHost::perform(const worker::Note& action) {
    stage_.world.note(setup_.name,
                      action.fact + (action.detail.empty() ? "" : ": ") + action.detail);
}

void WorkerHost::perform(const worker::End& action) {
    stage_.world.note(setup_.name, "ends: " + action.reason);
    process_->exit_code = action.exit_code;
}

}  // namespace zq::sim
