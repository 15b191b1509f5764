// What attempts have used of models, for readers (protocol.md, "USAGE"). Structs and field names
// only; bytes are codec.h's.
#pragma once

#include "common/wire/envelope.h"

namespace zq::wire {

/// What ended attempts used of models: of one task, or of `limit` tasks of a role and group.
struct UsageQuery {
    static constexpr std::string_view kType = "USAGE";
    TaskId task;
    RoleName role;
    GroupName group;
    std::uint64_t before = 0;  // 0: from the newest
    std::uint32_t limit = 100;
    friend bool operator==(const UsageQuery&, const UsageQuery&) = default;
};
template <class V, Of<UsageQuery> T>
void describe(V& v, T& m) {
    v.optional("task_id", m.task);
    v.optional("to", m.role);
    v.optional("group", m.group);
    v.optional("before", m.before);
    v.optional("limit", m.limit, 100);
}

/// What one attempt used; attempts that used nothing have no row.
struct UsageRow {
    TaskId task;
    std::uint32_t attempt = 0;
    RoleName role;
    GroupName group;
    std::string model;
    std::uint64_t cost_usd_micros = 0;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    friend bool operator==(const UsageRow&, const UsageRow&) = default;
};
template <class V, Of<UsageRow> T>
void describe(V& v, T& m) {
    v("task_id", m.task);
    v("attempt", m.attempt);
    v("to", m.role);
    v.optional("group", m.group);
    v.optional("model", m.model);
    v.optional("cost_usd_micros", m.cost_usd_micros);
    v.optional("input_tokens", m.input_tokens);
    v.optional("output_tokens", m.output_tokens);
}

/// Answers USAGE.
struct UsageRows {
    static constexpr std::string_view kType = "USAGE_ROWS";
    std::vector<UsageRow> rows;
    std::uint64_t before = 0;  // of the next page; 0: there is none
    friend bool operator==(const UsageRows&, const UsageRows&) = default;
};
template <class V, Of<UsageRows> T>
void describe(V& v, T& m) {
    v("rows", m.rows);
    v.optional("before", m.before);
}

}  // namespace zq::wire
