// A task as people and other programs write it in JSON: the envelope under its own names
// (protocol.md, "Task"), and under the names that task queues for agents commonly use. One table
// says which is which; errors name the field as it was written. Pure: what a task refers to is read
// by whoever submits it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/task_spec.h"
#include "common/platform/json.h"

namespace zq {

/// As far as the JSON says: without `task_id` or `to` the spec's id or role is empty.
struct JsonTask {
    TaskSpec spec;
    std::optional<std::string> context;  // a text that is to be the input `context`
    std::string context_ref;             // a URI to read the context from; empty: none
    /// Field of the envelope to the name it was written under.
    std::map<std::string, std::string> written_as;
};

/// Reads one object. Unknown fields, two spellings of one thing, and values of a wrong type are
/// errors: INVALID with the field's path. Bounds are not checked: `validate` does.
Result<JsonTask> read_json_task(const Json& json);
/// The same of its text. Errors: INVALID (not JSON), too.
Result<JsonTask> read_json_task(std::string_view text);

/// The error of `validate`, with the field as it was written.
Error as_written(Error error, const JsonTask& task);

/// `low`, `normal`, `high`, `urgent`; nullopt for any other word.
std::optional<int> priority_of_word(std::string_view word);

}  // namespace zq
