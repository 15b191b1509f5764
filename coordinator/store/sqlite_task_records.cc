#include "coordinator/store/sqlite_task_records.h"

#include <cstdlib>

#include "common/platform/log.h"
#include "coordinator/store/sqlite_reader.h"

namespace zq::store {

Result<std::shared_ptr<SqliteTaskRecords>> SqliteTaskRecords::open(const std::string& path) {
    auto reader = SqliteReader::open(path, {});
    if (!reader) return Failure(reader.error());
    return std::shared_ptr<SqliteTaskRecords>(new SqliteTaskRecords(std::move(*reader)));
}

core::Task SqliteTaskRecords::load(const TaskKey& key) {
    auto task = reader_->task(key);
    if (task && *task) return std::move(**task);
    log_error(
        "the record of an open task can't be read: this process ends; start it again, and if"
        " it ends again look at its folder with zq journal verify",
        {{"task", key.id.text}, {"error", task ? "its row is not there" : task.error().message}});
    std::_Exit(EXIT_FAILURE);
}

}  // namespace zq::store
