// Retention: old events go to an archive file and out of the journal, and the proof still holds.
// The state after the last of them stays as the journal's base (base.h), under an anchor; the
// archive's chain leads to that anchor's head.
//
// What stays of the time before: open tasks with their attempts and submits; tasks that had ended,
// with their attempts and submits, unless they are to be forgotten too (then their ids and
// idempotency keys are free again); contents. What goes: every other event, so `show` has no
// timeline from before the base, and `restore` reaches no further back.
//
// An archive is an SQLite database with the journal's own tables `journal` and `bodies`, and one
// row in `archive` that says where its chain begins and ends.
#pragma once

#include <string>

#include "coordinator/store/chain_walk.h"

namespace zq::store {

enum class EndedTasks : std::uint8_t { kKeep, kForget };

struct ArchiveOrder {
    Seq upto = 0;      // the last event to go; the journal's last one stays
    std::string file;  // must not exist
    EndedTasks ended = EndedTasks::kKeep;
};

struct ArchiveReport {
    JournalId journal = 0;
    ChainPlace before;         // the event before its first one
    ChainPlace last;           // its last one
    std::uint64_t events = 0;  // in it
};

/// Writes the archive, reads it back, then drops the rows: each durable before the next begins. The
/// connection must be the one that writes, and nothing else may write meanwhile. Errors: INVALID
/// (no such events), CONFLICT (the file exists), IO (the first row that is wrong; nothing is
/// dropped), STORAGE_FULL.
Result<ArchiveReport> archive(Database& database, const ArchiveOrder& order);

/// Follows an archive's chain from end to end. Errors: IO (the first row that is wrong), NOT_FOUND,
/// UNSUPPORTED_VERSION (no archive, or a newer one).
Result<ArchiveReport> verify_archive(const std::string& file);

/// Where the journal begins: the archive that ends there is the last one that was cut off.
Result<ChainPlace> base_place(Database& database);

}  // namespace zq::store
