// Which payloads a role takes: JSON Schemas by role, or by role and type, as the coordinator's
// owner sets them. The files are read once, at the start.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/task_spec.h"
#include "common/platform/json_schema.h"

namespace zq::edge {

class PayloadSchemas {
  public:
    /// `ROLE=SCHEMA` or `ROLE/TYPE=SCHEMA`, with the schema's text. Errors: INVALID, TOO_LARGE,
    /// CONFLICT (there is one for that place already); `field` names what is wrong.
    Result<void> add(const std::string& place, const std::string& schema);

    /// Why the payload does not fit the schema of its role and type, else that of its role: INVALID
    /// with the JSON pointers, TOO_LARGE where the check would take too long; field `task.payload`.
    /// Nullopt: it fits, or there is no schema.
    std::optional<Error> error_of(const TaskSpec& spec) const;

    bool empty() const { return schemas_.empty(); }

  private:
    std::map<std::pair<std::string, std::string>, JsonSchema> schemas_;  // by role and type
};

}  // namespace zq::edge
