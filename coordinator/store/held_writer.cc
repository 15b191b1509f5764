#include "coordinator/store/held_writer.h"

#include <algorithm>
#include <array>
#include <span>

#include "coordinator/store/record_codec.h"
#include "coordinator/store/references.h"

namespace zq::store {
namespace {

enum Sql : std::size_t { kForget, kCount, kTask, kAdd, kPrune, kStatements };

constexpr std::array<std::string_view, kStatements> kSql = {
    "DELETE FROM held WHERE submitted_seq = ?1 RETURNING ns, role, dead, bytes",
    "INSERT INTO held VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    "SELECT record FROM tasks WHERE submitted_seq = ?1",
    "INSERT INTO held_totals VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (ns, role, dead)"
    " DO UPDATE SET tasks = tasks + excluded.tasks, bytes = bytes + excluded.bytes",
    "DELETE FROM held_totals WHERE ns = ?1 AND role = ?2 AND dead = ?3 AND tasks = 0",
};

/// The attempts of a task among those that ended in a batch (in the order of their keys).
std::span<const core::Attempt> attempts_in(const core::Changes& changes, const TaskKey& key) {
    const auto& all = changes.attempts;
    const auto first = std::lower_bound(
        all.begin(), all.end(), key,
        [](const core::Attempt& attempt, const TaskKey& wanted) { return attempt.task < wanted; });
    const auto last =
        std::find_if(first, all.end(), [&](const core::Attempt& a) { return a.task != key; });
    return {first, last};
}

}  // namespace

Result<HeldWriter> HeldWriter::open(Database& database) {
    std::vector<Statement> statements;
    for (std::string_view sql : kSql) {
        auto statement = database.prepare(sql);
        if (!statement) return Failure(statement.error());
        statements.push_back(std::move(*statement));
    }
    auto bytes = HeldBytes::open(database);
    if (!bytes) return Failure(bytes.error());
    return HeldWriter(std::move(statements), std::move(*bytes));
}

Result<void> HeldWriter::project(const core::Event& event) {
    if (const auto* removed = std::get_if<core::ArtifactsRemoved>(&event.body)) {
        return count_again(removed->submitted_seq);
    }
    if (const auto* removed = std::get_if<core::TaskRemoved>(&event.body)) {
        return forget(removed->submitted_seq);
    }
    return {};
}

Result<void> HeldWriter::project(const core::Changes& changes, Seq first) {
    for (const Shared<core::Task>& changed : changes.tasks) {
        const core::Task& task = *changed;
        // One that ended before may be open again, or have ended anew.
        if (task.submitted_seq < first) {
            if (auto ok = forget(task.submitted_seq); !ok) return ok;
        }
        if (!is_final(task.state)) continue;
        const auto fresh = attempts_in(changes, task.key);
        if (fresh.size() == task.attempts) {
            auto ok = count(task, bytes_held_by(task, fresh, {}));
            if (!ok) return ok;
            continue;
        }
        auto bytes = bytes_.of(task);
        if (!bytes) return Failure(bytes.error());
        if (auto ok = count(task, *bytes); !ok) return ok;
    }
    return write_sums();
}

Result<void> HeldWriter::count(const core::Task& task, std::uint64_t bytes) {
    const bool dead = is_dead(task.state);
    Sum& sum = sums_[{task.key.ns.text, task.role.text, dead}];
    ++sum.tasks;
    sum.bytes += static_cast<std::int64_t>(bytes);
    return statements_[kCount]
        .number(1, task.submitted_seq)
        .text(2, task.key.ns.text)
        .text(3, task.role.text)
        .integer(4, dead ? 1 : 0)
        .number(5, task.changed_seq)
        .number(6, bytes)
        .run();
}

Result<void> HeldWriter::forget(Seq submitted_seq) {
    Statement& row = statements_[kForget].number(1, submitted_seq);
    ResetAtEnd reset_at_end(row);
    auto found = row.step();
    if (!found) return Failure(found.error());
    if (!*found) return {};
    Sum& sum =
        sums_[{std::string(row.text_at(0)), std::string(row.text_at(1)), row.integer_at(2) != 0}];
    --sum.tasks;
    sum.bytes -= row.integer_at(3);
    return {};
}

/// After something was removed of it.
Result<void> HeldWriter::count_again(Seq submitted_seq) {
    if (auto ok = forget(submitted_seq); !ok) return ok;
    Statement& row = statements_[kTask].number(1, submitted_seq);
    ResetAtEnd reset_at_end(row);
    auto found = row.step();
    if (!found) return Failure(found.error());
    if (!*found) return {};
    auto task = decode_task(row.blob_at(0));
    if (!task) return Failure(task.error());
    if (!is_final(task->state)) return {};
    auto bytes = bytes_.of(*task);
    if (!bytes) return Failure(bytes.error());
    return count(*task, *bytes);
}

Result<void> HeldWriter::write_sums() {
    for (const auto& [key, sum] : sums_) {
        const auto& [ns, role, dead] = key;
        Statement& add = statements_[kAdd];
        add.text(1, ns).text(2, role).integer(3, dead ? 1 : 0);
        if (auto ok = add.integer(4, sum.tasks).integer(5, sum.bytes).run(); !ok) return ok;
        if (sum.tasks >= 0) continue;
        Statement& prune = statements_[kPrune];
        prune.text(1, ns).text(2, role).integer(3, dead ? 1 : 0);
        if (auto ok = prune.run(); !ok) return ok;
    }
    return {};
}

}  // namespace zq::store
