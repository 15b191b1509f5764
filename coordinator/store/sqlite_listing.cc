// How SqliteReader lists tasks: which index leads, by what is asked.
//
// A group or a sender leads by its own index, and its members are looked at one by one. Else (role,
// state) leads: every pair that is asked for is a source that is sorted already, each is read no
// further than it can still matter, and the newest of all are kept.
#include <algorithm>
#include <array>

#include "coordinator/store/reader_sql.h"
#include "coordinator/store/sqlite_reader.h"

namespace zq::store {
namespace {

constexpr auto kAllStates = [] {
    std::array<TaskState, kTaskStates> states{};
    for (std::size_t i = 0; i < kTaskStates; ++i) states[i] = static_cast<TaskState>(i);
    return states;
}();

std::int64_t before_of(const TaskFilter& filter) {
    return filter.before == 0 ? INT64_MAX : static_cast<std::int64_t>(filter.before);
}

bool has_state(const TaskFilter& filter, std::string_view state) {
    if (filter.states.empty()) return true;
    return std::any_of(filter.states.begin(), filter.states.end(),
                       [&](TaskState wanted) { return to_string(wanted) == state; });
}

/// Most tasks end well: then a sender's own index finds them sooner than the states' does.
bool sender_leads(const TaskFilter& filter) {
    return !filter.from.empty() && has_state(filter, to_string(TaskState::kCompleted));
}

}  // namespace

/// Rows of (submitted_seq, state) in order, until enough are in a wanted state.
Result<std::vector<Seq>> SqliteReader::seqs_in_states(Statement& statement,
                                                      const TaskFilter& filter) {
    ResetAtEnd reset_at_end(statement);
    std::vector<Seq> seqs;
    while (seqs.size() < filter.limit) {
        auto row = statement.step();
        if (!row) return Failure(row.error());
        if (!*row) break;
        if (has_state(filter, statement.text_at(1))) seqs.push_back(statement.number_at(0));
    }
    return seqs;
}

Result<std::vector<Seq>> SqliteReader::listed(const TaskFilter& filter) {
    const bool by_group = !filter.group.empty();
    const bool by_sender = !by_group && sender_leads(filter);
    const bool all = !by_group && !by_sender && filter.role.empty() && filter.states.empty();
    if (!by_group && !by_sender && !all) return listed_by_role(filter);
    const auto which = by_group    ? reader_sql::kListGroup
                       : by_sender ? reader_sql::kListSender
                                   : reader_sql::kListAll;
    Statement& statement = statements_[which];
    statement.text(1, filter.ns.text).integer(2, before_of(filter));
    if (by_group)
        statement.text(4, filter.group.text).text(5, filter.role.text).text(6, filter.from);
    if (by_sender) statement.text(4, filter.from).text(5, filter.role.text);
    if (all) statement.integer(3, reader_sql::row_limit(filter.limit));
    return seqs_in_states(statement, filter);
}

Result<std::vector<Seq>> SqliteReader::listed_by_role(const TaskFilter& filter) {
    std::vector<RoleName> sources{filter.role};
    if (filter.role.empty()) {
        auto found = roles(filter.ns);
        if (!found) return Failure(found.error());
        sources = std::move(*found);
    }
    std::vector<TaskState> states = filter.states;
    if (states.empty()) states.assign(kAllStates.begin(), kAllStates.end());
    std::sort(states.begin(), states.end());
    states.erase(std::unique(states.begin(), states.end()), states.end());

    std::vector<Seq> newest;
    Seq floor = 0;  // below it nothing can be among the newest any more
    Statement& statement = statements_[reader_sql::kListRoleState];
    for (const RoleName& role : sources) {
        for (TaskState state : states) {
            statement.text(1, filter.ns.text).integer(2, before_of(filter));
            statement.integer(3, reader_sql::row_limit(filter.limit)).text(4, role.text);
            statement.text(5, to_string(state)).number(6, floor).text(7, filter.from);
            ResetAtEnd reset_at_end(statement);
            while (true) {
                auto row = statement.step();
                if (!row) return Failure(row.error());
                if (!*row) break;
                newest.push_back(statement.number_at(0));
            }
            if (newest.size() < filter.limit || newest.empty()) continue;
            std::sort(newest.begin(), newest.end(), std::greater<>());
            newest.resize(std::min(newest.size(), filter.limit));
            if (!newest.empty()) floor = newest.back();
        }
    }
    std::sort(newest.begin(), newest.end(), std::greater<>());
    return newest;
}

Result<std::vector<RoleName>> SqliteReader::task_roles(const Namespace& ns) {
    if (refresh_) refresh_();
    return roles(ns);
}

/// From one role to the next by the index, whatever lies between.
Result<std::vector<RoleName>> SqliteReader::roles(const Namespace& ns) {
    std::vector<RoleName> found;
    while (true) {
        const bool first = found.empty();
        Statement& statement = statements_[first ? reader_sql::kFirstRole : reader_sql::kNextRole];
        statement.text(1, ns.text);
        if (!first) statement.text(2, found.back().text);
        ResetAtEnd reset_at_end(statement);
        auto row = statement.step();
        if (!row) return Failure(row.error());
        if (!*row) return found;
        found.emplace_back(statement.text_at(0));
    }
}

}  // namespace zq::store
