// What a client asks next. To add a kind of request, add it here.
#include <algorithm>

#include "common/platform/digest.h"
#include "tests/simulator/client_host.h"

namespace zq::sim {

namespace {

/// Some tasks have an input; always the same, or a repetition would be another task.
void add_context(wire::Submit& submit, const TaskId& of) {
    if (submit.task.priority % 3 != 0) return;
    const std::string context = "the context of " + of.text;
    submit.task.inputs = {{"context", sha256(context), context.size(), "text/plain", ""}};
    submit.contents = {{sha256(context), {context}}};
}

/// For a dry run: under a name of its own, and without what another may have.
TaskSpec trial_of(TaskSpec task) {
    task.id = TaskId(std::string(kTrialPrefix) + task.id.text);
    task.idempotency_key.clear();
    task.unique_key.clear();
    task.on_unique = OnUnique::kReject;
    return task;
}

}  // namespace

wire::Body ClientHost::next_request(Millis& wait) {
    if (!held_.empty() && rng_.per_mille(500)) {
        auto at = held_.begin();
        std::advance(at, rng_.below(held_.size()));
        return tend(at->second);
    }
    if (!asked_.empty() && rng_.per_mille(700)) return answer_one();
    if (!hurrying_ && rng_.per_mille(30)) return set_control();
    if (hurrying_ && !to_lift_.empty()) return lift_one();
    if (hurrying_ && rng_.per_mille(200)) return wire::Controls{};
    const std::uint64_t n = rng_.below(100);
    const std::uint64_t submits = hurrying_ ? 80 : 45;
    if (!left_.empty() && n < submits) return submit_next();
    if (n >= 96 && !keyed_.empty()) return submit_again();
    if (n >= 93) return look_around(wait);
    if (n >= 88 && !hurrying_ && !ended_.empty()) return change_ended();
    if (n >= 90) return look_around(wait);
    if (n >= 70 || (left_.empty() && open_.empty())) {
        wire::Claim claim;
        claim.role = kByHand;
        claim.from = setup_.name;
        claim.lease = seconds(30);
        if (rng_.per_mille(500)) claim.wait = rng_.between(millis(1), seconds(5));
        wait = claim.wait;
        return claim;
    }
    if (!hurrying_ && n >= 60) {
        if (auto task = some_open_task()) {
            return wire::Cancel{*task, "changed my mind", rng_.per_mille(300)};
        }
    }
    return wait_for_ends(wait);
}

wire::Body ClientHost::submit_next() {
    if (left_.size() > 1 && rng_.per_mille(250)) return submit_several();
    wire::Submit submit;
    submit.task = left_.front();
    if (rng_.per_mille(30)) {
        submit.dry_run = true;
        submit.task = trial_of(submit.task);
        return submit;
    }
    // Others wait behind it no longer than it takes: a refused one comes again later.
    std::rotate(left_.begin(), left_.begin() + 1, left_.end());
    add_context(submit, submit.task.id);
    return submit;
}

/// The next few in one request; sometimes one of them twice.
wire::Body ClientHost::submit_several() {
    wire::Batch batch;
    batch.atomic = rng_.per_mille(300);
    batch.dry_run = rng_.per_mille(50);
    const std::size_t most = std::min<std::size_t>(left_.size(), 5);
    const std::size_t count = 1 + rng_.below(most);
    for (std::size_t i = 0; i < count; ++i) {
        wire::Submit submit;
        submit.task = batch.dry_run ? trial_of(left_.front()) : left_.front();
        std::rotate(left_.begin(), left_.begin() + 1, left_.end());
        if (!batch.dry_run) add_context(submit, submit.task.id);
        batch.tasks.push_back(std::move(submit.task));
        std::move(submit.contents.begin(), submit.contents.end(),
                  std::back_inserter(batch.contents));
    }
    if (rng_.per_mille(100)) batch.tasks.push_back(batch.tasks.front());
    return batch;
}

/// Forgot that it was submitted, but for its key: under another id it must be the same task.
wire::Body ClientHost::submit_again() {
    wire::Submit submit;
    submit.task = keyed_[rng_.below(keyed_.size())];
    add_context(submit, submit.task.id);
    submit.task.id = TaskId(submit.task.id.text + "-again");
    return submit;
}

/// Work that has ended: once more, repaired, or let go for good.
wire::Body ClientHost::change_ended() {
    const std::size_t at = rng_.below(ended_.size());
    const TaskId task = ended_[at];
    wire::Changes changes;
    if (rng_.per_mille(300)) changes.instructions = "carry out " + task.text + ", but well";
    if (rng_.per_mille(300)) changes.max_attempts = static_cast<std::uint32_t>(rng_.between(1, 4));
    if (rng_.per_mille(200)) changes.role = rng_.per_mille(500) ? kReview : kWrite;
    const std::uint64_t n = rng_.below(100);
    if (n < 60) {
        wire::Replay replay{task, rng_.per_mille(500), false, rng_.per_mille(500), changes, {}};
        replay.keep_checkpoints = replay.fresh && rng_.per_mille(300);
        replay.reason = "once more";
        return replay;
    }
    if (n < 80) {
        if (changes == wire::Changes{}) changes.priority = static_cast<std::uint32_t>(n % 11);
        return wire::Edit{task, changes, "there was a mistake in it"};
    }
    // It may be gone from here on: nothing more is asked of it.
    ended_.erase(ended_.begin() + static_cast<std::ptrdiff_t>(at));
    std::erase_if(keyed_, [&](const TaskSpec& spec) { return spec.id == task; });
    return wire::Remove{task, "nobody wants it", rng_.per_mille(500)};
}

std::optional<TaskId> ClientHost::some_open_task() {
    if (open_.empty()) return std::nullopt;
    auto at = open_.begin();
    std::advance(at, rng_.below(open_.size()));
    return *at;
}

wire::Body ClientHost::wait_for_ends(Millis& wait) {
    wire::Wait request;
    for (const TaskId& task : open_) {
        if (request.tasks.size() == 50) break;
        if (rng_.per_mille(500) || open_.size() < 5) request.tasks.push_back(task);
    }
    if (request.tasks.empty()) return wire::Answers{setup_.name + "-inbox", 0, 20, {}};
    request.count = 1;
    request.wait = wait = rng_.between(millis(0), seconds(3));
    return request;
}

wire::Body ClientHost::look_around(Millis& wait) {
    switch (rng_.below(11)) {
        case 0:
            return wire::List{};
        case 1:
            return wire::Workers{};
        case 2:
            return wire::Leases{};
        case 3:
            return wire::Status{};
        case 4:
            return wire::Ping{};
        case 5:
            wait = seconds(2);
            return wire::Events{rng_.below(500), 50, wait, {}};
        case 6:
            wait = seconds(1);
            return wire::Answers{setup_.name + "-inbox", rng_.below(500), 20, wait};
        case 7: {
            wire::Wait request;
            request.group = GroupName("g1");
            request.wait = wait = seconds(1);
            return request;
        }
        case 8:
        case 9:
            return wire::Questions{};
        default:
            break;
    }
    if (auto task = some_open_task()) return wire::Get{*task, false};
    return wire::Ping{};
}

/// Works on a lease that is held by hand: says that it is, how far, or how it ended. Some are
/// forgotten, and lost by the clock.
wire::Body ClientHost::tend(Held& held) {
    const std::uint64_t n = rng_.below(100);
    if (n < 15) {
        return wire::Progress{held.task.id, held.lease, static_cast<std::uint32_t>(n * 6), "1/2",
                              "half of it"};
    }
    if (n < 18) return checkpoint_of(held);
    if (n < 20) return wire::Spend{held.task.id, held.lease, {n * 100, rng_.below(500), 7, "m"}};
    if (n < 22) {
        NewQuestion question{"hand-" + std::to_string(rng_.below(3)), "Is it done?", {}, {}};
        if (rng_.per_mille(500)) question.timeout = rng_.between(millis(1), seconds(20));
        return wire::Ask{held.task.id, held.lease, question};
    }
    if (n < 40) {
        wire::Heartbeat beat;
        beat.leases = {{held.task.id, held.attempt, held.lease}};
        return beat;
    }
    if (n < 44) {
        held_.erase(held.lease);
        return wire::Ping{};
    }
    return report(held);
}

/// Answers what was seen to be open; it may be closed by now, or another question be open.
wire::Body ClientHost::answer_one() {
    const auto [task, question] = asked_.back();
    asked_.pop_back();
    wire::AnswerQuestion said{task, question.id, {}, {}};
    if (rng_.per_mille(300)) said.question.clear();
    said.digest = question.digest;
    if (rng_.per_mille(30)) said.digest = sha256("something else");
    if (question.choices.empty()) {
        said.answer = "so says " + setup_.name;
    } else {
        said.choice = question.choices[rng_.below(question.choices.size())];
    }
    return said;
}

wire::Body ClientHost::checkpoint_of(const Held& held) {
    const std::string content = setup_.name + " " + std::to_string(rng_.below(1'000'000));
    wire::Checkpoint checkpoint{held.task.id, held.lease, {}};
    checkpoint.artifact.ref = {"notes", sha256(content), content.size(), "", ""};
    checkpoint.artifact.data = Bytes{content};
    return checkpoint;
}

wire::Body ClientHost::report(const Held& held) {
    wire::Report report;
    report.task = held.task.id;
    report.attempt = held.attempt;
    report.lease = held.lease;
    report.from = setup_.name;
    switch (rng_.below(8)) {
        case 3: {
            wire::Release release;
            release.report = std::move(report);
            release.cause = ReleaseCause::kInputRequired;
            release.question = NewQuestion{
                "hand-park-" + std::to_string(held.attempt), "Who goes on?", {}, seconds(30)};
            return release;
        }
        case 0: {
            wire::Fail failed;
            failed.report = std::move(report);
            failed.reason = "could not";
            return failed;
        }
        case 1: {
            wire::Release release;
            release.report = std::move(report);
            release.delay = rng_.between(millis(0), seconds(3));
            return release;
        }
        case 2: {
            wire::Skip skip;
            skip.report = std::move(report);
            return skip;
        }
        default:
            break;
    }
    const std::string result =
        text_by_hand(held.task.id, rng_.per_mille(800) ? Text::kRight : Text::kWrong);
    report.artifacts = {{{"result.md", sha256(result), result.size(), "", ""}, Bytes{result}}};
    wire::Complete complete;
    complete.report = std::move(report);
    return complete;
}

}  // namespace zq::sim
