#include "tests/simulator/coordinator_host.h"

#include "coordinator/core/invariants.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/turn.h"
#include "tests/simulator/describe.h"

namespace zq::sim {
namespace {

constexpr std::string_view kName = "coord";
constexpr std::uint64_t kExamineEvery = 64;     // turns
constexpr std::uint64_t kSettingsPerMille = 2;  // turns that read the settings again
constexpr Millis kUncounted = seconds(2);       // of a pause may count as listening

}  // namespace

/// What a death takes along.
struct CoordinatorHost::Process {
    Process(store::MemoryDisk& disk, core::Policy policy)
        : journal(disk, store::MemorySync::kAtOnce), pipeline(journal, policy) {}

    store::MemoryJournal journal;
    coordinator::Pipeline pipeline;
    std::optional<coordinator::TrustedClock> clock;
    edge::Counters counters;
    edge::Possession shown;
    Mailbox<coordinator::StoreResult> store_results;
    std::unique_ptr<store::Reader> reader;
    Mailbox<coordinator::RemoveOrder> remove_orders;
    std::optional<coordinator::RetentionDesk> retention;
    std::optional<coordinator::Control> control;
    std::optional<coordinator::Turn> turn;
    std::deque<std::pair<std::size_t, Received>> inbox;
    std::deque<coordinator::StoreRequest> store_requests;
    std::map<std::uint64_t, std::function<void()>> stored;  // by ticket
    std::uint64_t tickets = 0;
    std::optional<Millis> turn_at;
    bool syncing = false;
};

CoordinatorHost::CoordinatorHost(Stage stage, core::Policy policy)
    : stage_(stage),
      policy_(policy),
      rng_(stage.world.rng(kName)),
      settings_(stage.world.rng("settings")) {
    core::restore(followed_, disk_.journal, 0, 0, 0, {});
}

CoordinatorHost::~CoordinatorHost() = default;

void CoordinatorHost::plan(Millis wait, void (CoordinatorHost::*what)()) {
    stage_.world.after(wait, [this, what, generation = generation_] {
        if (generation == generation_) (this->*what)();
    });
}

void CoordinatorHost::start() {
    if (!process_) open();
}

void CoordinatorHost::start_later() {
    plan(rng_.between(millis(100), seconds(rng_.per_mille(200) ? 40 : 4)), &CoordinatorHost::start);
}

/// A start in three steps, so that it can die between them.
void CoordinatorHost::open() {
    process_ = std::make_unique<Process>(disk_, policy_);
    auto recovery = process_->pipeline.acquire();
    if (!recovery) return stage_.world.violate("no start: " + recovery.error().message);
    stage_.world.note(kName, "opens the journal at seq " + std::to_string(recovery->last_seq));
    check_recovered();
    process_->clock.emplace(
        coordinator::ClockReading{clock_.boot(stage_.world.now()), clock_.wall(stage_.world.now())},
        recovery->last_at);
    process_->pipeline.watch_decisions(
        [this](const core::Command& command, const core::Decision& decision) {
            decided(command, decision);
        });
    plan(rng_.between(millis(1), millis(20)), &CoordinatorHost::commit_epoch);
}

void CoordinatorHost::commit_epoch() {
    auto opened = process_->pipeline.open_epoch(process_->clock->now(), "simulated");
    if (!opened) return stage_.world.violate("no epoch: " + opened.error().message);
    if (disk_.settled) platter_.reset();
    feed();
    plan(rng_.between(millis(1), millis(20)), &CoordinatorHost::serve);
}

void CoordinatorHost::serve() {
    Process& p = *process_;
    p.journal.set_sync(store::MemorySync::kByHand);
    p.journal.set_storage_low(disk_low_);
    p.reader = *p.journal.open_reader();
    const JournalId journal = p.pipeline.state().durable.journal;
    p.retention.emplace(
        coordinator::RetentionParts{p.pipeline, *p.reader, p.counters, p.remove_orders});
    if (auto ok = p.retention->start(p.clock->now()); !ok) {
        return stage_.world.violate("no retention: " + ok.error().message);
    }
    p.control.emplace(
        coordinator::ControlParts{p.pipeline,
                                  *p.reader,
                                  *this,
                                  p.counters,
                                  p.store_results,
                                  {coordinator::DoorPlace{edge::Trust::kLocal, {5571, ""}},
                                   coordinator::DoorPlace{edge::Trust::kAuthenticated, {5571, ""}}},
                                  {"simulated", journal},
                                  stage_.keys,
                                  p.shown,
                                  p.clock->now(),
                                  rng_.next(),
                                  nullptr,
                                  nullptr,
                                  nullptr,
                                  &*p.retention});
    p.pipeline.run(some_key_changes(rng_, p.clock->now()));
    p.turn.emplace(coordinator::TurnParts{p.journal, p.pipeline, *p.control, *p.clock});
    const Millis now = stage_.world.now();
    p.turn->begin_service({clock_.boot(now), clock_.wall(now)});
    p.turn->begin_wait(clock_.boot(now));
    stage_.network.bind(*this);
    stage_.world.note(kName, "serves epoch " + std::to_string(p.pipeline.state().durable.epoch));
    plan_turn(now);
}

void CoordinatorHost::plan_turn(Millis when) {
    if (!process_ || !process_->turn) return;
    if (process_->turn_at && *process_->turn_at <= when) return;
    process_->turn_at = when;
    stage_.world.at(when, [this, when, generation = generation_] {
        if (generation != generation_ || process_->turn_at != when) return;
        process_->turn_at.reset();
        take_turn();
    });
}

void CoordinatorHost::take_turn() {
    Process& p = *process_;
    const Millis now = stage_.world.now();
    if (now < paused_until_) return plan_turn(paused_until_);
    const Millis boot = clock_.boot(now);
    auto time = p.turn->wake({boot, clock_.wall(now)});
    if (!time) {
        stage_.world.note(kName, "ends: " + time.error().message);
        return end(Death::kKill);
    }
    if (p.turn->may_read() && settings_.per_mille(kSettingsPerMille)) read_settings(*time);
    if (p.turn->may_read()) take_input(*time);
    if (auto ok = p.turn->finish(*time, true); !ok) {
        stage_.world.note(kName, "ends: " + ok.error().message);
        return end(Death::kKill);
    }
    for (const coordinator::StoreResult& result : p.store_results.take()) {
        auto at = p.stored.find(result.ticket);
        if (at == p.stored.end()) continue;
        // A content that is just being removed is put again, as the artifacts socket's peers do.
        const bool again = result.error && result.error->code == ErrorCode::BUSY;
        if (!result.error || again) stage_.world.after(millis(1), std::move(at->second));
        p.stored.erase(at);
    }
    remove_files();
    plan_sync();
    if (++turns_ % kExamineEvery == 0) examine();
    if (p.turn->is_stopping() && p.turn->may_end(boot)) {
        stage_.world.note(kName, "ends in good order");
        return end(Death::kKill);
    }
    p.turn->begin_wait(boot);
    plan_turn(clock_.when(boot + std::max(p.turn->longest_wait(), millis(1))));
}

/// SIGHUP: bounds on what is taken in become others, and all roles are matched again. The limits
/// that the model knows stay: what it is shown was decided a while ago.
void CoordinatorHost::read_settings(Instant now) {
    core::Policy policy = policy_;
    if (settings_.per_mille(300)) policy.max_open_tasks = 20 + settings_.below(100);
    if (settings_.per_mille(300)) policy.max_open_per_client = 12 + settings_.below(50);
    process_->pipeline.change_policy(std::move(policy), now);
    process_->retention->note_policy(now);
    stage_.world.note(kName, "reads its settings again");
}

void CoordinatorHost::take_input(Instant now) {
    Process& p = *process_;
    for (auto& [door, received] : std::exchange(p.inbox, {})) {
        p.control->handle(door, std::move(received), now);
    }
    for (const auto& request : std::exchange(p.store_requests, {})) p.control->handle(request, now);
}

/// As the artifacts thread does.
void CoordinatorHost::remove_files() {
    Process& p = *process_;
    for (const coordinator::RemoveOrder& order : p.remove_orders.take()) {
        if (order.digests.empty()) continue;
        for (const Digest& digest : order.digests) {
            if (stage_.model.is_named(digest)) {
                stage_.world.violate("a file is removed that something refers to");
            }
            files_.erase(digest);
        }
        coordinator::StoreRequest done;
        done.removed = order.digests;
        p.store_requests.push_back(std::move(done));
        plan_turn(stage_.world.now() + millis(rng_.between(1, 5)));
    }
}

/// What is referred to can be read.
void CoordinatorHost::check_files() {
    for (const auto& [digest, content] : disk_.contents) {
        if (content.place.inlined || files_.contains(digest)) continue;
        stage_.world.violate("the file of a content that is stored is gone");
    }
}

void CoordinatorHost::plan_sync() {
    Process& p = *process_;
    if (p.syncing || p.journal.unsynced_batches() == 0) return;
    p.syncing = true;
    plan(rng_.between(disk_fastest_, disk_slowest_), &CoordinatorHost::sync);
}

void CoordinatorHost::sync() {
    Process& p = *process_;
    p.syncing = false;
    const Millis now = stage_.world.now();
    if (now < paused_until_) {
        p.syncing = true;
        return plan(paused_until_ - now, &CoordinatorHost::sync);
    }
    p.journal.sync(1);
    feed();
    plan_sync();
    plan_turn(now);
}

/// Shows the watchers what has become durable.
void CoordinatorHost::feed() {
    std::set<TaskKey> touched;
    for (; fed_ < disk_.events.size(); ++fed_) {
        const core::Event& event = disk_.events[fed_].event;
        stage_.model.committed(event);
        core::apply(followed_, event);
        if (!event.task.id.empty()) touched.insert(event.task);
        if (!undurable_.empty()) undurable_.pop_front();
    }
    core::take_changes(followed_);
    core::forget_projected(followed_, fed_);
    for (const TaskKey& key : touched) {
        auto row = disk_.tasks.find(key);
        if (row != disk_.tasks.end()) stage_.model.compare(row->second);
    }
}

void CoordinatorHost::decided(const core::Command& command, const core::Decision& decision) {
    stage_.coverage.decided(command, decision);
    stage_.leases.decided(command, decision, listened());
    for (const core::Event& event : decision.events) undurable_.push_back(event);
}

Millis CoordinatorHost::listened() const {
    return stage_.world.now() - not_listened_;
}

void CoordinatorHost::examine() {
    if (!process_) return;
    check_files();
    const core::State& live = process_->pipeline.state();
    for (const std::string& broken : core::broken_invariants(live)) {
        stage_.world.violate("invariant: " + broken);
    }
    core::State followed = followed_;
    for (const core::Event& event : undurable_) core::apply(followed, event);
    // Between its opening and its epoch's commit, it has found events that were told to nobody.
    if (!process_->reader) {
        for (Seq i = fed_; i < disk_.events.size(); ++i) {
            core::apply(followed, disk_.events[i].event);
        }
    }
    if (store::state_hash(live) != store::state_hash(followed)) {
        stage_.world.violate("the live state is not what its events make of it");
    }
}

/// What the disk gave back must be what its events say, and nothing that was told may be missing.
void CoordinatorHost::check_recovered() {
    const core::State& recovered = process_->pipeline.state();
    if (recovered.durable.last_seq < fed_) {
        return stage_.world.violate("durable events are gone after a restart");
    }
    core::State followed = followed_;
    for (Seq i = fed_; i < disk_.events.size(); ++i) core::apply(followed, disk_.events[i].event);
    if (store::state_hash(recovered) != store::state_hash(followed)) {
        stage_.world.violate("the recovered state is not what was durable before");
    }
    for (const std::string& broken : core::broken_invariants(recovered)) {
        stage_.world.violate("invariant after recovery: " + broken);
    }
}

void CoordinatorHost::die(Death death) {
    if (!process_) return;
    stage_.world.note(kName, death == Death::kKill ? "is killed" : "loses power");
    end(death);
}

void CoordinatorHost::end(Death death) {
    ++deaths_;
    examine();
    undurable_.clear();
    const std::size_t unsynced = process_->journal.unsynced_batches();
    const std::size_t kept = rng_.below(unsynced + 1);
    if (death == Death::kPower && platter_ && !disk_.settled) {
        process_.reset();
        disk_ = std::move(*platter_);
        platter_.reset();
        disk_.settled = true;
    } else {
        if (death == Death::kKill && kept > 0 && !platter_) {
            platter_ = disk_;
            disk_.settled = false;
        }
        process_->journal.tear(kept);
        process_.reset();
    }
    disk_.held = false;
    ++generation_;
    paused_until_ = {};
    stage_.network.unbind(death == Death::kKill);
    start_later();
}

void CoordinatorHost::stop() {
    if (!process_ || !process_->turn || process_->turn->is_stopping()) return;
    stage_.world.note(kName, "is asked to stop");
    process_->turn->stop(clock_.boot(stage_.world.now()));
    plan_turn(stage_.world.now());
}

void CoordinatorHost::pause(Millis length) {
    if (!process_ || stage_.world.now() < paused_until_) return;
    stage_.world.note(kName, "pauses for " + std::to_string(length.count) + " ms");
    paused_until_ = stage_.world.now() + length;
    if (length > kUncounted) not_listened_ = not_listened_ + (length - kUncounted);
}

void CoordinatorHost::fail_next_commit() {
    if (!process_ || !process_->turn) return;
    stage_.world.note(kName, "its disk will fail");
    process_->journal.fail_next(store::CommitStatus::kUnknown);
}

void CoordinatorHost::set_disk_low(bool low) {
    disk_low_ = low;
    if (process_) process_->journal.set_storage_low(low);
}

void CoordinatorHost::put_content(const Digest& digest, std::uint64_t size,
                                  const Identity& identity, std::function<void()> stored) {
    if (!process_ || !process_->turn) return;
    files_.insert(digest);
    process_->shown.add(identity, digest);
    const std::uint64_t ticket = ++process_->tickets;
    process_->store_requests.push_back({ticket, digest, size, identity});
    process_->stored.emplace(ticket, std::move(stored));
    plan_turn(stage_.world.now());
}

SendStatus CoordinatorHost::send(std::size_t, const Frames& frames) {
    auto message = wire::decode(edge::split_frames(frames).message);
    if (!message) {
        stage_.world.violate("the coordinator says what cannot be read");
        return SendStatus::kSent;
    }
    stage_.promises.said(*message);
    if (const auto* refusal = std::get_if<wire::ErrorReply>(&message->body)) {
        stage_.coverage.refused(refusal->code);
    }
    const SendStatus status = stage_.network.answer(frames);
    stage_.world.note(kName, "-> " + frames.front() + " " + describe_message(*message) +
                                 (status == SendStatus::kSent   ? ""
                                  : status == SendStatus::kGone ? " (gone)"
                                                                : " (full)"));
    return status;
}

void CoordinatorHost::receive(std::size_t door, Received received) {
    if (!process_ || !process_->turn) return;
    process_->inbox.emplace_back(door, std::move(received));
    plan_turn(stage_.world.now() + millis(rng_.between(0, 1)));
}

}  // namespace zq::sim
