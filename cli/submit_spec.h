// The flags of `zq submit` and `zq run`, and the task envelope they describe. Sends nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/contents.h"

namespace zq::cli {

/// What is to be submitted: the envelope, and the contents of those inputs that travel.
struct Submission {
    TaskSpec spec;                     // of the first role
    std::vector<RoleName> roles = {};  // where there are several, a copy for each
    std::vector<Content> contents;
    bool own_id = false;  // the id is the user's, and not made here
    std::string note;     // for stderr; may be empty
};

/// The flags that describe a task.
std::span<const Flag> task_flags();

/// Reads the flags and the files they name. Errors: usage, IO.
Expected<Submission> read_submission(const Arguments& args);

/// Who the user says they are: $ZQ_FROM, else the user's name.
std::string default_from();

/// The id that a context file's path gives its task: the stem of a file in a folder named `tasks`.
/// Empty where it gives none.
std::string task_id_of_path(const std::string& path);

/// A new id that sorts by time.
TaskId new_task_id();

/// Adds the context that lies at `file:///PATH` by reference, under `name`, or `context` with the
/// path's extension. Errors: usage, IO.
Expected<void> add_reference(const std::string& uri, const std::string& name,
                             Submission& submission);

/// `low`, `normal`, `high`, `urgent` or 0 to 10. Errors: usage.
Expected<int> parse_priority(const std::string& word);

/// JSON, or `@FILE` with JSON in it. Errors: usage; INVALID, naming --payload.
Expected<std::string> read_payload(const std::string& value);

}  // namespace zq::cli
