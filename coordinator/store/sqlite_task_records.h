// The records of open tasks that have left memory, read one by one. Used by the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "coordinator/core/open_tasks.h"
#include "coordinator/store/reader.h"

namespace zq::store {

class SqliteTaskRecords : public core::TaskRecords {
  public:
    /// Of the database at `path`, which a connection of this process writes. Errors: IO.
    static Result<std::shared_ptr<SqliteTaskRecords>> open(const std::string& path);

    /// Where the row can't be read, says so and ends the process: all that was acknowledged is on
    /// disk, and a start reads it anew.
    core::Task load(const TaskKey& key) override;

  private:
    explicit SqliteTaskRecords(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}

    std::unique_ptr<Reader> reader_;
};

}  // namespace zq::store
