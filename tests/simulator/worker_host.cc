#include <algorithm>

#include "tests/simulator/describe.h"
#include "tests/simulator/worker_process.h"

namespace zq::sim {
namespace {

constexpr Millis kReleaseWait = seconds(12);  // after a second signal
constexpr Millis kPutWait =
    seconds(2);  // for the artifacts socket's answer, before it is asked again

wire::HeldLease held_of(wire::Body report) {
    const wire::Report& part = worker::report_part(report);
    return {part.task, part.attempt, part.lease};
}

}  // namespace

WorkerHost::WorkerHost(Stage stage, CoordinatorHost& coordinator, WorkerSetup setup)
    : stage_(stage),
      coordinator_(coordinator),
      setup_(std::move(setup)),
      rng_(stage.world.rng(setup_.name)),
      speech_(stage.world.rng(setup_.name + " says")),
      clock_(rng_.between(-5000, 5000), rng_.between(hours(1), hours(99))),
      state_id_(to_hex(rng_.next()) + to_hex(rng_.next())),
      identity_(setup_.name + "@" + to_hex(rng_.next())) {
    const Permissions rights({{Right::kWork, "*"}, {Right::kPut, {}}});
    stage_.keys.put(identity_.text, {KeyKind::kWorker, identity_, rights, {}});
}

WorkerHost::~WorkerHost() = default;

void WorkerHost::plan(Millis wait, void (WorkerHost::*what)()) {
    stage_.world.after(wait, [this, what, generation = generation_] {
        if (generation == generation_) (this->*what)();
    });
}

void WorkerHost::start() {
    if (process_) return;
    // What earlier incarnations left is killed before anything is said (state_folder.h).
    ++incarnation_;
    std::vector<worker::StoredReport> stored;
    for (const auto& [lease, report] : outbox_) stored.push_back({held_of(report), report});
    worker::SessionOptions options;
    options.name = WorkerName(setup_.name);
    options.state_id = state_id_;
    options.incarnation = incarnation_;
    options.roles = setup_.roles;
    options.labels = setup_.labels;
    options.slots = setup_.slots;
    options.program = "simulated";
    options.orphan_hold = setup_.orphan_hold;
    process_ = std::make_unique<Process>(std::move(options), std::move(stored));
    stage_.world.note(setup_.name, "starts as incarnation " + std::to_string(incarnation_));
    open_socket();
    perform(process_->session.start(boot()));
    plan_pass(stage_.world.now());
}

void WorkerHost::open_socket() {
    Process& p = *process_;
    if (p.link != 0) stage_.network.close(p.link);
    p.inbox.clear();
    p.link = stage_.network.connect(setup_.name, *this, kKeyDoor, identity_.text);
    if (p.link == 0) plan(rng_.between(millis(100), seconds(1)), &WorkerHost::reconnect);
}

/// What libzmq does by itself.
void WorkerHost::reconnect() {
    const Millis now = stage_.world.now();
    if (now < paused_until_) return plan(paused_until_ - now, &WorkerHost::reconnect);
    if (process_->link == 0) open_socket();
}

void WorkerHost::broken(LinkId link) {
    if (!process_ || process_->link != link) return;
    process_->link = 0;
    plan(rng_.between(millis(100), seconds(1)), &WorkerHost::reconnect);
}

void WorkerHost::receive(LinkId link, Frames frames) {
    if (!process_ || process_->link != link) return;
    process_->inbox.push_back(std::move(frames));
    plan_pass(stage_.world.now());
}

void WorkerHost::plan_pass(Millis when) {
    if (!process_) return;
    when = std::max(when, paused_until_);
    if (process_->pass_at && *process_->pass_at <= when) return;
    process_->pass_at = when;
    stage_.world.at(when, [this, when, generation = generation_] {
        if (generation != generation_ || process_->pass_at != when) return;
        process_->pass_at.reset();
        pass_on_time();
    });
}

void WorkerHost::pass_on_time() {
    if (stage_.world.now() < paused_until_) return plan_pass(paused_until_);
    pass();
}

/// One pass of worker/loop.cc, in its order.
void WorkerHost::pass() {
    Process& p = *process_;
    take_input();
    perform(p.session.tick(boot()));
    step_attempts();
    for (const LeaseToken& lease : std::exchange(p.put_again, {})) {
        perform(p.session.put_again(lease, boot()));
    }
    for (const auto& [lease, word] : std::exchange(p.words_stored, {})) {
        perform(p.session.word_stored(lease, word, {}, boot()));
    }
    for (auto& [lease, report] : std::exchange(p.replaced, {})) {
        perform(p.session.report(lease, std::move(report), boot()));
    }
    for (const LeaseToken& lease : std::exchange(p.killed, {})) {
        perform(p.session.gone(lease, boot()));
    }
    if (p.exit_code) return end();
    Millis next = p.session.deadline(boot());
    for (const auto& [lease, attempt] : p.attempts) {
        if (auto due = attempt.deadline()) next = std::min(next, *due);
    }
    const bool more =
        !p.killed.empty() || !p.put_again.empty() || !p.replaced.empty() || !p.words_stored.empty();
    if (more) next = boot();
    if (next == worker::kNoTime) return;
    plan_pass(std::max(clock_.when(next), stage_.world.now() + millis(1)));
}

void WorkerHost::take_input() {
    Process& p = *process_;
    for (Frames& frames : std::exchange(p.inbox, {})) {
        if (frames.empty() || !frames.front().empty()) continue;
        frames.erase(frames.begin());
        auto message = wire::decode(frames);
        if (!message) return stage_.world.violate("a worker cannot read a message");
        stage_.world.note(setup_.name, "<- " + describe_message(*message));
        check_credit(*message);
        perform(p.session.receive(*message, boot()));
    }
}

/// Credit is one per free slot: what is handed over must find a slot, unless the worker has
/// changed its mind meanwhile.
void WorkerHost::check_credit(const wire::Message& message) {
    const auto* assign = std::get_if<wire::Assign>(&message.body);
    if (assign == nullptr || process_->signals > 0) return;
    std::size_t taken = 0;
    for (const auto& [token, lease] : process_->session.leases()) {
        if (token == assign->lease) return;
        if (lease.stage != worker::LeaseStage::kReporting) ++taken;
    }
    if (taken >= setup_.slots) {
        stage_.world.violate(setup_.name + " is handed " + assign->task.id.text +
                             " though all its slots are taken");
    }
}

Attempt* WorkerHost::find(const LeaseToken& lease) {
    auto at = process_->attempts.find(lease);
    return at == process_->attempts.end() ? nullptr : &at->second;
}

/// Keeps the children's watch in step with what the attempt's child does.
void WorkerHost::watch(const Attempt& attempt) {
    const TaskId& task = attempt.assign().task.id;
    if (attempt.runs() && !attempt.is_killed()) {
        stage_.children.runs(task, attempt.assign().lease, setup_.name);
    } else {
        stage_.children.stops(task, attempt.assign().lease);
    }
}

void WorkerHost::step_attempts() {
    Process& p = *process_;
    for (auto& [lease, attempt] : p.attempts) {
        const bool had_ended = attempt.has_ended();
        const TaskId& task = attempt.assign().task.id;
        const bool blocked =
            std::any_of(p.attempts.begin(), p.attempts.end(), [&task](const auto& other) {
                return other.second.stage() == Attempt::Stage::kRunning &&
                       other.second.assign().task.id == task;
            });
        attempt.step(boot(), blocked);
        watch(attempt);
        if (attempt.is_killed()) continue;
        if (!had_ended && attempt.has_ended()) p.session.child_ended(lease);
        if (attempt.wants_report(boot())) conclude(attempt);
    }
    for (auto at = p.attempts.begin(); at != p.attempts.end();) {
        const bool over = at->second.stage() == Attempt::Stage::kOver;
        if (over && at->second.is_killed()) p.killed.push_back(at->first);
        at = over ? p.attempts.erase(at) : std::next(at);
    }
}

void WorkerHost::conclude(Attempt& attempt) {
    const auto large = attempt.large_result();
    if (large && !process_->stored.contains(large->digest)) {
        if (!attempt.is_putting()) put_content(*large, [] {});
        return attempt.put_until(boot() + kPutWait);
    }
    const wire::HeldLease held = attempt.held();
    wire::Body report = attempt.report(setup_.name);
    outbox_[held.lease] = report;
    stage_.world.note(setup_.name, "reports " + held.task.text + " " + short_token(held.lease) +
                                       ' ' + std::string(wire::type_of(report)));
    attempt.finish();
    perform(process_->session.report(held.lease, std::move(report), boot()));
}

/// Asks until it is stored; `stored` is called then, unless the process is gone.
void WorkerHost::put_content(const ArtifactRef& content, const std::function<void()>& stored) {
    const auto done = [this, digest = content.digest, stored, generation = generation_] {
        if (generation != generation_) return;
        process_->stored.insert(digest);
        stored();
        plan_pass(stage_.world.now());
    };
    if (process_->stored.contains(content.digest)) return stage_.world.after(millis(1), done);
    coordinator_.put_content(content.digest, content.size, identity_, done);
    stage_.world.after(kPutWait, [this, content, stored, generation = generation_] {
        const bool asks = generation == generation_ && !process_->stored.contains(content.digest);
        if (asks) put_content(content, stored);
    });
}

/// Nobody sees to them any more.
void WorkerHost::leave_children() {
    for (const auto& [lease, attempt] : process_->attempts) {
        stage_.children.stops(attempt.assign().task.id, lease);
    }
}

void WorkerHost::start_later() {
    plan(rng_.between(millis(200), seconds(rng_.per_mille(200) ? 90 : 8)), &WorkerHost::start);
}

void WorkerHost::end() {
    leave_children();
    if (process_->link != 0) stage_.network.close(process_->link);
    process_.reset();
    ++generation_;
    paused_until_ = {};
    start_later();
}

void WorkerHost::die(Death death) {
    if (!process_) return;
    stage_.world.note(setup_.name, death == Death::kKill ? "is killed" : "loses power");
    if (death == Death::kPower && process_->link != 0) {
        stage_.network.vanish(process_->link);
        process_->link = 0;
    }
    end();
}

void WorkerHost::pause(Millis length) {
    if (!process_ || stage_.world.now() < paused_until_) return;
    stage_.world.note(setup_.name, "is stopped for " + std::to_string(length.count) + " ms");
    leave_children();
    paused_until_ = stage_.world.now() + length;
    plan_pass(paused_until_);
}

void WorkerHost::suspend(Millis length) {
    if (!process_ || stage_.world.now() < paused_until_) return;
    stage_.world.note(setup_.name, "sleeps for " + std::to_string(length.count) + " ms");
    for (auto& [lease, attempt] : process_->attempts) attempt.suspend(boot());
    leave_children();
    paused_until_ = stage_.world.now() + length;
    plan(length, &WorkerHost::wake_up);
}

void WorkerHost::fall_asleep() {
    suspend(sleep_for_);
}

void WorkerHost::wake_up() {
    for (auto& [lease, attempt] : process_->attempts) attempt.resume(boot());
    pass();
}

void WorkerHost::drain(bool twice) {
    if (!process_ || process_->signals > 0 || stage_.world.now() < paused_until_) return;
    stage_.world.note(setup_.name, "is asked to end");
    process_->signals = 1;
    perform(process_->session.drain(boot()));
    if (twice) plan(rng_.between(millis(10), seconds(5)), &WorkerHost::second_signal);
    plan_pass(stage_.world.now());
}

void WorkerHost::second_signal() {
    stage_.world.note(setup_.name, "is asked to end again");
    process_->signals = 2;
    for (auto& [lease, attempt] : process_->attempts) {
        attempt.stop(worker::StopCause::kDrained, boot());
    }
    plan_pass(stage_.world.now());
    plan(kReleaseWait, &WorkerHost::give_up_releasing);
}

void WorkerHost::give_up_releasing() {
    process_->exit_code = 0;
    plan_pass(stage_.world.now());
}

}  // namespace zq::sim
