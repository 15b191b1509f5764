// The journal in memory, for tests and simulation: the same contract, results at once, no thread.
// What a disk would hold lies in a MemoryDisk that outlives the journal, so that a crash is a
// journal that is thrown away, and a restart is a new one on the same disk.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "coordinator/core/state.h"
#include "coordinator/store/journal.h"

namespace zq::store {

struct MemoryContent {
    ContentPlace place;
    std::string data;  // of inline content
};

struct MemoryUse {
    std::uint64_t refs = 0;
    Instant since;
};

/// Everything that is durable. Comparable to the SQLite journal table by table.
struct MemoryDisk {
    JournalId journal = 1;
    bool held = false;    // by a journal that has acquired it
    bool settled = true;  // false: it shows batches that a power cut would still take back
    Epoch epoch = 0;
    std::uint64_t last_token = 0;
    Instant last_at;
    Digest chain_head;
    std::vector<ChainedEvent> events;  // events[i] has seq i + 1
    std::map<TaskKey, core::Task> tasks;
    std::map<std::pair<TaskKey, std::uint32_t>, core::Attempt> attempts;
    std::map<Digest, MemoryContent> contents;
    std::map<Digest, MemoryUse> uses;
    std::map<Digest, std::pair<Seq, Instant>> condemned;
    std::map<std::tuple<Seq, RemovedKind, Seq>, Removal> removals;  // by submitted_seq
    std::set<RoleKey> roles_served;
    std::map<core::RequestKey, core::RequestRecord> requests;
    std::map<core::ControlKey, core::Control> controls;
    std::map<std::string, KeyAccess> access;
    std::map<RollupKey, Rollup> rollups;
};

/// When a batch counts as durable.
enum class MemorySync : std::uint8_t {
    kAtOnce,  // when it is appended
    kByHand,  // when `sync` is called; until then it has no result, and a crash loses it
};

class MemoryJournal : public Journal {
  public:
    /// `disk` must outlive the journal.
    MemoryJournal(MemoryDisk& disk, MemorySync sync);
    /// A crash: what is not synced is lost. The disk is free for the next journal.
    ~MemoryJournal() override;

    Result<Recovery> acquire(core::State& state) override;
    Result<void> settle() override;
    void append(Batch batch) override;
    std::vector<CommitResult> results() override;
    int results_fd() const override { return -1; }
    std::size_t uncommitted_batches() const override;
    std::size_t uncommitted_bytes() const override;
    bool storage_low() const override { return storage_low_; }
    Instant leadership_until() const override { return kNever; }
    Result<std::unique_ptr<Reader>> open_reader() override;
    Seq projected() const override { return disk_.events.size(); }
    Result<void> close() override;

    /// Makes appended batches durable, in order, so many at most.
    void sync(std::size_t batches = SIZE_MAX);
    /// From now on appended batches count as durable by this rule.
    void set_sync(MemorySync sync) { sync_ = sync; }
    /// The process is killed: of what is not synced the first `kept` batches are on the disk all
    /// the same, never one without those before it. Afterwards only the destructor.
    void tear(std::size_t kept);
    /// The next batch that would be made durable fails so instead; kUnknown fails all later ones
    /// too.
    void fail_next(CommitStatus status) { failure_ = status; }
    void set_storage_low(bool low) { storage_low_ = low; }
    std::size_t unsynced_batches() const { return unsynced_.size(); }

  private:
    CommitResult commit(Batch batch);

    MemoryDisk& disk_;
    MemorySync sync_;
    bool acquired_ = false;
    bool storage_low_ = false;
    std::optional<CommitStatus> failure_;
    Seq next_seq_ = 1;
    std::deque<Batch> unsynced_;
    std::vector<CommitResult> results_;
};

/// Reads a disk; sees what is synced.
std::unique_ptr<Reader> open_memory_reader(const MemoryDisk& disk);

}  // namespace zq::store
