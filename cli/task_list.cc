#include "cli/task_list.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "cli/output.h"
#include "common/base/nearest.h"

namespace zq::cli {
namespace {

tl::unexpected<Problem> unknown_word(const std::string& what, const std::string& word,
                                     const std::vector<std::string>& known) {
    std::string all;
    for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
    const std::string nearest = nearest_word(word, known);
    return usage("no " + what + " '" + word + "'",
                 nearest.empty() ? "one of: " + all : "did you mean " + nearest + "?");
}

Expected<DeadReason> read_reason(const std::string& word) {
    DeadReason reason = DeadReason::kNone;
    if (word.empty() || from_text(word, reason)) return reason;
    std::vector<std::string> known;
    for (std::size_t i = 1; i < kDeadReasons; ++i) {
        known.emplace_back(to_string(static_cast<DeadReason>(i)));
    }
    return unknown_word("reason", word, known);
}

Expected<std::vector<TaskState>> read_states(const std::string& word) {
    if (word.empty()) return std::vector{TaskState::kDead, TaskState::kExpired};
    if (word == "dead") return std::vector{TaskState::kDead};
    if (word == "expired") return std::vector{TaskState::kExpired};
    return unknown_word("state of dead letters", word, {"dead", "expired"});
}

/// Those of --state, or of --where; both without either.
Expected<std::vector<TaskState>> states_of(const Arguments& args, const WhereClause& where) {
    if (where.states.empty()) return read_states(args.text("state"));
    if (args.has("state")) return usage("the state is said by a flag and in --where");
    if (auto other = std::find_if_not(where.states.begin(), where.states.end(), is_dead);
        other != where.states.end()) {
        return usage("no dead letter is " + std::string(to_string(*other)),
                     "state=dead or state=expired; `zq ls --where` lists all tasks");
    }
    return where.states;
}

/// By the coordinator's clock: this machine's may be another.
Expected<void> read_times(Session& session, const Arguments& args, wire::List& query) {
    auto since = args.duration("since");
    if (!since) return tl::unexpected(since.error());
    auto before = args.duration("before");
    if (!before) return tl::unexpected(before.error());
    if (!*since && !*before) return {};
    auto pong = session.call<wire::Pong>(wire::Ping{});
    if (!pong) return tl::unexpected(pong.error());
    if (*since) query.ended_since = pong->now - **since;
    if (*before) query.ended_before = pong->now - **before;
    return {};
}

/// `3 dead letters: 2 of review attempts_exhausted, 1 of review expired`.
std::string count_of(const std::vector<wire::TaskRow>& rows) {
    std::map<std::string, std::size_t> counts;
    for (const wire::TaskRow& row : rows) {
        const bool dead = row.dead_reason != DeadReason::kNone;
        ++counts[row.role.text + " " +
                 std::string(dead ? to_string(row.dead_reason) : to_string(row.state))];
    }
    std::string text = std::to_string(rows.size()) + (rows.size() == 1 ? " task" : " tasks");
    const char* before = ": ";
    for (const auto& [what, count] : counts) {
        text += before + std::to_string(count) + " of " + what;
        before = ", ";
    }
    return text;
}

}  // namespace

Expected<Listed> list_tasks(Session& session, wire::List query, std::uint64_t limit) {
    Listed listed;
    while (listed.rows.size() < limit) {
        const std::uint64_t left = limit - listed.rows.size();
        query.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, limits::kListRows));
        auto page = session.call<wire::Tasks>(query);
        if (!page) return tl::unexpected(page.error());
        listed.more = page->more;
        for (wire::TaskRow& row : page->rows) listed.rows.push_back(std::move(row));
        if (!page->more || page->next == 0) break;
        query.before = page->next;
    }
    return listed;
}

Expected<std::vector<wire::EventRow>> events_of(Session& session, const TaskId& task) {
    std::vector<wire::EventRow> events;
    wire::Events query;
    query.limit = static_cast<std::uint32_t>(limits::kEventRows);
    query.task = task;
    while (true) {
        auto page = session.call<wire::EventRows>(query);
        if (!page) return tl::unexpected(page.error());
        const bool more = page->more;
        for (wire::EventRow& row : page->rows) events.push_back(std::move(row));
        if (!more) return events;
        query.after = page->last;
    }
}

Expected<std::vector<TaskState>> parse_states(const std::string& text) {
    std::vector<TaskState> states;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        const std::string word = text.substr(start, comma - start);
        start = comma + 1;
        TaskState state{};
        if (from_text(word, state)) {
            states.push_back(state);
            continue;
        }
        std::vector<std::string> known;
        for (std::size_t i = 0; i < kTaskStates; ++i) {
            known.emplace_back(to_string(static_cast<TaskState>(i)));
        }
        const std::string nearest = nearest_word(word, known);
        return usage("no state '" + word + "'", nearest.empty() ? "`zq help ls` lists the states"
                                                                : "did you mean " + nearest + "?");
    }
    return states;
}

bool has_selection(const Arguments& args) {
    const std::string_view flags[] = {"role", "reason", "state", "since", "before", "all", "where"};
    return std::any_of(std::begin(flags), std::end(flags),
                       [&](std::string_view flag) { return args.has(flag); });
}

Expected<Listed> select_dead(Session& session, const Arguments& args) {
    wire::List query;
    auto reason = read_reason(args.text("reason"));
    if (!reason) return tl::unexpected(reason.error());
    auto where = read_where(args);
    if (!where) return tl::unexpected(where.error());
    auto states = states_of(args, *where);
    if (!states) return tl::unexpected(states.error());
    auto limit = args.number("limit", 1, kRowsMost);
    if (!limit) return tl::unexpected(limit.error());
    query.dead_reason = *reason;
    query.role = RoleName(args.text("role"));
    where->states = std::move(*states);
    if (auto ok = add_conditions(session, *where, query); !ok) return tl::unexpected(ok.error());
    if (auto ok = read_times(session, args, query); !ok) return tl::unexpected(ok.error());
    return list_tasks(session, query, limit->value_or(kRowsMost));
}

Expected<std::vector<wire::TaskRow>> select_tasks(Session& session, WhereClause where,
                                                  const std::vector<TaskState>& states) {
    if (where.states.empty()) where.states = states;
    for (TaskState state : where.states) {
        if (std::find(states.begin(), states.end(), state) != states.end()) continue;
        return usage("this is not for tasks that are " + std::string(to_string(state)));
    }
    wire::List query;
    if (auto ok = add_conditions(session, where, query); !ok) return tl::unexpected(ok.error());
    auto listed = list_tasks(session, query, kRowsMost);
    if (!listed) return tl::unexpected(listed.error());
    std::reverse(listed->rows.begin(), listed->rows.end());  // the oldest first, as they came
    return std::move(listed->rows);
}

Expected<std::vector<wire::TaskRow>> named_tasks(Session& session,
                                                 const std::vector<std::string>& ids) {
    std::vector<wire::TaskRow> rows;
    for (const std::string& id : ids) {
        auto task = session.call<wire::TaskReply>(wire::Get{TaskId(id), false});
        if (!task) return tl::unexpected(task.error());
        rows.push_back(std::move(task->row));
    }
    return rows;
}

Expected<Consent> ask_consent(const Context& context, const std::vector<wire::TaskRow>& rows,
                              std::string_view verb) {
    const bool one = context.args.operands().size() == 1;
    if (one) return Consent::kGiven;
    return ask_consent_for_all(context, rows, verb);
}

Expected<Consent> ask_consent_for_all(const Context& context,
                                      const std::vector<wire::TaskRow>& rows,
                                      std::string_view verb) {
    note(count_of(rows));
    if (rows.empty() || context.args.has("yes") || context.args.has("dry-run")) {
        return Consent::kGiven;
    }
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) {
        return usage("say --yes to " + std::string(verb) + " them all", "--dry-run shows which");
    }
    std::cerr << std::string(verb) + " them all? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "yes") return Consent::kGiven;
    note("nothing was changed");
    return Consent::kDenied;
}

}  // namespace zq::cli
