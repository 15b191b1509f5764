// The records of questions that tasks ask: as part of a task, and as `approvals` lists them.
#include "cli/records.h"

namespace zq::cli {
namespace {

/// Copies the fields of `from` that `into` has not got, `state` under a name of its own.
void copy_fields(Json& into, const Json& from, std::string_view state) {
    for (const std::string& key : from.keys()) {
        const std::string target(key == "state" ? state : std::string_view(key));
        if (!into.find(target)) into.set(target, *from.find(key));
    }
}

}  // namespace

Json question_record(const TaskId& task, const Question& question) {
    Json fields = Json::object();
    fields.set("task_id", to_json(task));
    copy_fields(fields, to_json(question), "state");
    return with_schema("zq/question/v1", fields);
}

Json question_row_record(const wire::QuestionRow& row) {
    Json record = Json::object();
    record.set("schema", Json::text("zq/task-question/v1"));
    record.set("id", to_json(row.task));
    record.set("state", to_json(row.state));
    copy_fields(record, to_json(row.question), "question_state");
    copy_fields(record, to_json(row), "state");
    return record;
}

}  // namespace zq::cli
