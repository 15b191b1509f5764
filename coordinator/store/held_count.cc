#include "coordinator/store/held_count.h"

#include <map>
#include <tuple>

#include "coordinator/store/record_codec.h"
#include "coordinator/store/references.h"

namespace zq::store {
namespace {

template <class Each>
Result<void> for_each(Statement& rows, Each each) {
    ResetAtEnd reset_at_end(rows);
    while (true) {
        auto row = rows.step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        if (Result<void> ok = each(rows); !ok) return ok;
    }
}

struct Sum {
    std::uint64_t tasks = 0;
    std::uint64_t bytes = 0;
    friend bool operator==(const Sum&, const Sum&) = default;
};
using Sums = std::map<std::tuple<std::string, std::string, bool>, Sum>;

/// Every ended task with what it holds. The sums over them.
template <class Each>
Result<Sums> walk_ended(Database& database, Each each) {
    auto held = HeldBytes::open(database);
    if (!held) return Failure(held.error());
    auto rows = database.prepare("SELECT record FROM tasks WHERE ended <> 0");
    if (!rows) return Failure(rows.error());
    Sums sums;
    auto ok = for_each(*rows, [&](Statement& row) -> Result<void> {
        auto task = decode_task(row.blob_at(0));
        if (!task) return Failure(task.error());
        auto bytes = held->of(*task);
        if (!bytes) return Failure(bytes.error());
        Sum& sum = sums[{task->key.ns.text, task->role.text, is_dead(task->state)}];
        ++sum.tasks;
        sum.bytes += *bytes;
        return each(*task, *bytes);
    });
    if (!ok) return Failure(ok.error());
    return sums;
}

Result<Sums> stored_sums(Database& database) {
    auto rows = database.prepare("SELECT ns, role, dead, tasks, bytes FROM held_totals");
    if (!rows) return Failure(rows.error());
    Sums sums;
    auto ok = for_each(*rows, [&](Statement& row) -> Result<void> {
        // Another truth than 0 and 1 is another key: it matches none.
        const bool dead = row.integer_at(2) == 1;
        if (!dead && row.integer_at(2) != 0)
            return fail(ErrorCode::IO, "held_totals: dead is 0 or 1");
        sums[{std::string(row.text_at(0)), std::string(row.text_at(1)), dead}] = {row.number_at(3),
                                                                                  row.number_at(4)};
        return {};
    });
    if (!ok) return Failure(ok.error());
    return sums;
}

}  // namespace

Result<HeldBytes> HeldBytes::open(Database& database) {
    auto attempts = database.prepare("SELECT record FROM attempts WHERE ns = ?1 AND task = ?2");
    if (!attempts) return Failure(attempts.error());
    auto removals = database.prepare("SELECT kind, seq FROM removals WHERE submitted_seq = ?1");
    if (!removals) return Failure(removals.error());
    return HeldBytes(std::move(*attempts), std::move(*removals));
}

Result<std::uint64_t> HeldBytes::of(const core::Task& task) {
    std::vector<core::Attempt> attempts;
    attempts_.text(1, task.key.ns.text).text(2, task.key.id.text);
    auto ok = for_each(attempts_, [&](Statement& row) -> Result<void> {
        auto attempt = decode_attempt(row.blob_at(0));
        if (!attempt) return Failure(attempt.error());
        attempts.push_back(std::move(*attempt));
        return {};
    });
    if (!ok) return Failure(ok.error());
    std::vector<Removal> removals;
    ok = for_each(removals_.number(1, task.submitted_seq), [&](Statement& row) -> Result<void> {
        Removal removal;
        if (!from_text(row.text_at(0), removal.kind)) {
            return fail(ErrorCode::IO, "a removal of an unknown kind");
        }
        removal.seq = row.number_at(1);
        removals.push_back(removal);
        return {};
    });
    if (!ok) return Failure(ok.error());
    return bytes_held_by(task, attempts, removals);
}

Result<void> count_held(Database& database) {
    if (auto ok = database.run("DELETE FROM held; DELETE FROM held_totals"); !ok) return ok;
    auto row = database.prepare("INSERT INTO held VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    if (!row) return Failure(row.error());
    auto sums = walk_ended(database, [&](const core::Task& task, std::uint64_t bytes) {
        return row->number(1, task.submitted_seq)
            .text(2, task.key.ns.text)
            .text(3, task.role.text)
            .integer(4, is_dead(task.state) ? 1 : 0)
            .number(5, task.changed_seq)
            .number(6, bytes)
            .run();
    });
    if (!sums) return Failure(sums.error());
    auto total = database.prepare("INSERT INTO held_totals VALUES (?1, ?2, ?3, ?4, ?5)");
    if (!total) return Failure(total.error());
    for (const auto& [key, sum] : *sums) {
        const auto& [ns, role, dead] = key;
        total->text(1, ns).text(2, role).integer(3, dead ? 1 : 0);
        if (auto ok = total->number(4, sum.tasks).number(5, sum.bytes).run(); !ok) return ok;
    }
    return {};
}

Result<void> compare_held(Database& database, const std::function<void(std::string)>& problem) {
    auto held = database.prepare(
        "SELECT ns, role, dead, ended_seq, bytes FROM held WHERE submitted_seq = ?1");
    if (!held) return Failure(held.error());
    std::uint64_t ended = 0;
    auto sums =
        walk_ended(database, [&](const core::Task& task, std::uint64_t bytes) -> Result<void> {
            ++ended;
            held->number(1, task.submitted_seq);
            ResetAtEnd reset_at_end(*held);
            auto row = held->step();
            if (!row) return Failure(row.error());
            if (!*row || held->text_at(0) != task.key.ns.text ||
                held->text_at(1) != task.role.text ||
                held->integer_at(2) != (is_dead(task.state) ? 1 : 0) ||
                held->number_at(3) != task.changed_seq || held->number_at(4) != bytes) {
                problem("what task " + task.key.id.text + " holds is not counted as its rows say");
            }
            return {};
        });
    if (!sums) return Failure(sums.error());
    auto rows = database.number("SELECT count(*) FROM held");
    if (!rows) return Failure(rows.error());
    if (static_cast<std::uint64_t>(*rows) != ended) {
        problem("table held has " + std::to_string(*rows) + " rows, " + std::to_string(ended) +
                " tasks have ended");
    }
    auto stored = stored_sums(database);
    if (!stored) return Failure(stored.error());
    if (*stored != *sums) problem("the sums of what ended tasks hold are not those of their rows");
    return {};
}

}  // namespace zq::store
