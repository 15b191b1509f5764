#include "tests/simulator/client_host.h"

#include <algorithm>

#include "coordinator/edge/access.h"
#include "tests/simulator/describe.h"

namespace zq::sim {
namespace {

constexpr Millis kReplyWait = seconds(5);  // of one try; a long poll's wait comes on top
constexpr Millis kGiveUp = seconds(30);

bool writes(const wire::Body& body) {
    if (const auto* submit = std::get_if<wire::Submit>(&body)) return !submit->dry_run;
    if (const auto* batch = std::get_if<wire::Batch>(&body)) return !batch->dry_run;
    return std::holds_alternative<wire::Claim>(body) ||
           std::holds_alternative<wire::AnswerQuestion>(body) ||
           std::holds_alternative<wire::Replay>(body) || std::holds_alternative<wire::Edit>(body) ||
           std::holds_alternative<wire::Remove>(body) ||
           std::holds_alternative<wire::Complete>(body) ||
           std::holds_alternative<wire::Fail>(body) || std::holds_alternative<wire::Skip>(body) ||
           std::holds_alternative<wire::Release>(body);
}

}  // namespace

ClientHost::ClientHost(Stage stage, ClientSetup setup)
    : stage_(stage),
      setup_(std::move(setup)),
      rng_(stage.world.rng(setup_.name)),
      identity_(setup_.name + "@" + to_hex(rng_.next())) {
    stage_.keys.put(identity_.text, {KeyKind::kAdmin, identity_, Permissions::all(), {}});
    for (std::uint32_t i = 0; i < setup_.tasks; ++i) {
        left_.push_back(stage_.workload.task(setup_.name, i));
    }
}

void ClientHost::plan(Millis wait, void (ClientHost::*what)()) {
    stage_.world.after(wait, [this, what, generation = generation_] {
        if (generation == generation_) (this->*what)();
    });
}

void ClientHost::start() {
    if (up_) return;
    up_ = true;
    id_ = ClientId(to_hex(rng_.next()));
    last_request_ = 0;
    think();
}

void ClientHost::die() {
    if (!up_) return;
    stage_.world.note(setup_.name, "is killed");
    hang_up();
    call_.reset();
    up_ = false;
    ++generation_;
    plan(rng_.between(seconds(1), seconds(20)), &ClientHost::start);
}

void ClientHost::think() {
    const Millis pace = hurrying_ ? millis(200) : setup_.pace;
    plan(rng_.between(millis(1), pace * 2), &ClientHost::act);
}

void ClientHost::act() {
    Millis wait{};
    wire::Body request = next_request(wait);
    ask(std::move(request), wait);
}

void ClientHost::ask(wire::Body request, Millis wait) {
    Call call;
    call.message.header.id = ++last_request_;
    call.message.header.client = id_;
    call.message.body = std::move(request);
    call.wait = wait;
    call.until = stage_.world.now() + kGiveUp + wait;
    call_ = std::move(call);
    try_once();
}

/// A new socket each time, but for the first.
void ClientHost::try_once() {
    Call& call = *call_;
    const Millis now = stage_.world.now();
    if (now >= call.until) return finish(nullptr);
    // They are operators as well: they pause and limit.
    if (link_ == 0) {
        link_ = stage_.network.connect(setup_.name, *this, kKeyDoor, identity_.text);
    }
    call.try_until = std::min(now + kReplyWait + call.wait, call.until);
    ++call.tries;
    if (link_ == 0) return retry_later({});
    correlate_ = "#" + std::to_string(rng_.below(1'000'000));
    Frames frames = wire::encode(call.message);
    frames.insert(frames.begin(), {correlate_, std::string()});
    stage_.world.note(setup_.name,
                      describe_message(call.message) + (call.tries > 1 ? " (again)" : ""));
    if (!stage_.network.send(link_, std::move(frames), Repeat::kMaybe)) return retry_later({});
    plan(call.try_until - now, &ClientHost::look_at_clock);
}

void ClientHost::look_at_clock() {
    if (!call_ || stage_.world.now() < call_->try_until) return;
    retry_later({});
}

void ClientHost::hang_up() {
    if (link_ != 0) stage_.network.close(link_);
    link_ = 0;
}

void ClientHost::retry_later(Millis asked) {
    hang_up();
    call_->try_until = call_->until + hours(1);  // of a try that is over
    plan(asked + rng_.between(millis(100), seconds(2)), &ClientHost::try_once);
}

void ClientHost::broken(LinkId link) {
    if (link == link_) link_ = 0;  // libzmq connects again; the request is not sent again by it
}

void ClientHost::receive(LinkId link, Frames frames) {
    if (link != link_ || !call_ || frames.size() < 2 || frames[0] != correlate_) return;
    frames.erase(frames.begin(), frames.begin() + 2);
    auto reply = wire::decode(frames);
    if (!reply) return stage_.world.violate("a client cannot read a message");
    if (reply->header.id != call_->message.header.id) return;
    stage_.world.note(setup_.name, "<- " + describe_message(*reply));
    const auto* refusal = std::get_if<wire::ErrorReply>(&reply->body);
    if (refusal != nullptr && refusal->code == ErrorCode::SHUTTING_DOWN) {
        return retry_later(refusal->retry_after);
    }
    if (writes(call_->message.body)) stage_.promises.answered(id_, call_->message, reply->body);
    if (!call_->again && writes(call_->message.body) && rng_.per_mille(60)) {
        call_->again = true;  // as if the answer had been lost
        learn(call_->message.body, reply->body);
        return retry_later({});
    }
    finish(&reply->body);
}

/// `reply` is null where nobody answered.
void ClientHost::finish(const wire::Body* reply) {
    const Call call = std::move(*call_);
    call_.reset();
    if (reply == nullptr) {
        stage_.world.note(setup_.name, "gives up");
        hang_up();
    } else if (!call.again) {
        learn(call.message.body, *reply);
    }
    think();
}

void ClientHost::learn(const wire::Body& request, const wire::Body& reply) {
    if (const auto* refusal = std::get_if<wire::ErrorReply>(&reply)) {
        return learn_refusal(request, *refusal);
    }
    if (const auto* submitted = std::get_if<wire::Submitted>(&reply)) {
        learn_submitted(submitted->task, submitted->state);
    } else if (const auto* batched = std::get_if<wire::Batched>(&reply)) {
        learn_batched(std::get<wire::Batch>(request), *batched);
    } else if (const auto* claimed = std::get_if<wire::Claimed>(&reply)) {
        held_[claimed->lease] = {claimed->task, claimed->attempt, claimed->lease, claimed->term};
    } else if (const auto* questions = std::get_if<wire::QuestionRows>(&reply)) {
        for (const wire::QuestionRow& row : questions->rows) {
            if (rng_.per_mille(500)) asked_.emplace_back(row.task, row.question);
        }
    } else if (const auto* controls = std::get_if<wire::ControlRows>(&reply)) {
        learn_controls(*controls);
    } else if (const auto* ended = std::get_if<wire::Ended>(&reply)) {
        for (const wire::TaskRow& row : ended->rows) {
            if (is_final(row.state) && open_.erase(row.id) != 0) ended_.emplace_back(row.id);
        }
    } else if (const auto* beat = std::get_if<wire::Beat>(&reply)) {
        for (const auto& word : beat->leases) {
            if (word.verdict == Verdict::kStale) held_.erase(word.lease);
        }
    } else if (const auto* changed = std::get_if<wire::Changed>(&reply)) {
        if (std::holds_alternative<wire::Replay>(request)) {
            open_.insert(changed->task);
            std::erase(ended_, changed->task);
        }
    } else if (std::holds_alternative<wire::Accepted>(reply)) {
        if (const auto* checkpoint = std::get_if<wire::Checkpoint>(&request)) {
            stage_.promises.saved(checkpoint->task, checkpoint->artifact.ref.digest);
        }
        std::visit(
            [this](const auto& body) {
                if constexpr (requires { body.report.lease; }) held_.erase(body.report.lease);
            },
            request);
    }
}

void ClientHost::learn_refusal(const wire::Body& request, const wire::ErrorReply& refusal) {
    std::visit(
        [&](const auto& body) {
            if constexpr (requires { body.report.lease; }) {
                if (!retryable(refusal.code)) held_.erase(body.report.lease);
            }
        },
        request);
    std::vector<TaskId> asked;
    if (const auto* wait = std::get_if<wire::Wait>(&request)) asked = wait->tasks;
    if (const auto* get = std::get_if<wire::Get>(&request)) asked = {get->task};
    const bool missing = !asked.empty() && refusal.code == ErrorCode::NOT_FOUND;
    // Another client may have removed one: then there is nothing left to wait for.
    bool removed = false;
    for (const TaskId& id : asked) {
        const Model::Task* task = stage_.model.find(id);
        if (!missing || task == nullptr || !task->removed) continue;
        removed = true;
        open_.erase(id);
    }
    if (missing && !removed)
        stage_.world.violate("an acknowledged task is not found: " + refusal.message);
    if (const auto* submit = std::get_if<wire::Submit>(&request)) {
        expect_refusable(submit->task, refusal);
    }
}

void ClientHost::learn_submitted(const TaskId& id, TaskState state) {
    for (const TaskSpec& task : left_) {
        if (task.id == id && !task.idempotency_key.empty()) keyed_.push_back(task);
    }
    std::erase_if(left_, [&](const TaskSpec& task) { return task.id == id; });
    if (id.text.starts_with(kTrialPrefix)) return;
    stage_.promises.acknowledged(id);
    if (!is_final(state)) open_.insert(id);
}

void ClientHost::learn_batched(const wire::Batch& batch, const wire::Batched& reply) {
    if (reply.items.size() != batch.tasks.size()) {
        return stage_.world.violate("a batch is not answered task by task");
    }
    bool refused = false;
    for (std::size_t i = 0; i < reply.items.size(); ++i) {
        const wire::BatchItem& item = reply.items[i];
        if (item.error) expect_refusable(batch.tasks[i], *item.error);
        refused = refused || item.error.has_value();
        if (item.state.has_value() == (item.error.has_value() || reply.refused)) {
            stage_.world.violate("a task of a batch is either submitted or not");
        }
        if (item.state) learn_submitted(item.task, *item.state);
    }
    if (reply.refused != (batch.atomic && refused)) {
        stage_.world.violate("an atomic batch is refused where one of its tasks is, and no other");
    }
}

/// Nothing else keeps a sound task from being submitted for ever.
void ClientHost::expect_refusable(const TaskSpec& task, const wire::ErrorReply& refusal) {
    const bool unique = refusal.code == ErrorCode::CONFLICT && !task.unique_key.empty() &&
                        refusal.field == "task.unique_key";
    if (retryable(refusal.code) || unique) return;
    // Whom it would wait for was removed by hand, or by retention: then it waits for nobody.
    if (refusal.code == ErrorCode::NOT_FOUND && refusal.field == "task.after.tasks") {
        for (TaskSpec& left : left_) {
            if (left.id == task.id) left.after = {};
        }
        return;
    }
    stage_.world.violate("a sound submit of " + task.id.text + " is refused: " +
                         std::string(to_string(refusal.code)) + " " + refusal.message);
}

}  // namespace zq::sim
