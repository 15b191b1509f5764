// The records of open tasks that have left memory, read one by one on a connection of their own.
// Used by the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "coordinator/core/open_tasks.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

class SqliteTaskRecords : public core::TaskRecords {
  public:
    /// Of the database at `path`, which a connection of this process writes. Errors: IO.
    static Result<std::shared_ptr<SqliteTaskRecords>> open(const std::string& path);

    /// Where the row can't be read, says so and ends the process: all that was acknowledged is on
    /// disk, and a start reads it anew.
    core::Task load(const TaskKey& key) override;

  private:
    SqliteTaskRecords(Database database, Statement row)
        : database_(std::move(database)), row_(std::move(row)) {}
    Result<core::Task> read(const TaskKey& key);

    Database database_;
    Statement row_;
};

}  // namespace zq::store
