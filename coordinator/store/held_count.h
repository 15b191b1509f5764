// The tables held and held_totals made anew, or proved, out of the rows of ended tasks: where older
// formats had none, where rows were taken back or dropped at once (rewind.h, archive.h), and for
// verify. A running journal only counts on (held_writer.h).
#pragma once

#include <functional>
#include <string>

#include "coordinator/core/task.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

/// What one ended task holds, by its rows.
class HeldBytes {
  public:
    /// Prepares its statements; the connection must outlive it.
    static Result<HeldBytes> open(Database& database);

    /// `bytes_held_by` of a task. Reads its attempts and what was removed of it. Errors: IO, and
    /// those of records that cannot be decoded.
    Result<std::uint64_t> of(const core::Task& task);

  private:
    HeldBytes(Statement attempts, Statement removals)
        : attempts_(std::move(attempts)), removals_(std::move(removals)) {}

    Statement attempts_;
    Statement removals_;
};

/// In the caller's transaction. Reads every ended task with its attempts. Errors as above.
Result<void> count_held(Database& database);

/// Tells `problem` a sentence for each row of the two tables that is not what the rows of tasks,
/// attempts and removals say. Errors as above.
Result<void> compare_held(Database& database, const std::function<void(std::string)>& problem);

}  // namespace zq::store
