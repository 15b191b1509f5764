#include "coordinator/retention_desk.h"

#include <algorithm>

#include "common/platform/log.h"
#include "coordinator/retention_due.h"

namespace zq::coordinator {
namespace {

constexpr std::size_t kTasks = 64;      // of a slice
constexpr std::size_t kContents = 256;  // of a slice, and of one order
constexpr std::size_t kStartFiles = 1'000'000;
constexpr std::size_t kFilesBehind = 4'096;  // condemned and not yet removed

constexpr TaskState kFinished[] = {TaskState::kCompleted, TaskState::kSkipped,
                                   TaskState::kCancelled};
constexpr TaskState kDead[] = {TaskState::kDead, TaskState::kExpired};

}  // namespace

RetentionDesk::RetentionDesk(const RetentionParts& parts) : parts_(parts) {}

Millis RetentionDesk::every() const {
    return retention_interval(parts_.pipeline.policy());
}

Result<void> RetentionDesk::start(Instant now) {
    next_at_ = now + every();
    auto last = parts_.reader.last_condemned();
    if (!last) return Failure(last.error());
    last_condemned_ = *last;
    if (*last == 0) return {};
    auto event = parts_.reader.events(*last - 1, 1, std::nullopt);
    if (!event) return Failure(event.error());
    Seq done = 0;
    if (!event->empty()) {
        const auto* body = std::get_if<core::ContentsCondemned>(&event->front().event.body);
        if (body != nullptr) done = body->removed_upto;
    }
    auto left = parts_.reader.condemned_after(done, kStartFiles);
    if (!left) return Failure(left.error());
    for (const auto& [seq, digest] : *left) waiting_.emplace(digest, seq);
    return {};
}

void RetentionDesk::step(Instant now) {
    order_removals();
    if (!pass_) {
        if (next_at_ > now || !is_settled()) return;
        if (auto ok = begin({}, {}, now); !ok) {
            next_at_ = now + every();
            return log_error("retention cannot read", {{"error", ok.error().message}});
        }
    }
    if (!pass_->looked) {
        // One slice uncommitted at most: with more the loop would read nothing for as long as a
        // pass lasts. And what has gone by age is held by no row any more when bytes are counted.
        if (parts_.pipeline.is_full() || !is_settled()) return;
        if (is_behind()) {
            // A backup may take long: what is left comes with the next pass.
            if (!files_leave()) pass_->looked = true;
            return;
        }
        if (auto ok = look(now); !ok) {
            log_error("retention cannot read", {{"error", ok.error().message}});
            pass_->looked = true;
        }
    }
    if (pass_->looked && is_settled() && !files_leave()) end_pass(now);
}

/// Everything that passes have decided is durable, and what a reader sees.
bool RetentionDesk::is_settled() const {
    return parts_.pipeline.readable_seq() >= last_event_;
}

/// Files are on their way out, and nothing holds them back.
bool RetentionDesk::files_leave() const {
    if (parts_.backups != nullptr && parts_.backups->is_running()) return false;
    return !waiting_.empty() || !ordered_.empty();
}

bool RetentionDesk::is_behind() const {
    return waiting_.size() + ordered_.size() > kFilesBehind;
}

Instant RetentionDesk::next_deadline() const {
    if (!pass_) return next_at_;
    // What it waits for otherwise wakes the loop by itself.
    return pass_->looked || is_behind() || !is_settled() ? kNever : Instant{};
}

Result<void> RetentionDesk::begin(const wire::Gc& gc, const ClientId& client, Instant now) {
    hurried_ = false;
    Pass pass;
    pass.gc = gc;
    pass.client = client;
    pass.begun = now;
    auto roles = parts_.reader.task_roles(kDefaultNamespace);
    if (!roles) return Failure(roles.error());
    using Age = core::RetentionDue;
    for (const Age due : {Age::kTask, Age::kLogs, Age::kArtifacts}) {
        for (const RoleName& role : *roles) {
            if (!gc.role.empty() && role != gc.role) continue;
            const core::Retention& retention = core::retention_of(parts_.pipeline.policy(), role);
            const auto add = [&](TaskState state) {
                if (age_of(retention, state, due).count == 0) return;
                pass.sources.push_back({{kDefaultNamespace, role}, state, due});
            };
            for (const TaskState state : kFinished) add(state);
            if (due != Age::kTask) continue;
            for (const TaskState state : kDead) add(state);
        }
    }
    pass_ = std::move(pass);
    return {};
}

Result<void> RetentionDesk::look(Instant now) {
    if (pass_->source < pass_->sources.size()) return look_at_tasks(now);
    if (!pass_->excess) return find_excess();
    if (!pass_->excess->empty()) return look_at_bytes(now);
    if (pass_->gc.role.empty()) return look_at_contents(now);
    pass_->looked = true;
    return {};
}

Result<void> RetentionDesk::look_at_tasks(Instant now) {
    const Source source = pass_->sources[pass_->source];
    const core::Retention& retention =
        core::retention_of(parts_.pipeline.policy(), source.role.role);
    const Millis age = age_of(retention, source.state, source.due);
    if (pass_->after == 0 && source.due != core::RetentionDue::kTask) {
        pass_->after = passed_[source];
    }
    auto tasks = parts_.reader.ended_tasks(source.role, source.state, pass_->after, kTasks);
    if (!tasks) return Failure(tasks.error());
    core::Retain retain;
    bool more = tasks->size() == kTasks;
    for (const core::Task& task : *tasks) {
        // What is in memory has changed since: it comes again.
        if (task.ended_at + age > pass_->begun ||
            core::find_task(parts_.pipeline.state(), task.key) != nullptr) {
            more = false;
            break;
        }
        pass_->after = task.changed_seq;
        // It goes as a whole.
        const bool whole = source.due != core::RetentionDue::kTask &&
                           retention.finished.count > 0 &&
                           task.ended_at + retention.finished <= pass_->begun;
        if (whole) continue;
        auto found = ended_task(parts_.reader, task, source.due);
        if (!found) return Failure(found.error());
        if (*found) retain.tasks.push_back(std::move(**found));
    }
    if (!pass_->gc.dry_run && source.due != core::RetentionDue::kTask) {
        passed_[source] = std::max(passed_[source], pass_->after);
    }
    const std::uint64_t bytes = carry_out(std::move(retain), source.role.role, now);
    if (pass_->gc.dry_run) pass_->aged[{source.role.role, is_dead(source.state)}] += bytes;
    if (more) return {};
    ++pass_->source;
    pass_->after = 0;
    return {};
}

Result<void> RetentionDesk::find_excess() {
    std::vector<Excess> found;
    auto totals = parts_.reader.held_totals();
    if (!totals) return Failure(totals.error());
    for (const store::HeldTotal& total : *totals) {
        const RoleName& role = total.role.role;
        if (!pass_->gc.role.empty() && role != pass_->gc.role) continue;
        const std::uint64_t bound =
            bound_of(core::retention_of(parts_.pipeline.policy(), role), total.dead);
        const std::uint64_t aged = pass_->aged[{role, total.dead}];
        const std::uint64_t held = total.bytes - std::min(total.bytes, aged);
        if (bound > 0 && held > bound) found.push_back({total.role, total.dead, held, bound, 0});
    }
    pass_->excess = std::move(found);
    return {};
}

/// The last of them: the tasks that ended first, until the rest is no more than they may hold.
Result<void> RetentionDesk::look_at_bytes(Instant now) {
    Excess& excess = pass_->excess->back();
    const RoleName role = excess.role.role;
    auto tasks = parts_.reader.holding_tasks(excess.role, excess.dead, excess.after, kTasks);
    if (!tasks) return Failure(tasks.error());
    core::Retain retain;
    retain.held = excess.held;
    bool more = tasks->size() == kTasks;
    for (const core::Task& task : *tasks) {
        // What is in memory has changed since: it comes again.
        if (excess.held <= excess.bound ||
            core::find_task(parts_.pipeline.state(), task.key) != nullptr) {
            more = false;
            break;
        }
        excess.after = task.changed_seq;
        auto found = ended_task(parts_.reader, task, core::RetentionDue::kBytes);
        if (!found) return Failure(found.error());
        core::EndedTask& ended = **found;
        if (pass_->gc.dry_run) {
            leave_out_aged(ended, core::retention_of(parts_.pipeline.policy(), role), pass_->begun);
        }
        const std::uint64_t bytes = ended.log_bytes + ended.artifact_bytes;
        if (bytes == 0) continue;
        excess.held -= std::min(excess.held, bytes);
        retain.tasks.push_back(std::move(ended));
    }
    if (!more) pass_->excess->pop_back();
    carry_out(std::move(retain), role, now);
    return {};
}

Result<void> RetentionDesk::look_at_contents(Instant now) {
    const Instant before = pass_->begun - parts_.pipeline.policy().unreferenced;
    core::Retain retain;
    auto contents = parts_.reader.unused_contents(pass_->after_content, before, kContents);
    if (!contents) return Failure(contents.error());
    if (contents->size() < kContents) pass_->looked = true;
    if (contents->empty()) return {};
    pass_->after_content = {contents->back().since, contents->back().digest};
    retain.contents = std::move(*contents);
    carry_out(std::move(retain), {}, now);
    return {};
}

/// How many bytes tasks let go, or would.
std::uint64_t RetentionDesk::carry_out(core::Retain retain, const RoleName& role, Instant now) {
    if (retain.tasks.empty() && retain.contents.empty()) return 0;
    retain.begun = pass_->begun;
    retain.removed_upto = removed_upto();
    core::Command command;
    command.now = now;
    command.identity = kSystemIdentity;
    command.body = std::move(retain);
    core::Decision decision = parts_.pipeline.decide(command);
    std::uint64_t bytes = 0;
    for (const core::Event& event : decision.events) bytes += count(event, role);
    if (pass_->gc.dry_run || decision.events.empty()) return bytes;
    std::vector<Digest> files;
    for (const core::Event& event : decision.events) {
        const auto* body = std::get_if<core::ContentsCondemned>(&event.body);
        if (body == nullptr) continue;
        for (const core::CondemnedContent& content : body->contents) {
            if (!content.inlined) files.push_back(content.digest);
        }
    }
    const bool condemns =
        std::holds_alternative<core::ContentsCondemned>(decision.events.back().body);
    parts_.pipeline.accept(std::move(decision), command);
    last_event_ = parts_.pipeline.state().durable.last_seq;
    told_ = false;
    if (condemns) last_condemned_ = last_event_;
    for (const Digest& digest : files) waiting_[digest] = last_event_;
    return bytes;
}

void RetentionDesk::add(const std::string& kind, const RoleName& role, RetentionRule rule,
                        Count what) {
    Count& total = pass_->counts[{kind, role, rule}];
    total.count += what.count;
    total.bytes += what.bytes;
    if (pass_->gc.dry_run) return;
    parts_.counters.count("removed_" + kind, what.count);
    parts_.counters.count("removed_" + kind + "_bytes", what.bytes);
}

/// The bytes that a task lets go.
std::uint64_t RetentionDesk::count(const core::Event& event, const RoleName& role) {
    if (const auto* task = std::get_if<core::TaskRemoved>(&event.body)) {
        add("tasks", role, task->rule, {1, task->bytes});
        return task->bytes;
    }
    if (const auto* removed = std::get_if<core::ArtifactsRemoved>(&event.body)) {
        add(std::string(to_string(removed->kind)), role, removed->rule,
            {removed->released.size(), removed->bytes});
        return removed->bytes;
    }
    if (const auto* body = std::get_if<core::ContentsCondemned>(&event.body)) {
        for (const core::CondemnedContent& content : body->contents) {
            add("contents", role, RetentionRule::kAge, {1, content.size});
        }
    }
    return 0;
}

wire::GcReply RetentionDesk::reply_of(const Pass& pass, wire::GcState state) {
    wire::GcReply reply;
    reply.state = state;
    for (const auto& [what, total] : pass.counts) {
        const auto& [kind, role, rule] = what;
        reply.removed.push_back({kind, role, total.count, total.bytes, rule});
    }
    return reply;
}

void RetentionDesk::end_pass(Instant now) {
    if (!pass_->gc.dry_run) {
        for (const auto& [what, total] : pass_->counts) {
            const auto& [kind, role, rule] = what;
            log_info("retention removed", {{"kind", kind},
                                           {"role", role.text},
                                           {"rule", std::string(to_string(rule))},
                                           {"count", std::to_string(total.count)},
                                           {"bytes", std::to_string(total.bytes)}});
        }
    }
    if (pass_->client.empty()) {
        next_at_ = now + every();
    } else {
        last_ = std::pair(pass_->client, reply_of(*pass_, wire::GcState::kDone));
    }
    if (hurried_) next_at_ = {};
    pass_.reset();
}

void RetentionDesk::hurry() {
    hurried_ = true;
    last_event_ = parts_.pipeline.state().durable.last_seq;
    if (!pass_) next_at_ = {};
}

Result<wire::GcReply> RetentionDesk::ask(const wire::Gc& gc, const ClientId& client, Instant now) {
    if (pass_) {
        const bool same = pass_->client == client && !client.empty();
        if (same) return reply_of(*pass_, wire::GcState::kRunning);
    } else if (last_ && last_->first == client) {
        return last_->second;
    }
    if (pass_ || !is_settled()) {
        return Failure(Error{ErrorCode::BUSY, "retention is at work: ask again", {}, millis(200)});
    }
    if (auto ok = begin(gc, client, now); !ok) return Failure(ok.error());
    return reply_of(*pass_, wire::GcState::kRunning);
}

void RetentionDesk::note_policy(Instant now) {
    next_at_ = std::min(next_at_, now + every());
    passed_.clear();
    if (!pass_) return;
    Pass old = std::move(*pass_);
    if (auto ok = begin(old.gc, old.client, now); !ok) {
        log_error("retention cannot read", {{"error", ok.error().message}});
        old.looked = true;  // what it has done so far is all it does
        pass_ = std::move(old);
        return;
    }
    // What it has removed is removed; a dry run counts anew.
    if (!old.gc.dry_run) pass_->counts = std::move(old.counts);
}

/// Only what is durably condemned; nothing while a backup may still take it.
void RetentionDesk::order_removals() {
    if (!told_ && is_settled()) {
        told_ = true;
        parts_.orders.put({});
    }
    if (waiting_.empty() || !ordered_.empty()) return;
    if (parts_.backups != nullptr && parts_.backups->is_running()) return;
    RemoveOrder order;
    for (auto at = waiting_.begin(); at != waiting_.end() && order.digests.size() < kContents;) {
        if (at->second > parts_.pipeline.readable_seq()) {
            ++at;
            continue;
        }
        order.digests.push_back(at->first);
        ordered_.insert(waiting_.extract(at++));
    }
    if (!order.digests.empty()) parts_.orders.put(std::move(order));
}

void RetentionDesk::removed(const std::vector<Digest>& digests) {
    for (const Digest& digest : digests) ordered_.erase(digest);
}

bool RetentionDesk::keep(const Digest& digest) {
    if (ordered_.contains(digest)) return false;
    waiting_.erase(digest);
    return true;
}

/// Files of all events up to it are gone, or were kept.
Seq RetentionDesk::removed_upto() const {
    Seq upto = last_condemned_;
    for (const auto* files : {&waiting_, &ordered_}) {
        for (const auto& [digest, seq] : *files) upto = std::min(upto, seq - 1);
    }
    return upto;
}

}  // namespace zq::coordinator
