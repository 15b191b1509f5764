// Writes one batch into the database: its events, and everything that follows from them. Begins and
// ends no transaction; chooses nothing about failure (projector.h does).
#pragma once

#include <vector>

#include "coordinator/store/event_rows.h"
#include "coordinator/store/held_writer.h"
#include "coordinator/store/journal.h"
#include "coordinator/store/rollup_writer.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/use_writer.h"

namespace zq::store {

/// The columns of a task's row that repeat fields of its record: written here, searched by the
/// reader, compared by verify. Views into the task they were made from.
struct TaskColumns {
    std::string_view state;
    bool ended = false;
    std::string_view role;
    std::string_view group;
    std::string_view sender;
    std::string_view reply_to;
    std::string_view idempotency_key;
    friend bool operator==(const TaskColumns&, const TaskColumns&) = default;
};
TaskColumns columns_of(const core::Task& task);

/// The one row of `meta`.
struct Meta {
    JournalId journal = 0;
    Epoch epoch = 0;
    std::uint64_t last_token = 0;
    Seq last_seq = 0;
    Instant last_at;
    Digest chain_head;
};
Result<Meta> read_meta(Database& database);

class BatchWriter {
  public:
    /// Prepares its statements; `database` must outlive it.
    static Result<BatchWriter> open(Database& database);

    /// Writes the batch after `before`, with the rows of its events; gives what `meta` says after
    /// it. The batch must follow on (checked). Errors: those of the database; the transaction must
    /// then be rolled back.
    Result<Meta> write(const Batch& batch, const std::vector<EventRow>& rows, const Meta& before);

    /// What of the rows trails behind the last committed batch, which led to `meta`, in a
    /// transaction of the caller's; `forget_trailing` where that was not committed.
    bool trails(const Meta& meta) { return rollups_.trails(meta.last_seq); }
    Result<void> catch_up(const Meta& meta) { return rollups_.catch_up(meta.last_seq); }
    void forget_trailing() { rollups_.forget(); }
    /// At a start, in a transaction of the caller's: finds what a killed process left trailing.
    Result<void> find_trailing(const Meta& meta) { return rollups_.recount(meta.last_seq); }

    /// Writes the rows of records alone, where their events are stored already.
    Result<void> project(const core::Changes& changes);
    Result<void> write_meta(const Meta& meta);
    Result<void> put_access(const std::string& fingerprint, const KeyAccess& access);
    Result<void> put_control(const core::ControlKey& key, const core::Control& control);
    /// What a stored event says that retention removed: the rows again, references aside.
    Result<void> remove_again(const core::Event& event);
    /// Ended tasks as they stayed from before the base, where what later events made of them is
    /// taken back.
    Result<void> put_back(const core::Changes& ended);

  private:
    BatchWriter(std::vector<Statement> statements, UseWriter uses, HeldWriter held,
                RollupWriter rollups)
        : statements_(std::move(statements)),
          uses_(std::move(uses)),
          held_(std::move(held)),
          rollups_(std::move(rollups)) {}

    Result<void> write_event(const core::Event& event, const EventRow& row, Meta& meta);
    Result<void> write_content(const core::Event& event, const core::ContentStored& body,
                               const Batch& batch);
    Result<void> write_request(const core::Event& event, const core::RequestRecorded& body);
    Result<void> prune_requests();
    Result<void> write_control(const core::Event& event, const core::ControlChanged& body);
    Result<void> project(const core::Event& event, const Batch& batch, Meta& meta);
    Result<void> write_task(const core::Task& task);
    Result<void> write_attempt(const core::Attempt& attempt);

    std::vector<Statement> statements_;
    UseWriter uses_;
    HeldWriter held_;
    RollupWriter rollups_;
    Instant last_request_;  // of the batch that is being written
};

}  // namespace zq::store
