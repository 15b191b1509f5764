// What a killed process had made durable in the commit log and not yet brought into the tables.
#pragma once

#include <string>

#include "coordinator/store/batch_writer.h"
#include "coordinator/store/commit_log.h"

namespace zq::store {

/// Applies it to `state`, which is what the tables say, and writes it to them: on disk afterwards,
/// so that the log may be written over. Gives what `meta` says then. Errors: IO, STORAGE_FULL
/// (nothing of it is written, though `state` may have changed).
Result<Meta> bring_over(Database& database, BatchWriter& writer, const CommitLog& log,
                        core::State& state, const Meta& meta);

/// True if the folder has a commit log that is not empty.
bool has_commit_log(const std::string& folder);

/// The same for a journal that no coordinator uses, whose lock the caller holds; afterwards its
/// database is all there is. Errors: as before, and those of `restore_state`.
Result<void> bring_over(const std::string& folder);

}  // namespace zq::store
