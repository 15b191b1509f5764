// Which tasks a list or a bulk command is for, as people write it: `state=dead role=review
// label.team=x since=2h`. Conditions hold all together. Pure: times stay durations, because they
// count back from the coordinator's clock.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/task_state.h"
#include "common/base/time.h"

namespace zq {

/// Empty fields hold for all tasks.
struct WhereClause {
    std::vector<TaskState> states;  // state=queued,running
    DeadReason dead_reason = DeadReason::kNone;
    RoleName role;
    std::string type;
    std::string from;
    GroupName group;
    std::string trace_id;
    std::string worker;                         // of the current or last attempt
    std::map<std::string, std::string> labels;  // label.KEY=VALUE
    std::optional<Millis> since;   // ended, or while it is open submitted, within this time
    std::optional<Millis> before;  // likewise, longer ago

    bool is_empty() const { return *this == WhereClause{}; }
    friend bool operator==(const WhereClause&, const WhereClause&) = default;
};

/// Adds the conditions of `text` to `where`: words KEY=VALUE with spaces between; a value with
/// spaces stands in double quotes. Errors: INVALID with `field` (an unknown key or word with the
/// nearest one, a key that stands twice, a value that is none).
Result<void> add_where(std::string_view text, const std::string& field, WhereClause& where);

}  // namespace zq
