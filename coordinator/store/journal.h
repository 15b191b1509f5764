// The journal as the coordinator sees it: tasks and events, never SQL. It is the truth; projections
// of it (tasks, attempts, contents) follow from it, and may trail a little behind what is
// committed. Bodies: SQLite (sqlite_journal.h) and memory (memory_journal.h); one conformance suite
// holds for all.
//
// A body runs its commits on a thread of its own (or none); everything here is called by the loop's
// thread. Appends are ordered; the first failure poisons the journal: every later append fails too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/apply.h"
#include "coordinator/core/event.h"
#include "coordinator/store/reader.h"

namespace zq::store {

/// Content that lies in the journal's own database.
struct InlineContent {
    Digest digest;
    std::string data;
};

/// One commit: events with consecutive seqs, the records they changed as of the last one, and the
/// inline contents they speak of.
struct Batch {
    std::vector<core::Event> events;  // not empty
    core::Changes changes;
    std::vector<InlineContent> contents;
};

enum class CommitStatus : std::uint8_t {
    kCommitted,
    kFull,     // the disk is full and nothing of the batch is stored; the same batch may come
               // again, unless the journal was closed while it waited for room by itself
    kFenced,   // another coordinator has acquired the journal
    kUnknown,  // the outcome can't be known: say nothing, stop, replay
};

struct CommitResult {
    CommitStatus status = CommitStatus::kCommitted;
    Seq last_seq = 0;     // of the batch
    Digest chain_head;    // after it
    std::string message;  // of a failure
};

/// What a start finds: the durable state as of `last_seq`, with open tasks only.
struct Recovery {
    JournalId journal = 0;
    Epoch epoch = 0;  // of the last start; the caller's own is one more
    Seq last_seq = 0;
    Instant last_at;
    std::uint64_t last_token = 0;
    Digest chain_head;
    std::uint64_t open_tasks = 0;
};

class Journal {
  public:
    virtual ~Journal() = default;

    /// Takes the journal for this process and restores `state` from it (which must be new). The
    /// caller appends EpochStarted with epoch + 1 first, then calls `settle`. Errors: IO (with what
    /// to do), CONFLICT (another process has it).
    virtual Result<Recovery> acquire(core::State& state) = 0;

    /// Makes everything that can be read durable (rows that a killed process wrote but never synced
    /// included). Before it succeeds nothing may be said to a peer. Waits.
    virtual Result<void> settle() = 0;

    /// Hands a batch over; its seqs must follow the last appended one. The result comes out of
    /// `results`, in order.
    virtual void append(Batch batch) = 0;

    /// The same for a caller that has nothing else to do meanwhile: where a body can, it commits
    /// here and now, and `results` has the outcome. True: it has.
    virtual bool append_now(Batch batch) {
        append(std::move(batch));
        return false;
    }

    /// Takes what has been committed or has failed since the last call. Never waits.
    virtual std::vector<CommitResult> results() = 0;

    /// Readable (poll it) when `results` has something, or the tables have caught up a part; -1 if
    /// results come at once.
    virtual int results_fd() const = 0;

    /// Batches handed over whose result has not been taken, and an estimate of their bytes.
    virtual std::size_t uncommitted_batches() const = 0;
    virtual std::size_t uncommitted_bytes() const = 0;

    /// True while the disk is below its low-water mark, or a full disk has used up the reserve:
    /// submits are to be refused, so that completions still land. Any thread may ask.
    virtual bool storage_low() const = 0;

    /// True while a batch that did not fit is tried again and again: no result comes before there
    /// is room. Any thread may ask. Bodies that give kFull instead never wait.
    virtual bool waits_for_room() const { return false; }

    /// Until when this process is the only one that may append; kNever for bodies that lock.
    virtual Instant leadership_until() const = 0;

    /// Statistics trail behind the other tables: from now on a reader finds all as it is committed,
    /// unless the disk is full or does not answer. Waits for what is being written just now, though
    /// not for long.
    virtual void catch_up() {}

    /// A reader of committed data, for one thread of the caller's choice. Valid while the journal
    /// is. Where the tables trail behind, a question to it waits until they do not, though not for
    /// long.
    virtual Result<std::unique_ptr<Reader>> open_reader() = 0;

    /// The same that never waits: it sees everything up to `projected` and perhaps more. For who
    /// knows from memory what came after.
    virtual Result<std::unique_ptr<Reader>> open_trailing_reader() { return open_reader(); }
    /// Events up to this one are in the tables.
    virtual Seq projected() const = 0;
    /// Somebody waits to read what is committed, up to this event: `results_fd` tells when
    /// `projected` has moved.
    virtual void project_soon(Seq /*upto*/) {}
    /// So much is committed and not in the tables yet that nothing more should be decided.
    virtual bool trails_far() const { return false; }

    /// Commits what was handed over, checkpoints, closes. Afterwards only the destructor.
    virtual Result<void> close() = 0;
};

}  // namespace zq::store
