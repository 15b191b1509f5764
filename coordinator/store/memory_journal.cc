#include "coordinator/store/memory_journal.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/platform/digest.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/event_codec.h"

namespace zq::store {
namespace {

void store_content(MemoryDisk& disk, const core::ContentStored& body, const Batch& batch) {
    if (disk.contents.contains(body.digest)) return;
    MemoryContent content{{body.digest, body.size, body.inlined, body.secrets}, {}};
    if (body.inlined) {
        auto data = std::find_if(batch.contents.begin(), batch.contents.end(),
                                 [&](const InlineContent& c) { return c.digest == body.digest; });
        ZQ_CHECK(data != batch.contents.end() && data->data.size() == body.size);
        content.data = data->data;
    }
    disk.contents.emplace(body.digest, std::move(content));
}

void condemn(MemoryDisk& disk, const core::Event& event, const core::ContentsCondemned& body) {
    for (const core::CondemnedContent& content : body.contents) {
        ZQ_CHECK(disk.uses.at(content.digest).refs == 0);
        disk.uses.erase(content.digest);
        disk.contents.erase(content.digest);
        disk.condemned.insert_or_assign(content.digest, std::pair(event.seq, event.at));
    }
}

void remove_task(MemoryDisk& disk, const TaskKey& key, Seq submitted_seq) {
    disk.tasks.erase(key);
    std::erase_if(disk.attempts, [&](const auto& entry) { return entry.first.first == key; });
    std::erase_if(disk.removals,
                  [&](const auto& entry) { return std::get<0>(entry.first) == submitted_seq; });
}

/// References, and what retention removes.
void count(MemoryDisk& disk, const core::Event& event) {
    const ReferenceChange change = references_of(event.body);
    for (const Digest& digest : change.gained) {
        auto [at, added] = disk.uses.emplace(digest, MemoryUse{0, event.at});
        ++at->second.refs;
    }
    for (const Digest& digest : change.released) {
        MemoryUse& use = disk.uses.at(digest);
        ZQ_CHECK(use.refs > 0);
        --use.refs;
        use.since = std::max(use.since, event.at);
    }
    if (const auto* stored = std::get_if<core::ContentStored>(&event.body)) {
        disk.uses[stored->digest].since = event.at;
    } else if (const auto* condemned = std::get_if<core::ContentsCondemned>(&event.body)) {
        condemn(disk, event, *condemned);
    } else if (const auto* artifacts = std::get_if<core::ArtifactsRemoved>(&event.body)) {
        const auto key = std::tuple(artifacts->submitted_seq, artifacts->kind, event.seq);
        const bool added =
            disk.removals.emplace(key, Removal{artifacts->kind, event.seq, event.at}).second;
        ZQ_CHECK(added);
    } else if (const auto* task = std::get_if<core::TaskRemoved>(&event.body)) {
        remove_task(disk, event.task, task->submitted_seq);
    }
}

void erase_texts(MemoryDisk& disk, const core::TextsErased& body) {
    for (const core::ErasedBody& erased : body.bodies) {
        core::EventBody& stored = disk.events.at(erased.seq - 1).event.body;
        stored = core::redacted(std::move(stored));
        ZQ_CHECK(sha256(encode_body(stored)) == erased.digest);
    }
    for (const Digest& digest : body.contents) {
        const auto use = disk.uses.find(digest);
        if (use != disk.uses.end() && use->second.refs == 0) use->second.since = Instant{1};
    }
}

/// By the rule of core/apply_control.cc.
void change_control(MemoryDisk& disk, const core::Event& event, const core::ControlChanged& body) {
    std::erase_if(disk.controls, [&](const auto& entry) {
        return core::only_held(entry.second) && entry.second.held_until < event.at;
    });
    const core::ControlKey key{event.task.ns, body.kind, body.name};
    disk.controls.erase(key);
    if (body.control != core::Control{}) disk.controls.emplace(key, body.control);
}

void project(MemoryDisk& disk, const core::Event& event, const Batch& batch) {
    count(disk, event);
    if (const auto* started = std::get_if<core::EpochStarted>(&event.body)) {
        disk.journal = started->journal;
        disk.epoch = event.epoch;
        disk.last_token = static_cast<std::uint64_t>(event.epoch) << 32;
    } else if (const auto* assigned = std::get_if<core::TaskAssigned>(&event.body)) {
        disk.last_token = assigned->lease.token.number;
    } else if (const auto* served = std::get_if<core::RoleServed>(&event.body)) {
        disk.roles_served.insert({event.task.ns, served->role});
    } else if (const auto* changed = std::get_if<core::ControlChanged>(&event.body)) {
        change_control(disk, event, *changed);
    } else if (const auto* access = std::get_if<core::AccessChanged>(&event.body)) {
        disk.access.erase(access->fingerprint);
        if (access->access) disk.access.emplace(access->fingerprint, *access->access);
    } else if (const auto* erased = std::get_if<core::TextsErased>(&event.body)) {
        erase_texts(disk, *erased);
    } else if (const auto* stored = std::get_if<core::ContentStored>(&event.body)) {
        store_content(disk, *stored, batch);
    } else if (const auto* recorded = std::get_if<core::RequestRecorded>(&event.body)) {
        const core::RequestKey key{event.identity, recorded->client, recorded->request};
        const bool inserted =
            disk.requests.emplace(key, core::RequestRecord{event.task, recorded->token, event.at})
                .second;
        ZQ_CHECK(inserted);
        std::erase_if(disk.requests, [&](const auto& entry) {
            return entry.second.at < event.at - limits::kRequestMemory;
        });
    }
}

/// The record of an event's task: after its batch, or, of a dead one that is removed, before it.
const core::Task* task_of(const MemoryDisk& disk, const core::Event& event, const Batch& batch) {
    if (const auto* removed = std::get_if<core::TaskRemoved>(&event.body)) {
        const auto at = disk.tasks.find(event.task);
        const bool known = at != disk.tasks.end() && is_dead(at->second.state) &&
                           at->second.submitted_seq == removed->submitted_seq;
        return known ? &at->second : nullptr;
    }
    return changed_task(batch.changes, event.task);
}

/// The key itself, or that of all other names, where its bucket holds as many as it may.
RollupKey bounded(const MemoryDisk& disk, RollupKey key) {
    if (disk.rollups.contains(key)) return key;
    RollupKey first = key;
    first.name.clear();
    std::size_t names = 0;
    for (auto at = disk.rollups.lower_bound(first); at != disk.rollups.end(); ++at, ++names) {
        first.name = at->first.name;
        if (at->first != first) break;
    }
    if (names >= limits::kRollupNames) key.name = kOtherNames;
    return key;
}

/// Adds what a batch has counted; old buckets leave.
void keep(MemoryDisk& disk, const RollupSum& sum) {
    for (const auto& entry : sum.sums()) {
        const RollupKey& key = entry.first;
        disk.rollups[bounded(disk, key)].add(entry.second);
        const auto* span = std::find_if(kRollupSpans.begin(), kRollupSpans.end(),
                                        [&](const RollupSpan& s) { return s.length == key.span; });
        const RollupKey from{key.ns, key.by, key.span, {}, {}};
        const RollupKey upto{key.ns, key.by, key.span, key.start - span->kept, {}};
        disk.rollups.erase(disk.rollups.lower_bound(from), disk.rollups.lower_bound(upto));
    }
}

void store_event(MemoryDisk& disk, const core::Event& event) {
    const Digest body_digest = sha256(encode_body(event.body));
    const std::string header = header_bytes(event, kind_number(event.body), kBodyVersion);
    disk.chain_head = chain_hash(disk.chain_head, header, body_digest);
    disk.last_at = std::max(disk.last_at, event.at);
    disk.events.push_back({event, body_digest, disk.chain_head});
}

/// Few: so that tests see many leave and come back.
constexpr std::size_t kTasksInMemory = 4;

class MemoryTaskRecords : public core::TaskRecords {
  public:
    explicit MemoryTaskRecords(const MemoryDisk& disk) : disk_(disk) {}
    core::Task load(const TaskKey& key) override { return disk_.tasks.at(key); }

  private:
    const MemoryDisk& disk_;
};

}  // namespace

MemoryJournal::MemoryJournal(MemoryDisk& disk, MemorySync sync) : disk_(disk), sync_(sync) {}

MemoryJournal::~MemoryJournal() {
    if (acquired_) disk_.held = false;
}

Result<Recovery> MemoryJournal::acquire(core::State& state) {
    ZQ_CHECK(!acquired_);
    if (disk_.held) return fail(ErrorCode::CONFLICT, "another coordinator is using this journal");
    disk_.held = acquired_ = true;
    const Seq last_seq = disk_.events.size();
    next_seq_ = last_seq + 1;
    state.durable.open.rest_in(std::make_shared<MemoryTaskRecords>(disk_), kTasksInMemory);
    core::restore(state, disk_.journal, disk_.epoch, disk_.last_token, last_seq, disk_.last_at);
    for (const RoleKey& role : disk_.roles_served) core::restore(state, role);
    for (const auto& [key, record] : disk_.requests) core::restore(state, key, record);
    for (const auto& [key, control] : disk_.controls) core::restore(state, key, control);
    for (const auto& [key, access] : disk_.access) core::restore(state, key, access);
    std::uint64_t open = 0;
    for (const auto& [key, task] : disk_.tasks) {
        if (is_final(task.state)) continue;
        core::restore(state, task);
        ++open;
    }
    return Recovery{disk_.journal,    disk_.epoch,      last_seq, disk_.last_at,
                    disk_.last_token, disk_.chain_head, open};
}

Result<void> MemoryJournal::settle() {
    sync();
    disk_.settled = true;
    return {};
}

void MemoryJournal::append(Batch batch) {
    ZQ_CHECK(acquired_ && !batch.events.empty() && batch.events.front().seq == next_seq_);
    next_seq_ = batch.events.back().seq + 1;
    unsynced_.push_back(std::move(batch));
    if (sync_ == MemorySync::kAtOnce) sync();
}

void MemoryJournal::sync(std::size_t batches) {
    for (std::size_t i = 0; i < batches && !unsynced_.empty(); ++i) {
        Batch batch = std::move(unsynced_.front());
        unsynced_.pop_front();
        results_.push_back(commit(std::move(batch)));
    }
}

void MemoryJournal::tear(std::size_t kept) {
    failure_.reset();
    sync(kept);
    unsynced_.clear();
}

CommitResult MemoryJournal::commit(Batch batch) {
    const Seq first_seq = batch.events.front().seq;
    const Seq last_seq = batch.events.back().seq;
    const bool follows = first_seq == disk_.events.size() + 1;
    if (failure_ || !follows) {
        const CommitStatus status = failure_.value_or(CommitStatus::kFull);
        if (status == CommitStatus::kFull) {
            next_seq_ = std::min(next_seq_, first_seq);
            failure_.reset();
        }
        return {status, last_seq, {}, "a failure was asked for"};
    }
    RollupSum sum;
    for (std::size_t i = 0; i < batch.events.size(); ++i) {
        ZQ_CHECK(batch.events[i].seq == first_seq + i);
        store_event(disk_, batch.events[i]);
        sum.add(batch.events[i], task_of(disk_, batch.events[i], batch));
        project(disk_, batch.events[i], batch);
    }
    for (const Shared<core::Task>& task : batch.changes.tasks) {
        disk_.tasks.insert_or_assign(task->key, *task);
    }
    for (core::Attempt& attempt : batch.changes.attempts) {
        const auto key = std::pair(attempt.task, attempt.attempt);
        disk_.attempts.insert_or_assign(key, std::move(attempt));
    }
    keep(disk_, sum);
    return {CommitStatus::kCommitted, last_seq, disk_.chain_head, {}};
}

std::vector<CommitResult> MemoryJournal::results() {
    return std::exchange(results_, {});
}

std::size_t MemoryJournal::uncommitted_batches() const {
    return unsynced_.size() + results_.size();
}

std::size_t MemoryJournal::uncommitted_bytes() const {
    std::size_t events = 0;
    for (const Batch& batch : unsynced_) events += batch.events.size();
    return events * 512;
}

Result<std::unique_ptr<Reader>> MemoryJournal::open_reader() {
    return open_memory_reader(disk_);
}

Result<void> MemoryJournal::close() {
    sync();
    return {};
}

}  // namespace zq::store
