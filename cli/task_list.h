// Many tasks at once: the rows of a query, page by page; a task's events; and which of those that
// have ended a bulk command is for.
#pragma once

#include <span>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/where.h"
#include "common/wire/codec.h"

namespace zq::cli {

inline constexpr std::uint64_t kRowsMost = 1'000'000;

struct Listed {
    std::vector<wire::TaskRow> rows;  // the newest first
    bool more = false;
};

/// Pages until `limit` rows are there.
Expected<Listed> list_tasks(Session& session, wire::List query, std::uint64_t limit);

/// All events of a task, page by page.
Expected<std::vector<wire::EventRow>> events_of(Session& session, const TaskId& task);

/// The flags that select dead letters, all conditions together; the server evaluates them.
inline constexpr Flag kSelectRole{"role", "ROLE", "Only of this role"};
inline constexpr Flag kSelectReason{"reason", "R",
                                    "Only dead for this reason, such as attempts_exhausted"};
inline constexpr Flag kSelectState{"state", "S", "Only dead, or only expired"};
inline constexpr Flag kSelectSince{"since", "D", "Only what ended within the last D"};
inline constexpr Flag kSelectBefore{"before", "D", "Only what ended longer than D ago"};
inline constexpr Flag kSelectLimit{"limit", "N", "At most so many, the newest (default: all)"};
inline constexpr Flag kSelectAll{"all", "", "Whatever is there", Takes::kNothing};
inline constexpr Flag kYes{"yes", "", "Do it to all that are selected, without asking",
                           Takes::kNothing};
inline constexpr Flag kBecause{"because", "TEXT", "Why; it stands in the journal with who did it"};

/// `queued,running`. Errors: usage, with the nearest state.
Expected<std::vector<TaskState>> parse_states(const std::string& text);

/// True if one of those conditions is given (--limit is none).
bool has_selection(const Arguments& args);

/// The dead letters that the flags select, the newest first; more of them than --limit are cut.
/// Errors: usage, and the server's.
Expected<Listed> select_dead(Session& session, const Arguments& args);

/// The tasks that the conditions select, the oldest first: in any of `states` where they name none.
/// Errors: usage (a state that is none of those), and the server's.
Expected<std::vector<wire::TaskRow>> select_tasks(Session& session, WhereClause where,
                                                  const std::vector<TaskState>& states);

/// The named tasks, by exact id. Errors: the first one's that is not there.
Expected<std::vector<wire::TaskRow>> named_tasks(Session& session,
                                                 const std::vector<std::string>& ids);

enum class Consent : std::uint8_t { kGiven, kDenied };
/// Prints how many they are, by role and reason; asks on a terminal, and wants --yes elsewhere.
/// `verb`: what is to be done, such as `replay`. One that is named needs no consent.
Expected<Consent> ask_consent(const Context& context, const std::vector<wire::TaskRow>& rows,
                              std::string_view verb);
/// The same where the operand names no task.
Expected<Consent> ask_consent_for_all(const Context& context,
                                      const std::vector<wire::TaskRow>& rows,
                                      std::string_view verb);

}  // namespace zq::cli
