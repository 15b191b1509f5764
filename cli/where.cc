#include "cli/where.h"

namespace zq::cli {
namespace {

tl::unexpected<Problem> said_twice(const std::string& what) {
    return usage(what + " is said by a flag and in --where", "say it once");
}

/// Puts a condition where none is.
template <class T>
Expected<void> put(const T& condition, T& field, const std::string& what) {
    if (condition == T{}) return {};
    if (!(field == T{})) return said_twice(what);
    field = condition;
    return {};
}

Expected<void> put_times(Session& session, const WhereClause& where, wire::List& query) {
    if (!where.since && !where.before) return {};
    auto pong = session.call<wire::Pong>(wire::Ping{});
    if (!pong) return tl::unexpected(pong.error());
    if (where.since) query.since = pong->now - *where.since;
    if (where.before) query.until = pong->now - *where.before;
    return {};
}

}  // namespace

Expected<WhereClause> read_where(const Arguments& args) {
    WhereClause where;
    for (const std::string& text : args.values("where")) {
        auto ok = add_where(text, "--where", where);
        if (!ok) return usage("--where: " + ok.error().message);
    }
    if (args.has("where") && where.is_empty()) {
        return usage("--where says nothing", "such as --where 'state=dead role=review'");
    }
    return where;
}

Expected<void> add_conditions(Session& session, const WhereClause& where, wire::List& query) {
    if (auto ok = put(where.states, query.states, "the state"); !ok) return ok;
    if (auto ok = put(where.role, query.role, "the role"); !ok) return ok;
    if (auto ok = put(where.group, query.group, "the group"); !ok) return ok;
    if (auto ok = put(where.from, query.from, "the sender"); !ok) return ok;
    if (auto ok = put(where.dead_reason, query.dead_reason, "the reason"); !ok) return ok;
    if (auto ok = put(where.trace_id, query.trace_id, "the trace id"); !ok) return ok;
    query.type = where.type;
    query.worker = where.worker;
    query.labels = where.labels;
    return put_times(session, where, query);
}

}  // namespace zq::cli
