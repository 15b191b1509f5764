// `--where`: which tasks a list or a bulk command is for. What it says is sent to the coordinator
// as fields of LIST; nothing is filtered here.
#pragma once

#include "cli/command.h"
#include "cli/session.h"
#include "common/base/where.h"

namespace zq::cli {

inline constexpr Flag kWhere{"where", "K=V …",
                             "Only where all holds: state, role, reason, type, from, group, trace, "
                             "worker, label.KEY, since, before",
                             Takes::kValues};

/// All of --where together; empty without. Errors: usage.
Expected<WhereClause> read_where(const Arguments& args);

/// Adds its conditions to those that flags have put there. `since` and `before` count back from the
/// coordinator's clock, which is asked for. Errors: usage (the same thing is said twice).
Expected<void> add_conditions(Session& session, const WhereClause& where, wire::List& query);

}  // namespace zq::cli
