#include "coordinator/store/sqlite_task_records.h"

#include <cstdlib>

#include "common/platform/log.h"
#include "coordinator/store/record_codec.h"
#include "coordinator/store/schema.h"

namespace zq::store {

Result<std::shared_ptr<SqliteTaskRecords>> SqliteTaskRecords::open(const std::string& path) {
    auto database = Database::open(path, OpenMode::kReadOnly);
    if (!database) return Failure(database.error());
    if (auto ok = configure_reader(*database); !ok) return Failure(ok.error());
    auto row = database->prepare("SELECT record FROM tasks WHERE ns = ?1 AND id = ?2");
    if (!row) return Failure(row.error());
    return std::shared_ptr<SqliteTaskRecords>(
        new SqliteTaskRecords(std::move(*database), std::move(*row)));
}

core::Task SqliteTaskRecords::load(const TaskKey& key) {
    auto task = read(key);
    if (task) return std::move(*task);
    log_error("the record of an open task can't be read: this process ends, start it again",
              {{"task", key.id.text}, {"error", task.error().message}});
    std::_Exit(EXIT_FAILURE);
}

Result<core::Task> SqliteTaskRecords::read(const TaskKey& key) {
    ResetAtEnd reset_at_end(row_);
    row_.text(1, key.ns.text).text(2, key.id.text);
    auto found = row_.step();
    if (!found) return Failure(found.error());
    if (!*found) return fail(ErrorCode::IO, "its row is not there");
    return decode_task(row_.blob_at(0));
}

}  // namespace zq::store
